//! Records the sales of the demo chain.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    PASSWORD,
    ensure::Made,
    ids,
    plan::{Plan, PlannedLine, PlannedSale},
    users::email,
};
use crate::{
    client::{Api, ClientError},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Requests at once.
const CONCURRENCY: usize = 16;

/// Ids of the recorded sales by their numbers.
pub(super) type Recorded = HashMap<u32, Uuid>;

#[derive(Deserialize)]
struct SaleView {
    id: Uuid,
}

/// Who stands at the tills: the first two shops have cashiers of their own, the admin helps out
/// in the others.
struct Cashiers {
    first: Api,
    second: Api,
    others: Api,
}

impl Cashiers {
    async fn sign_in(admin: &Api) -> Result<Self, Failure> {
        Ok(Self {
            first: admin.as_user(&email("cashier"), PASSWORD).await?,
            second: admin.as_user(&email("cashier2"), PASSWORD).await?,
            others: admin.clone(),
        })
    }

    fn of(&self, shop: u32) -> &Api {
        match shop {
            1 => &self.first,
            2 => &self.second,
            _ => &self.others,
        }
    }
}

/// Records what is not there yet.
pub(super) async fn load(
    api: &Api,
    plan: &Plan,
    progress: &Progress,
) -> Result<(Made, Recorded, PhaseTime), Failure> {
    let phase = progress.phase("sales", Some(plan.sales.len()));
    let cashiers = Cashiers::sign_in(api).await?;
    let answers: Vec<(u32, Made, Option<Uuid>)> = stream::iter(&plan.sales)
        .map(|sale| record(cashiers.of(sale.shop), sale))
        .buffer_unordered(CONCURRENCY)
        .inspect_ok(|_| phase.add(1))
        .try_collect()
        .await?;
    let mut all = Made::default();
    let mut recorded = Recorded::new();
    for (number, made, id) in answers {
        all += made;
        recorded.extend(id.map(|id| (number, id)));
    }
    Ok((all, recorded, phase.finish()))
}

async fn record(api: &Api, sale: &PlannedSale) -> Result<(u32, Made, Option<Uuid>), Failure> {
    let key = format!("demo:sale:{}", sale.number);
    match api
        .post::<_, SaleView>("/api/sales", Some(&key), &body(sale))
        .await
    {
        Ok(answer) => {
            let made = if answer.replayed {
                Made::FOUND
            } else {
                Made::MADE
            };
            Ok((sale.number, made, Some(answer.body.id)))
        }
        // Loaded on another day, so at another time: it stays as it is.
        Err(ClientError::Refused(refusal)) if refusal.status == 422 => {
            Ok((sale.number, Made::FOUND, None))
        }
        Err(error) => Err(error.into()),
    }
}

fn body(sale: &PlannedSale) -> Value {
    let euros = |cents: i64| json!({"amount": cents, "currency": "EUR"});
    let line = |line: &PlannedLine| {
        let mut body = json!({"product_id": ids::product(line.product), "quantity": line.quantity});
        if let (true, Some(body)) = (line.discount > 0, body.as_object_mut()) {
            body.insert("discount".into(), json!({"amount": euros(line.discount)}));
        }
        body
    };
    let payment =
        |(tender, cents): &(&str, i64)| json!({"tender": tender, "amount": euros(*cents)});
    let mut body = json!({
        "store_id": ids::store(sale.shop),
        "register_id": ids::register(sale.shop, sale.till),
        "occurred_at": sale.occurred_at,
        "lines": sale.lines.iter().map(line).collect::<Vec<_>>(),
        "payments": sale.payments.iter().map(payment).collect::<Vec<_>>(),
    });
    if let (true, Some(body)) = (sale.discount > 0, body.as_object_mut()) {
        body.insert("discount".into(), json!({"amount": euros(sale.discount)}));
    }
    body
}
