//! Goods on their way from the warehouse to the first shop, one transfer in each state that the
//! documentation has an example for.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PASSWORD, ensure::Made, ids, users::email};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// What is done to each, after the shop's clerk has drafted it.
const LIVES: [&[&str]; 5] = [
    &[],
    &["request"],
    &["request", "approve"],
    &["request", "approve", "dispatch", "receive"],
    &["request", "approve", "dispatch", "receive", "receive"],
];
/// The warehouse and the first shop.
const ENDS: (u32, u32) = (6, 1);
/// What is sold by the piece and never short in the warehouse.
const PRODUCT: u32 = 1;
const QUANTITY: i64 = 10;

/// Who does what: the clerk at the shop, the admin in the warehouse.
struct Hands<'a> {
    admin: &'a Api,
    clerk: Api,
}

#[derive(Deserialize)]
struct Transfer {
    id: Uuid,
}

/// Makes what is not there yet. Users and stock must be there.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("transfers", Some(LIVES.len()));
    let hands = Hands {
        admin: api,
        clerk: api.as_user(&email("clerk"), PASSWORD).await?,
    };
    let mut all = Made::default();
    for (number, steps) in (1..).zip(LIVES) {
        all += one(&hands, number, steps).await?;
        phase.add(1);
    }
    Ok((all, phase.finish()))
}

async fn one(hands: &Hands<'_>, number: u32, steps: &[&str]) -> Result<Made, Failure> {
    let key = format!("demo:transfer:{number}");
    let body = json!({
        "from_store_id": ids::store(ENDS.0),
        "to_store_id": ids::store(ENDS.1),
        "lines": [{"product_id": ids::product(PRODUCT), "quantity": QUANTITY}],
        "note": format!("Delivery {number}"),
    });
    let path = "/api/stocks/transfers";
    let drafted = hands.clerk.post::<_, Transfer>(path, Some(&key), &body);
    let drafted = match drafted.await {
        Ok(drafted) => drafted,
        // Another version of the product had other figures; its transfer stays as it is.
        Err(ClientError::Refused(refusal)) if refusal.status == 422 => return Ok(Made::FOUND),
        Err(error) => return Err(error.into()),
    };
    let id = drafted.body.id;
    for (place, step) in steps.iter().enumerate() {
        let (api, body) = hands.at(step);
        let (path, key) = (format!("{path}/{id}/{step}"), format!("{key}:{place}"));
        match api.post::<_, IgnoredAny>(&path, Some(&key), &body).await {
            Ok(_) => {}
            // Someone who tries the product was faster, or has taken another way.
            Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(if drafted.replayed {
        Made::FOUND
    } else {
        Made::MADE
    })
}

impl Hands<'_> {
    fn at(&self, step: &str) -> (&Api, Value) {
        let half = json!({"product_id": ids::product(PRODUCT), "received": QUANTITY / 2});
        match step {
            "request" => (&self.clerk, json!({})),
            "receive" => (&self.clerk, json!({"lines": [half]})),
            _ => (self.admin, json!({})),
        }
    }
}
