//! Everything that a run is made of: a new kind of operation is one more variant here, and a file.

use std::rc::Rc;

use proptest::prelude::*;

use super::{deed::Deed, returns, sales, state::Model, stock, transfer_plans, transfers};

/// Plain data, without ids: what it is about is found when it is its turn, among what there is by
/// then. So a run stays a run when operations are left out of it.
#[derive(Debug, Clone)]
pub enum Op {
    /// An earlier request with its key, as it was or in other words.
    Again {
        past: usize,
        reworded: bool,
    },
    Adjust(stock::Adjust),
    Sell(sales::Purchase),
    Void(sales::Void),
    Return(returns::Return),
    Draft(transfers::Draft),
    Handle(transfer_plans::Handling),
}

pub fn op() -> BoxedStrategy<Op> {
    let again = (0..1_000_usize, prop::bool::weighted(0.3));
    prop_oneof![
        2 => again.prop_map(|(past, reworded)| Op::Again { past, reworded }),
        3 => stock::plans().prop_map(Op::Adjust),
        5 => sales::plans().prop_map(Op::Sell),
        1 => sales::voids().prop_map(Op::Void),
        3 => returns::plans().prop_map(Op::Return),
        2 => transfers::drafts().prop_map(Op::Draft),
        6 => transfer_plans::handlings().prop_map(Op::Handle),
    ]
    .boxed()
}

impl Op {
    /// What is to be done; `None` where there is nothing yet that it could be done to.
    pub fn aim(&self, model: &Model) -> Option<Rc<dyn Deed>> {
        fn deed(deed: impl Deed + 'static) -> Rc<dyn Deed> {
            Rc::new(deed)
        }
        match self {
            Self::Again { .. } => None,
            Self::Adjust(plan) => Some(deed(plan.aim(model))),
            Self::Sell(plan) => Some(deed(plan.aim(model))),
            Self::Void(plan) => plan.aim(model).map(deed),
            Self::Return(plan) => plan.aim(model).map(deed),
            Self::Draft(plan) => plan.aim(model).map(deed),
            Self::Handle(plan) => plan.aim(model).map(deed),
        }
    }

    /// Whether its outcome may depend on a level.
    pub fn sees_stock(&self) -> bool {
        !matches!(self, Self::Void(_) | Self::Return(_))
    }
}
