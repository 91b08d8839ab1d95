//! The opening stock of the demo chain.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{ensure::Made, ids, plan::Plan};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Levels per request, as many as the API takes.
const BATCH: usize = 500;

/// Fills every level. The products must be there.
pub(super) async fn load(
    api: &Api,
    plan: &Plan,
    progress: &Progress,
) -> Result<(Made, PhaseTime), Failure> {
    let items: Vec<Value> = plan
        .opening
        .iter()
        .map(|((store, product), quantity)| {
            json!({
                "type": "adjust",
                "store_id": ids::store(*store),
                "product_id": ids::product(*product),
                "delta": quantity,
                "reason": "opening",
            })
        })
        .collect();
    let phase = progress.phase("stock", Some(items.len()));
    let mut all = Made::default();
    for (number, batch) in items.chunks(BATCH).enumerate() {
        let body = json!({"mode": "atomic", "items": batch});
        all += send(api, &format!("demo:opening:{number}"), &body).await?;
        phase.add(batch.len());
    }
    Ok((all, phase.finish()))
}

async fn send(api: &Api, key: &str, body: &Value) -> Result<Made, Failure> {
    match api
        .post::<_, IgnoredAny>("/api/stocks/adjustments", Some(key), body)
        .await
    {
        Ok(answer) if answer.replayed => Ok(Made::FOUND),
        Ok(_) => Ok(Made::MADE),
        // Another version of the product had other figures; its stock stays as it is.
        Err(ClientError::Refused(refusal)) if refusal.status == 422 => Ok(Made::FOUND),
        Err(error) => Err(error.into()),
    }
}
