//! Everything that a run is made of: a new kind of operation is one more variant here, and a file.

use std::rc::Rc;

use proptest::prelude::*;

use super::{
    counts, deed::Deed, discrepancies, exchanges, offline, parked, quotes, replenishment, returns,
    sales, shifts, state::Model, stock, transfer_plans, transfers, unreceipted, voids,
};

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
    Void(voids::Void),
    Return(returns::Return),
    Unreceipted(unreceipted::Unreceipted),
    Resolve(discrepancies::Resolve),
    Exchange(exchanges::Exchange),
    Offline(offline::Offline),
    Quote(quotes::Asked),
    Till(shifts::Tilling),
    Park(parked::Parking),
    Count(counts::Counting),
    Ask(replenishment::Asking),
    Draft(transfers::Draft),
    Handle(transfer_plans::Handling),
}

/// At the tills.
fn trade() -> BoxedStrategy<Op> {
    prop_oneof![
        10 => sales::plans().prop_map(Op::Sell),
        2 => voids::plans().prop_map(Op::Void),
        5 => returns::plans().prop_map(Op::Return),
        2 => unreceipted::plans().prop_map(Op::Unreceipted),
        4 => exchanges::plans().prop_map(Op::Exchange),
        1 => quotes::plans().prop_map(Op::Quote),
        2 => offline::plans().prop_map(Op::Offline),
        7 => shifts::plans().prop_map(Op::Till),
        1 => parked::plans().prop_map(Op::Park),
    ]
    .boxed()
}

/// In the store room.
fn stock_keeping() -> BoxedStrategy<Op> {
    prop_oneof![
        4 => stock::plans().prop_map(Op::Adjust),
        1 => discrepancies::plans().prop_map(Op::Resolve),
        8 => counts::plans().prop_map(Op::Count),
        3 => replenishment::plans().prop_map(Op::Ask),
        3 => transfers::drafts().prop_map(Op::Draft),
        12 => transfer_plans::handlings().prop_map(Op::Handle),
    ]
    .boxed()
}

/// Some of everything; `trade` and `keeping` say how much of either.
pub fn op((trade, keeping): (u32, u32)) -> BoxedStrategy<Op> {
    let again = (0..1_000_usize, prop::bool::weighted(0.3));
    prop_oneof![
        1 => again.prop_map(|(past, reworded)| Op::Again { past, reworded }),
        trade => self::trade(),
        keeping => stock_keeping(),
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
            Self::Unreceipted(plan) => Some(deed(plan.aim(model))),
            Self::Resolve(plan) => plan.aim(model).map(deed),
            Self::Exchange(plan) => plan.aim(model).map(deed),
            Self::Quote(plan) => Some(deed(plan.aim(model))),
            Self::Offline(plan) => Some(deed(plan.aim(model))),
            Self::Till(plan) => plan.aim(model).map(deed),
            Self::Park(plan) => plan.aim(model).map(deed),
            Self::Count(plan) => plan.aim(model).map(deed),
            Self::Ask(plan) => plan.aim(model).map(deed),
            Self::Draft(plan) => plan.aim(model).map(deed),
            Self::Handle(plan) => plan.aim(model).map(deed),
        }
    }

    /// Whether its outcome may depend on a level.
    pub fn sees_stock(&self) -> bool {
        !matches!(
            self,
            Self::Void(_) | Self::Return(_) | Self::Unreceipted(_) | Self::Till(_) | Self::Park(_)
        )
    }
}
