//! Who can give goods to a store that needs them: another store's surplus before the warehouse.

use kernel::ids::StoreId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reorder::{Pace, Rule, round_down};

/// A store that has some of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Supplier {
    pub(crate) store_id: StoreId,
    /// A warehouse keeps nothing for itself.
    pub(crate) is_warehouse: bool,
    pub(crate) on_hand: i64,
    /// Promised to other stores.
    pub(crate) reserved: i64,
    /// Asked of it by other stores, and not promised yet.
    pub(crate) asked: i64,
    /// Its own rule.
    pub(crate) rule: Option<Rule>,
    pub(crate) pace: Pace,
}

impl Supplier {
    /// What it can do without: what is above its own target, or, where no rule says one, above what
    /// it sold in the time that is looked at.
    pub(crate) fn surplus(&self) -> i64 {
        let keep = if self.is_warehouse {
            0
        } else {
            match self.rule {
                Some(rule) => rule.target(self.pace),
                None => self.pace.sold.max(0),
            }
        };
        self.on_hand
            .saturating_sub(self.reserved)
            .saturating_sub(self.asked)
            .saturating_sub(keep)
            .max(0)
    }
}

/// Why a store was chosen to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceReason {
    /// The rule names it, and it has a surplus.
    Preferred,
    /// It has more than it needs.
    StoreSurplus,
    /// No store can do without as much.
    Warehouse,
}

/// Who gives, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) store_id: StoreId,
    pub(crate) quantity: i64,
    pub(crate) reason: SourceReason,
}

/// The first that can give all of it: the preferred one, then the store with the largest surplus,
/// then the warehouse. Where none can, the one that can give most. One source, so that a few units
/// do not travel from everywhere; what is still missing is suggested again.
pub(crate) fn choose(
    quantity: i64,
    multiple: i64,
    preferred: Option<StoreId>,
    suppliers: &[Supplier],
) -> Option<Choice> {
    let mut choices: Vec<(SourceReason, i64, StoreId)> = suppliers
        .iter()
        .map(|supplier| {
            let reason = if preferred == Some(supplier.store_id) {
                SourceReason::Preferred
            } else if supplier.is_warehouse {
                SourceReason::Warehouse
            } else {
                SourceReason::StoreSurplus
            };
            (reason, supplier.surplus(), supplier.store_id)
        })
        .collect();
    choices.sort_by_key(|(reason, surplus, store)| (*reason, -surplus, *store));
    let whole = choices.iter().find(|(_, surplus, _)| *surplus >= quantity);
    let (reason, surplus, store_id) = match whole {
        Some(choice) => *choice,
        // Of equals the first: `max_by_key` would take the last.
        None => *choices
            .iter()
            .rev()
            .max_by_key(|(_, surplus, _)| *surplus)?,
    };
    let quantity = if surplus >= quantity {
        quantity
    } else {
        round_down(surplus, multiple)
    };
    (quantity > 0).then_some(Choice {
        store_id,
        quantity,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn supplier(number: u128, on_hand: i64) -> Supplier {
        Supplier {
            store_id: store(number),
            is_warehouse: false,
            on_hand,
            reserved: 0,
            asked: 0,
            rule: None,
            pace: Pace { sold: 0, days: 28 },
        }
    }

    fn store(number: u128) -> StoreId {
        StoreId(uuid::Uuid::from_u128(number))
    }

    fn rule(min: i64, max: Option<i64>, cover_days: Option<i64>) -> Rule {
        Rule {
            min,
            max,
            multiple: 1,
            lead_days: 0,
            cover_days,
            source_store_id: None,
        }
    }

    #[test]
    fn a_surplus_is_what_a_store_can_do_without() {
        let all = supplier(1, 50);
        assert_eq!(all.surplus(), 50, "no rule, no sales");
        let pace = Pace { sold: 28, days: 28 };
        let sells = Supplier { pace, ..all };
        assert_eq!(sells.surplus(), 22, "no rule: keeps what it sells");
        let with = |min, max, cover| {
            let rule = Some(rule(min, max, cover));
            Supplier { rule, ..sells }
        };
        assert_eq!(with(5, Some(30), None).surplus(), 20, "its maximum");
        assert_eq!(with(10, None, Some(7)).surplus(), 33, "ten and a week");
        let warehouse = Supplier {
            is_warehouse: true,
            ..with(5, Some(30), None)
        };
        assert_eq!(warehouse.surplus(), 50, "a warehouse gives all");
        let promised = |reserved, asked| Supplier {
            reserved,
            asked,
            ..all
        };
        assert_eq!(promised(20, 25).surplus(), 5);
        assert_eq!(promised(40, 25).surplus(), 0);
        assert_eq!(supplier(1, -5).surplus(), 0, "below zero");
    }

    #[test]
    fn a_store_s_surplus_comes_before_the_warehouse() {
        let warehouse = |on_hand| Supplier {
            is_warehouse: true,
            ..supplier(9, on_hand)
        };
        let choose = |preferred, suppliers: &[Supplier]| {
            let choice = choose(20, 6, preferred, suppliers);
            choice.map(|c| (c.store_id, c.quantity, c.reason))
        };
        let (small, large) = (supplier(1, 19), supplier(2, 40));
        use SourceReason::{Preferred, StoreSurplus, Warehouse};
        let all = [small, large, warehouse(1_000)];
        assert_eq!(choose(None, &all), Some((store(2), 20, StoreSurplus)));
        assert_eq!(
            choose(Some(store(9)), &all),
            Some((store(9), 20, Preferred))
        );
        // Preferred, but too little: who can give all of it comes first.
        assert_eq!(
            choose(Some(store(1)), &all),
            Some((store(2), 20, StoreSurplus))
        );
        let some = [small, warehouse(1_000)];
        assert_eq!(choose(None, &some), Some((store(9), 20, Warehouse)));
        // Nobody can give all of it: whole boxes of six from who has most.
        let few = [small, supplier(3, 7), warehouse(14)];
        assert_eq!(choose(None, &few), Some((store(1), 18, StoreSurplus)));
        // Of equals the store, and of stores the first by id.
        let equal = [warehouse(7), supplier(3, 7), supplier(2, 7)];
        assert_eq!(choose(None, &equal), Some((store(2), 6, StoreSurplus)));
        assert_eq!(choose(None, &[supplier(1, 5), warehouse(0)]), None);
        assert_eq!(choose(None, &[]), None);
    }

    #[test]
    fn never_more_is_taken_than_the_source_can_do_without() {
        for surplus in 0..100 {
            for multiple in [1, 5, 7, 24] {
                let choice = choose(48, multiple, None, &[supplier(1, surplus)]);
                assert!(choice.is_none_or(|c| c.quantity <= surplus && c.quantity <= 48));
            }
        }
    }
}
