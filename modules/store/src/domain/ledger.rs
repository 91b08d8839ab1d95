//! The level rows that one transaction has locked, and the movements it is about to write: every
//! change of stock is decided here, and every decision sees the ones before it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, StoreId, UserId},
    money::StockDelta,
};
use uuid::Uuid;

use super::reason::MovementReason;

/// A level's key; rows are locked in this order.
pub(crate) type Key = (StoreId, ProductId);

/// What one store has of one product, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) damaged: i64,
    pub(crate) incoming: i64,
    pub(crate) version: i64,
    /// `None` for a level that has never moved.
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

impl Level {
    /// The level of a product that the store never had.
    pub(crate) const NONE: Self = Self {
        on_hand: 0,
        reserved: 0,
        damaged: 0,
        incoming: 0,
        version: 0,
        updated_at: None,
    };
}

/// A change of one level, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) on_hand: i64,
    pub(crate) damaged: i64,
}

/// Why a level changes, and on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) reason: MovementReason,
    pub(crate) document_id: Uuid,
    pub(crate) actor: UserId,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) note: Option<String>,
}

/// A ledger row that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) key: Key,
    pub(crate) seq: i64,
    pub(crate) change: Change,
    pub(crate) balance: i64,
    pub(crate) damaged_balance: i64,
    pub(crate) may_go_negative: bool,
    pub(crate) cause: Cause,
}

impl Movement {
    /// Whether it took goods that the books did not have.
    pub(crate) fn oversells(&self) -> bool {
        self.change.on_hand < 0 && self.balance < 0
    }
}

/// There is too little for a change: so much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) available: i64,
}

/// A locked level row, as it was and as it will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shelf {
    pub(crate) before: Level,
    pub(crate) now: Level,
    /// Whether the store sells what the books say is not there.
    pub(crate) allows_negative: bool,
    pub(crate) may_go_negative: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    shelves: BTreeMap<Key, Shelf>,
    movements: Vec<Movement>,
}

impl Ledger {
    /// `locked`: every level row that may change, and whether its store allows negative stock.
    pub(crate) fn new(locked: impl IntoIterator<Item = (Key, Level, bool)>) -> Self {
        let shelf = |(key, level, allows_negative)| {
            let shelf = Shelf {
                before: level,
                now: level,
                allows_negative,
                may_go_negative: allows_negative,
            };
            (key, shelf)
        };
        Self {
            shelves: locked.into_iter().map(shelf).collect(),
            movements: Vec::new(),
        }
    }

    /// The level as it is after what was posted so far; zero where there is none.
    pub(crate) fn level(&self, key: Key) -> Level {
        self.shelves.get(&key).map_or(Level::NONE, |s| s.now)
    }

    /// Whether `quantity` can be taken from what is sellable.
    ///
    /// # Errors
    ///
    /// [`Short`] with what there is.
    pub(crate) fn can_take(&self, key: Key, quantity: i64) -> Result<(), Short> {
        let Some(shelf) = self.shelves.get(&key) else {
            return Err(Short { available: 0 });
        };
        let left = shelf.now.on_hand.saturating_sub(quantity);
        let floor = if shelf.allows_negative {
            StockDelta::MIN
        } else {
            0
        };
        if left >= floor {
            Ok(())
        } else {
            Err(Short {
                available: shelf.now.on_hand.max(0),
            })
        }
    }

    /// Whether `quantity` can be promised: it is there, and nobody else was promised it.
    ///
    /// # Errors
    ///
    /// [`Short`] with what can be.
    pub(crate) fn can_promise(&self, key: Key, quantity: i64) -> Result<(), Short> {
        let Some(shelf) = self.shelves.get(&key) else {
            return Err(Short { available: 0 });
        };
        let available = shelf.now.on_hand.saturating_sub(shelf.now.reserved).max(0);
        if shelf.allows_negative || available >= quantity {
            Ok(())
        } else {
            Err(Short { available })
        }
    }

    /// Changes a level and notes the movement; a change of nothing notes none. What comes in is
    /// always accepted, even where the level stays below zero.
    ///
    /// # Errors
    ///
    /// [`Short`] where goods would be taken that are not there; nothing changed then.
    pub(crate) fn post(&mut self, key: Key, change: Change, cause: &Cause) -> Result<Level, Short> {
        if change.on_hand < 0 {
            self.can_take(key, change.on_hand.saturating_neg())?;
        }
        self.note(key, change, cause)
    }

    /// Takes `quantity` of what is sellable, whatever the books say: it is gone already.
    ///
    /// # Errors
    ///
    /// [`Short`] where the level has no row to note it in.
    pub(crate) fn record(
        &mut self,
        key: Key,
        quantity: i64,
        cause: &Cause,
    ) -> Result<Level, Short> {
        let change = Change {
            on_hand: quantity.saturating_neg(),
            damaged: 0,
        };
        self.note(key, change, cause)
    }

