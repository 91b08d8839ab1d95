//! The tax classes of the demo chain, and their rates in the countries of its shops.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::ensure::Made;
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

const CLASSES: [(&str, &str); 2] = [
    ("standard", "Standard rate"),
    ("reduced", "Food, drinks without alcohol, books"),
];
/// Region, and the rates of the classes above in basis points.
const RATES: [(&str, [i64; 2]); 4] = [
    ("FR", [2000, 550]),
    ("BE", [2100, 600]),
    ("PT", [2300, 600]),
    ("DE", [1900, 700]),
];
/// Before the first sale of the demo chain.
const SINCE: &str = "2020-01-01T00:00:00Z";

/// The class of products that are sold at this rate in France.
pub(super) fn class_of(tax_rate: i64) -> &'static str {
    if tax_rate == 550 {
        "reduced"
    } else {
        "standard"
    }
}

/// Makes what is not there yet, before the products, which name their classes.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("taxes", None);
    let mut all = Made::default();
    for (code, name) in CLASSES {
        let body = json!({"code": code, "name": name});
        all += send(api, "/api/inventory/taxes/classes", code, &body).await?;
    }
    for (region, rates) in RATES {
        for ((class, _), rate) in CLASSES.iter().zip(rates) {
            let body =
                json!({"region": region, "tax_class": class, "rate": rate, "valid_from": SINCE});
            let name = format!("{region}:{class}");
            all += send(api, "/api/inventory/taxes", &name, &body).await?;
        }
    }
    phase.add(all.made + all.found);
    Ok((all, phase.finish()))
}

async fn send(api: &Api, path: &str, name: &str, body: &Value) -> Result<Made, Failure> {
    let key = format!("demo:tax:{name}");
    match api.post::<_, IgnoredAny>(path, Some(&key), body).await {
        Ok(answer) if answer.replayed => Ok(Made::FOUND),
        Ok(_) => Ok(Made::MADE),
        // Another admin made it, or it is another one by now: it stays as it is.
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => {
            Ok(Made::FOUND)
        }
        Err(error) => Err(error.into()),
    }
}
