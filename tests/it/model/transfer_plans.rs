//! What somebody may think of doing to a transfer.

use proptest::prelude::*;

use super::{
    state::{ITEMS, Item, Model, share},
    transfer_steps::Step,
};

/// Somebody does something to a transfer.
#[derive(Debug, Clone)]
pub struct Handling {
    transfer: usize,
    /// Something that its state allows, or anything.
    sensible: bool,
    choice: usize,
    /// All that is possible, without a word about quantities.
    whole: bool,
    /// Shares of what there is of each line.
    shares: Vec<(u8, u8)>,
    odd: Option<Odd>,
    write_off: bool,
}

/// What should not be in a body.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Twice,
    NotOnIt,
}

/// What leads on comes first.
const ACTIONS: [Action; 8] = [
    Action::Request,
    Action::Approve,
    Action::Dispatch,
    Action::Receive,
    Action::Return,
    Action::Close,
    Action::Cancel,
    Action::Reject,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Request,
    Approve,
    Dispatch,
    Receive,
    Close,
    Cancel,
    Reject,
    Return,
}

impl Action {
    pub fn verb(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Dispatch => "dispatch",
            Self::Receive => "receive",
            Self::Close => "close",
            Self::Cancel => "cancel",
            Self::Reject => "reject",
            Self::Return => "return",
        }
    }

    pub fn is_allowed(self, status: &str) -> bool {
        let in_states = match self {
            Self::Request => "draft",
            Self::Approve | Self::Reject => "requested",
            Self::Dispatch => "approved",
            Self::Receive => "in_transit partially_received",
            Self::Close => "in_transit partially_received received",
            Self::Cancel => "draft requested approved",
            Self::Return => "partially_received received closed",
        };
        in_states.split(' ').any(|state| state == status)
    }
}

pub fn handlings() -> impl Strategy<Value = Handling> {
    let share = (
        prop_oneof![15 => 1..=8_u8, 1 => Just(0), 1 => Just(9)],
        0..=8_u8,
    );
    let odd = prop_oneof![Just(Odd::Twice), Just(Odd::NotOnIt)];
    (
        0..1_000_usize,
        prop::bool::weighted(0.85),
        // The first of what is allowed leads on, so it is chosen more often.
        prop_oneof![2 => Just(0_usize), 1 => 0..8_usize],
        prop::bool::weighted(0.4),
        prop::collection::vec(share, 1..=3),
        proptest::option::weighted(0.05, odd),
        any::<bool>(),
    )
        .prop_map(
            |(transfer, sensible, choice, whole, shares, odd, write_off)| Handling {
                transfer,
                sensible,
                choice,
                whole,
                shares,
                odd,
                write_off,
            },
        )
}

impl Handling {
    /// Something sensible is done to what something can be done to, if there is such a transfer.
    fn index(&self, model: &Model) -> Option<usize> {
        let transfers = model.transfers.iter().enumerate();
        let open = transfers.filter(|(_, t)| ACTIONS.iter().any(|a| a.is_allowed(t.status)));
        let open: Vec<usize> = open.map(|(index, _)| index).collect();
        match self.transfer.checked_rem(open.len()) {
            Some(place) if self.sensible => Some(open[place]),
            _ => self.transfer.checked_rem(model.transfers.len()),
        }
    }

    pub fn aim(&self, model: &Model) -> Option<Step> {
        let index = self.index(model)?;
        let transfer = &model.transfers[index];
        let allowed = ACTIONS
            .into_iter()
            .filter(|a| a.is_allowed(transfer.status));
        let allowed: Vec<Action> = allowed.collect();
        let action = if self.sensible && !allowed.is_empty() {
            allowed[self.choice % allowed.len()]
        } else {
            ACTIONS[self.choice % ACTIONS.len()]
        };
        let parts = transfer.lines.iter().zip(&self.shares);
        let parts = parts.map(|((item, line), (eighths, rest))| {
            let limit = model.limit(index, action, *item, line);
            let first = share(*eighths, limit);
            let rest = share(*rest, (limit - first).max(0));
            match rest % 3 {
                // What arrived whole, broken, and never.
                0 => (*item, [first, rest, 0]),
                1 => (*item, [first, 0, rest]),
                _ => (*item, [0, first, rest]),
            }
        });
        let mut parts: Vec<(Item, [i64; 3])> = parts.collect();
        match self.odd {
            Some(Odd::Twice) => parts.push(parts[0]),
            Some(Odd::NotOnIt) => parts.push(((parts[0].0 + 1) % ITEMS.len(), [1, 0, 0])),
            None => {}
        }
        Some(Step {
            transfer: index,
            action,
            whole: self.whole,
            parts,
            write_off: self.write_off,
        })
    }
}
