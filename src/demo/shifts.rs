//! A register's day in the first shop: one shift that was closed, and one that is open.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{PASSWORD, ensure::Made, ids, users::email};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

const PATH: &str = "/api/sales/shifts";
/// In notes and coins, cents.
const FLOAT: i64 = 15_000;

#[derive(Deserialize)]
struct Shift {
    id: Uuid,
}

/// Makes what is not there yet. The cashier must be there.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("shifts", Some(2));
    let cashier = api.as_user(&email("cashier"), PASSWORD).await?;
    let mut all = Made::default();
    for number in 1..=2 {
        let (shift, made) = open(&cashier, number).await?;
        if let (1, Some(shift)) = (number, shift) {
            close(&cashier, shift).await?;
        }
        all += made;
        phase.add(1);
    }
    Ok((all, phase.finish()))
}

fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

async fn open(cashier: &Api, number: u32) -> Result<(Option<Uuid>, Made), Failure> {
    let key = format!("demo:shift:{number}");
    let body = json!({
        "store_id": ids::store(1),
        "register_id": ids::register(1, 2),
        "opening_float": euros(FLOAT),
    });
    match cashier.post::<_, Shift>(PATH, Some(&key), &body).await {
        Ok(opened) if opened.replayed => Ok((Some(opened.body.id), Made::FOUND)),
        Ok(opened) => Ok((Some(opened.body.id), Made::MADE)),
        // Someone who tries the product was faster.
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => {
            Ok((None, Made::FOUND))
        }
        Err(error) => Err(error.into()),
    }
}

async fn close(cashier: &Api, shift: Uuid) -> Result<(), Failure> {
    let (path, body) = (
        format!("{PATH}/{shift}/close"),
        json!({"total": euros(FLOAT)}),
    );
    let key = Some("demo:shift:1:close");
    match cashier.post::<_, IgnoredAny>(&path, key, &body).await {
        Ok(_) => Ok(()),
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 409 | 422) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