    fn note(&mut self, key: Key, change: Change, cause: &Cause) -> Result<Level, Short> {
        let Some(shelf) = self.shelves.get_mut(&key) else {
            return Err(Short { available: 0 });
        };
        let balance = shelf.now.on_hand.saturating_add(change.on_hand);
        let damaged_balance = shelf.now.damaged.saturating_add(change.damaged);
        if damaged_balance < 0 {
            return Err(Short {
                available: shelf.now.damaged,
            });
        }
        if change.on_hand == 0 && change.damaged == 0 {
            return Ok(shelf.now);
        }
        shelf.now.on_hand = balance;
        shelf.now.damaged = damaged_balance;
        shelf.now.version += 1;
        // Whoever comes here below zero was let through. A level that went there before climbs
        // back step by step.
        shelf.may_go_negative = shelf.allows_negative || balance < 0;
        self.movements.push(Movement {
            key,
            seq: shelf.now.version,
            change,
            balance,
            damaged_balance,
            may_go_negative: shelf.may_go_negative,
            cause: cause.clone(),
        });
        Ok(shelf.now)
    }

    /// The levels that changed, in key order.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (Key, Shelf)> {
        self.shelves
            .iter()
            .filter(|(_, s)| s.now.version != s.before.version)
            .map(|(key, shelf)| (*key, *shelf))
    }

    /// What is to be written, in the order it was posted.
    pub(crate) fn movements(&self) -> &[Movement] {
        &self.movements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(reason: MovementReason) -> Cause {
        Cause {
            reason,
            document_id: Uuid::nil(),
            actor: UserId::new(),
            occurred_at: DateTime::UNIX_EPOCH,
            note: None,
        }
    }

    fn one(on_hand: i64, allows: bool) -> (Ledger, Key) {
        let key = (StoreId::new(), ProductId::new());
        let level = Level {
            on_hand,
            version: 7,
            ..Level::NONE
        };
        (Ledger::new([(key, level, allows)]), key)
    }

    fn units(on_hand: i64) -> Change {
        Change {
            on_hand,
            damaged: 0,
        }
    }

    #[test]
    fn balances_and_numbers_follow_each_other() {
        let (mut ledger, key) = one(5, false);
        ledger
            .post(key, units(-2), &cause(MovementReason::Sale))
            .unwrap();
        ledger
            .post(key, units(4), &cause(MovementReason::Return))
            .unwrap();
        let rows: Vec<_> = ledger
            .movements()
            .iter()
            .map(|m| (m.seq, m.balance))
            .collect();
        assert_eq!(rows, [(8, 3), (9, 7)]);
        let (_, shelf) = ledger.changed().next().unwrap();
        assert_eq!((shelf.before.on_hand, shelf.now.on_hand), (5, 7));
    }

    #[test]
    fn what_is_not_there_cannot_be_taken_and_nothing_changes() {
        let (mut ledger, key) = one(5, false);
        let refused = ledger.post(key, units(-6), &cause(MovementReason::Sale));
        assert_eq!(refused, Err(Short { available: 5 }));
        assert_eq!(ledger.changed().count(), 0);
        let missing = (StoreId::new(), ProductId::new());
        assert_eq!(ledger.can_take(missing, 1), Err(Short { available: 0 }));
    }

    #[test]
    fn what_is_promised_cannot_be_promised_again_but_can_be_sold() {
        let key = (StoreId::new(), ProductId::new());
        let level = Level {
            on_hand: 5,
            reserved: 3,
            ..Level::NONE
        };
        let ledger = Ledger::new([(key, level, false)]);
        assert!(ledger.can_promise(key, 2).is_ok());
        assert_eq!(ledger.can_promise(key, 3), Err(Short { available: 2 }));
        assert!(ledger.can_take(key, 5).is_ok());
        let lenient = Ledger::new([(key, level, true)]);
        assert!(lenient.can_promise(key, 3).is_ok());
    }

    #[test]
    fn a_level_below_zero_can_climb_where_negative_stock_is_no_longer_allowed() {
        let (mut ledger, key) = one(-3, false);
        ledger
            .post(key, units(1), &cause(MovementReason::Return))
            .unwrap();
        assert!(ledger.movements()[0].may_go_negative);
        ledger
            .post(key, units(2), &cause(MovementReason::Return))
            .unwrap();
        assert!(!ledger.movements()[1].may_go_negative);
        assert!(
            ledger
                .post(key, units(-1), &cause(MovementReason::Sale))
                .is_err()
        );
    }

    #[test]
    fn damaged_goods_cannot_go_below_zero_anywhere() {
        let (mut ledger, key) = one(3, true);
        let less = Change {
            on_hand: 0,
            damaged: -1,
        };
        assert!(
            ledger
                .post(key, less, &cause(MovementReason::Expired))
                .is_err()
        );
    }
}
