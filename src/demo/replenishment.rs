//! What the shops want to have of what they sell, and what the first shop asks for: a request in
//! each state that the documentation has an example for.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{PASSWORD, catalogue::Product, chain::SHOPS, ensure::Made, ids, users::email};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Products of each shop with a rule: those that sell best.
const RULES: usize = 120;
/// The warehouse and the first shop.
const ENDS: (u32, u32) = (6, 1);
/// What is asked for: whether it is a draft, and of what.
const REQUESTS: [(bool, u32); 2] = [(true, 2), (false, 1)];

/// Makes what is not there yet. Users and products must be there.
pub(super) async fn load(
    api: &Api,
    products: &[Product],
    progress: &Progress,
) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("replenishment", Some(SHOPS.len() - 1 + REQUESTS.len()));
    let mut all = Made::default();
    for shop in SHOPS.iter().filter(|shop| shop.number != ENDS.0) {
        let rules: Vec<Value> = products
            .iter()
            .take(RULES)
            .map(|product| rule(shop.number, product))
            .collect();
        let key = format!("demo:rules:{}", shop.number);
        let body = json!({"rules": rules});
        all += send(api, "/api/inventory/reorder-rules", &key, &body).await?;
        phase.add(1);
    }
    let clerk = api.as_user(&email("clerk"), PASSWORD).await?;
    for (number, (draft, product)) in (1..).zip(REQUESTS) {
        let body = json!({
            "store_id": ids::store(ENDS.1),
            "lines": [{
                "product_id": ids::product(product),
                "quantity": 24,
                "source_store_id": ids::store(ENDS.0),
            }],
            "note": format!("Wanted {number}"),
            "draft": draft,
        });
        let key = format!("demo:request:{number}");
        let path = "/api/inventory/replenishment/requests";
        all += send(&clerk, path, &key, &body).await?;
        phase.add(1);
    }
    Ok((all, phase.finish()))
}

/// Every third has no maximum and is filled for ten days, every fifth comes from the warehouse.
fn rule(shop: u32, product: &Product) -> Value {
    let per = if product.is_weighed() { 1000 } else { 1 };
    let covers = product.number.is_multiple_of(3);
    let preferred = product.number.is_multiple_of(5);
    json!({
        "store_id": ids::store(shop),
        "product_id": ids::product(product.number),
        "min": 12 * per,
        "max": (!covers).then_some(36 * per),
        "cover_days": covers.then_some(10),
        "multiple": 6 * per,
        "lead_days": 2,
        "source_store_id": preferred.then(|| ids::store(ENDS.0)),
    })
}

async fn send(api: &Api, path: &str, key: &str, body: &Value) -> Result<Made, Failure> {
    match api.post::<_, IgnoredAny>(path, Some(key), body).await {
        Ok(answer) if answer.replayed => Ok(Made::FOUND),
        Ok(_) => Ok(Made::MADE),
        // Another version of the product had other figures; what there is stays as it is.
        Err(ClientError::Refused(refusal)) if refusal.status == 422 => Ok(Made::FOUND),
        Err(error) => Err(error.into()),
    }
}
