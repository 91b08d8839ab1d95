//! Takes some of the demo chain's goods back.

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ensure::Made,
    plan::{Plan, PlannedSale},
    sales::Recorded,
};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Requests at once.
const CONCURRENCY: usize = 8;
/// Why goods come back, and where they go.
const REASONS: [(&str, &str); 5] = [
    ("unwanted", "restock"),
    ("defective", "damaged"),
    ("wrong_item", "restock"),
    ("expired", "damaged"),
    ("other", "restock"),
];

/// Records the returns of the sales that this load knows.
pub(super) async fn load(
    api: &Api,
    plan: &Plan,
    recorded: &Recorded,
    progress: &Progress,
) -> Result<(Made, PhaseTime), Failure> {
    let returned: Vec<(&PlannedSale, Uuid)> = plan
        .sales
        .iter()
        .filter(|sale| sale.is_returned())
        .filter_map(|sale| Some((sale, *recorded.get(&sale.number)?)))
        .collect();
    let phase = progress.phase("returns", Some(returned.len()));
    let answers: Vec<Made> = stream::iter(returned.into_iter().zip(REASONS.iter().cycle()))
        .map(|((sale, id), reason)| take_back(api, sale, id, *reason))
        .buffer_unordered(CONCURRENCY)
        .inspect_ok(|_| phase.add(1))
        .try_collect()
        .await?;
    let mut all = Made::default();
    for made in answers {
        all += made;
    }
    Ok((all, phase.finish()))
}

async fn take_back(
    api: &Api,
    sale: &PlannedSale,
    id: Uuid,
    reason: (&str, &str),
) -> Result<Made, Failure> {
    let key = format!("demo:return:{}", sale.number);
    match api
        .post::<_, IgnoredAny>("/api/returns", Some(&key), &body(sale, id, reason))
        .await
    {
        Ok(answer) if answer.replayed => Ok(Made::FOUND),
        Ok(_) => Ok(Made::MADE),
        // Someone who tries the product has voided the sale, or taken the goods back before us.
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => {
            Ok(Made::FOUND)
        }
        Err(error) => Err(error.into()),
    }
}

/// One piece of the first line, or all that was weighed.
fn body(sale: &PlannedSale, id: Uuid, (reason, disposition): (&str, &str)) -> Value {
    let quantity = sale
        .lines
        .first()
        .map_or(1, |line| if line.quantity < 10 { 1 } else { line.quantity });
    json!({
        "sale_id": id,
        "occurred_at": sale.occurred_at + TimeDelta::hours(1),
        "lines": [{"line": 1, "quantity": quantity, "disposition": disposition}],
        "reason": reason,
    })
}
