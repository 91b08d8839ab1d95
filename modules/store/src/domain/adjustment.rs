//! What one item of an adjustment does to a level, and why it may be refused.

use kernel::money::StockDelta;

use super::ledger::{Cause, Change, Key, Ledger, Level, Short};
use crate::dto::{AdjustmentItem, Bucket};

/// Why an item was refused; nothing changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is less than would be taken.
    #[error("Only {available} are there.")]
    Insufficient {
        /// What there is, in base units.
        available: i64,
    },
    /// The books say something else than the caller believed.
    #[error("The books say {current}, not what was expected: look again.")]
    Unexpected {
        /// What the books say.
        current: i64,
    },
    /// The level would leave the range of what can be meant.
    #[error("The level would be larger than 1,000,000,000.")]
    OutOfRange,
    /// The catalogue does not know the product.
    #[error("There is no such product.")]
    UnknownProduct,
    /// There is no such store.
    #[error("There is no such store.")]
    UnknownStore,
    /// The store is archived.
    #[error("The store is archived: its stock does not move any more.")]
    StoreArchived,
}

impl Refusal {
    /// Stable, for a program.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Insufficient { .. } => "insufficient-stock",
            Self::Unexpected { .. } => "expected-mismatch",
            Self::OutOfRange => "stock-out-of-range",
            Self::UnknownProduct => "unknown-product",
            Self::UnknownStore => "unknown-store",
            Self::StoreArchived => "store-archived",
        }
    }
}

impl From<Short> for Refusal {
    fn from(short: Short) -> Self {
        Self::Insufficient {
            available: short.available,
        }
    }
}

/// Applies `item` to the level at `key`.
pub(crate) fn apply(
    ledger: &mut Ledger,
    key: Key,
    item: &AdjustmentItem,
    cause: &Cause,
) -> Result<Level, Refusal> {
    let level = ledger.level(key);
    let change = change(level, item)?;
    let after = [
        (change.on_hand, level.on_hand),
        (change.damaged, level.damaged),
    ];
    if after
        .iter()
        .any(|(by, from)| *by > 0 && from.saturating_add(*by) > StockDelta::MAX)
    {
        return Err(Refusal::OutOfRange);
    }
    Ok(ledger.post(key, change, cause)?)
}

fn change(level: Level, item: &AdjustmentItem) -> Result<Change, Refusal> {
    let of = |bucket, by: i64| match bucket {
        Bucket::OnHand => Change {
            on_hand: by,
            damaged: 0,
        },
        Bucket::Damaged => Change {
            on_hand: 0,
            damaged: by,
        },
    };
    match item {
        AdjustmentItem::Adjust { delta, bucket, .. } => Ok(of(*bucket, delta.get())),
        AdjustmentItem::Set {
            quantity, expected, ..
        } => {
            if expected.is_some_and(|e| e.get() != level.on_hand) {
                return Err(Refusal::Unexpected {
                    current: level.on_hand,
                });
            }
            let by = quantity.get().saturating_sub(level.on_hand);
            Ok(of(Bucket::OnHand, by))
        }
        AdjustmentItem::Move { from, quantity, .. } => {
            let (available, sign) = match from {
                Bucket::OnHand => (level.on_hand, 1),
                Bucket::Damaged => (level.damaged, -1),
            };
            // What is not there cannot break, not even where selling below zero is allowed.
            if available < quantity.get() {
                return Err(Refusal::Insufficient {
                    available: available.max(0),
                });
            }
            Ok(Change {
                on_hand: -sign * quantity.get(),
                damaged: sign * quantity.get(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::ids::{ProductId, StoreId, UserId};

    use super::*;
    use crate::domain::reason::MovementReason;

    fn run(on_hand: i64, damaged: i64, allows: bool, item: &str) -> Result<(i64, i64), Refusal> {
        let key = (StoreId::new(), ProductId::new());
        let level = Level {
            on_hand,
            damaged,
            ..Level::NONE
        };
        let mut ledger = Ledger::new([(key, level, allows)]);
        let mut json: serde_json::Value = serde_json::from_str(item).unwrap();
        json["store_id"] = serde_json::json!(key.0);
        json["product_id"] = serde_json::json!(key.1);
        json["reason"] = "correction".into();
        let item = serde_json::from_value(json).unwrap();
        let cause = Cause {
            reason: MovementReason::Correction,
            document_id: uuid::Uuid::nil(),
            actor: UserId::new(),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            note: None,
        };
        apply(&mut ledger, key, &item, &cause).map(|l| (l.on_hand, l.damaged))
    }

    #[test]
    fn each_kind_of_item_does_what_it_says() {
        let short = |available| Err(Refusal::Insufficient { available });
        for (item, result) in [
            (r#"{"type":"adjust","delta":5}"#, Ok((15, 2))),
            (r#"{"type":"adjust","delta":-11}"#, short(10)),
            (
                r#"{"type":"adjust","delta":-3,"bucket":"damaged"}"#,
                short(2),
            ),
            (
                r#"{"type":"adjust","delta":1000000000}"#,
                Err(Refusal::OutOfRange),
            ),
            (r#"{"type":"set","quantity":3,"expected":10}"#, Ok((3, 2))),
            (r#"{"type":"set","quantity":10}"#, Ok((10, 2))),
            (
                r#"{"type":"set","quantity":3,"expected":9}"#,
                Err(Refusal::Unexpected { current: 10 }),
            ),
            (
                r#"{"type":"move","from":"on_hand","to":"damaged","quantity":4}"#,
                Ok((6, 6)),
            ),
            (
                r#"{"type":"move","from":"damaged","to":"on_hand","quantity":2}"#,
                Ok((12, 0)),
            ),
            (
                r#"{"type":"move","from":"damaged","to":"on_hand","quantity":3}"#,
                short(2),
            ),
        ] {
            assert_eq!(run(10, 2, false, item), result, "{item}");
        }
    }

    #[test]
    fn below_zero_may_be_sold_but_not_broken() {
        assert_eq!(
            run(1, 0, true, r#"{"type":"adjust","delta":-3}"#),
            Ok((-2, 0))
        );
        let broken = r#"{"type":"move","from":"on_hand","to":"damaged","quantity":2}"#;
        assert_eq!(
            run(1, 0, true, broken),
            Err(Refusal::Insufficient { available: 1 })
        );
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let id = uuid::Uuid::nil();
        let json = format!(
            r#"{{"type":"adjust","store_id":"{id}","product_id":"{id}","delta":1,"reason":"found","price":1}}"#
        );
        assert!(serde_json::from_str::<AdjustmentItem>(&json).is_err());
    }
}
