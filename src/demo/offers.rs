//! A price and a promotion of the first shop alone, which its manager makes. They begin when the
//! demo chain is loaded, so its sales, which lie before that, do not know of them.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{PASSWORD, ensure::Made, ids, users::email};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// The shop of the manager.
const SHOP: u32 = 1;
/// Not in any example, which say what things cost.
const PRODUCT: u32 = 10;
const FRUIT: u32 = 16;

/// Makes what is not there yet. Users and products must be there.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("offers", None);
    let manager = api.as_user(&email("manager"), PASSWORD).await?;
    let price = json!({
        "product_id": ids::product(PRODUCT),
        "store_id": ids::store(SHOP),
        "price": {"amount": 249, "currency": "EUR"},
    });
    let promotion = json!({
        "name": "Fruit of the season",
        "discount": {"basis_points": 1000},
        "store_ids": [ids::store(SHOP)],
        "category_ids": [ids::category(FRUIT)],
    });
    let mut all = send(&manager, "price", "/api/inventory/prices", &price).await?;
    all += send(
        &manager,
        "promotion",
        "/api/inventory/promotions",
        &promotion,
    )
    .await?;
    phase.add(all.made + all.found);
    Ok((all, phase.finish()))
}

async fn send(api: &Api, what: &str, path: &str, body: &Value) -> Result<Made, Failure> {
    let key = format!("demo:{what}:1");
    match api.post::<_, IgnoredAny>(path, Some(&key), body).await {
        Ok(answer) if answer.replayed => Ok(Made::FOUND),
        Ok(_) => Ok(Made::MADE),
        // Another version of the product had other figures; what it made stays as it is.
        Err(ClientError::Refused(refusal)) if refusal.status == 422 => Ok(Made::FOUND),
        Err(error) => Err(error.into()),
    }
}
