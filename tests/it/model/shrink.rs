//! A fixed number of operations, that shrink to fewer and then to simpler ones.

use proptest::{
    prelude::*,
    strategy::{NewTree, ValueTree},
    test_runner::TestRunner,
};

use super::op::{Op, op};

type OpTree = Box<dyn ValueTree<Value = Op>>;

/// So many operations.
#[derive(Debug, Clone, Copy)]
pub struct Ops(pub usize);

impl Strategy for Ops {
    type Tree = Fewer;
    type Value = Vec<Op>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        // A long story of one kind, or a short one of each.
        let focus = prop::sample::select(&[(8, 8), (14, 3), (3, 14)][..]);
        let op = op(focus.new_tree(runner)?.current());
        let ops = (0..self.0).map(|_| op.new_tree(runner));
        Ok(Fewer {
            ops: ops.collect::<Result<_, _>>()?,
            chunk: self.0,
            place: 0,
            tried: None,
        })
    }
}

/// Leaves out all, halves, quarters and so on down to single operations; then simplifies each.
pub struct Fewer {
    ops: Vec<OpTree>,
    /// How many are left out at once; with 0 the operations themselves are simplified.
    chunk: usize,
    place: usize,
    tried: Option<Tried>,
}

enum Tried {
    LeftOut(Vec<OpTree>),
    Simpler,
}

impl ValueTree for Fewer {
    type Value = Vec<Op>;

    fn current(&self) -> Vec<Op> {
        self.ops.iter().map(ValueTree::current).collect()
    }

    fn simplify(&mut self) -> bool {
        self.tried = None;
        while self.chunk > 0 {
            if self.place < self.ops.len() {
                let end = self.ops.len().min(self.place + self.chunk);
                let left_out = self.ops.drain(self.place..end).collect();
                self.tried = Some(Tried::LeftOut(left_out));
                return true;
            }
            (self.chunk, self.place) = (self.chunk / 2, 0);
        }
        while let Some(op) = self.ops.get_mut(self.place) {
            if op.simplify() {
                self.tried = Some(Tried::Simpler);
                return true;
            }
            self.place += 1;
        }
        false
    }

    /// Takes the last step back where it went too far, and the next one.
    fn complicate(&mut self) -> bool {
        match self.tried.take() {
            None => false,
            Some(Tried::LeftOut(ops)) => {
                let next = self.place + ops.len();
                self.ops.splice(self.place..self.place, ops);
                self.place = next;
                self.simplify()
            }
            Some(Tried::Simpler) if self.ops[self.place].complicate() => {
                self.tried = Some(Tried::Simpler);
                true
            }
            Some(Tried::Simpler) => {
                self.place += 1;
                self.simplify()
            }
        }
    }
}
