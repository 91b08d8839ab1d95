//! Two counts at the first shop: one that is posted, and found a unit missing, and one that waits for
//! whoever tries the documentation's examples.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PASSWORD, ensure::Made, ids, users::email};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

const SHOP: u32 = 1;
/// Products of the count that is posted, and of the one that is left open.
const POSTED: [u32; 2] = [11, 12];
const OPEN: [u32; 2] = [21, 22];
const PATH: &str = "/api/stocks/counts";

#[derive(Deserialize)]
struct Count {
    id: Uuid,
}

#[derive(Deserialize)]
struct Level {
    on_hand: i64,
}

/// Makes what is not there yet. Users and stock must be there.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("counts", Some(2));
    let clerk = api.as_user(&email("clerk"), PASSWORD).await?;
    let (mut all, id) = open(&clerk, 1, &POSTED, false).await?;
    if let Some(id) = id {
        count(api, &clerk, id).await?;
    }
    phase.add(1);
    all += open(&clerk, 2, &OPEN, true).await?.0;
    phase.add(1);
    Ok((all, phase.finish()))
}

async fn open(
    clerk: &Api,
    number: u32,
    products: &[u32],
    blind: bool,
) -> Result<(Made, Option<Uuid>), Failure> {
    let products: Vec<Uuid> = products
        .iter()
        .map(|number| ids::product(*number))
        .collect();
    let body = json!({
        "store_id": ids::store(SHOP),
        "scope": {"kind": "products", "product_ids": products},
        "blind": blind,
    });
    let key = format!("demo:count:{number}");
    match clerk.post::<_, Count>(PATH, Some(&key), &body).await {
        Ok(answer) if answer.replayed => Ok((Made::FOUND, Some(answer.body.id))),
        Ok(answer) => Ok((Made::MADE, Some(answer.body.id))),
        // Another version of the product had other figures, or someone counts these by now.
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => {
            Ok((Made::FOUND, None))
        }
        Err(error) => Err(error.into()),
    }
}

/// Of the first product one unit is missing; the other is as the books say.
async fn count(api: &Api, clerk: &Api, id: Uuid) -> Result<(), Failure> {
    let mut entries: Vec<Value> = Vec::new();
    for (missing, product) in [1, 0].into_iter().zip(POSTED.map(ids::product)) {
        let store = ids::store(SHOP);
        let level: Level = api.get(&format!("/api/stocks/{store}/{product}")).await?;
        let quantity = (level.on_hand - missing).max(0);
        entries.push(json!({"product_id": product, "quantity": quantity}));
    }
    let steps = [
        (clerk, "lines", json!({"entries": entries})),
        (api, "post", json!({"uncounted": "keep"})),
    ];
    for (who, step, body) in steps {
        let (path, key) = (format!("{PATH}/{id}/{step}"), format!("demo:count:{step}"));
        match who.post::<_, IgnoredAny>(&path, Some(&key), &body).await {
            Ok(_) => {}
            // It was counted when there was more, or someone has taken another way.
            Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
