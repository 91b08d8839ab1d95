//! Opens every store of the chain that is not there yet.

use std::collections::HashMap;

use chrono::NaiveTime;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    ImportOptions,
    files::{Table, field},
};
use crate::{
    client::Api,
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Ids by code.
pub(super) type Stores = HashMap<String, Uuid>;

/// How many stores were there.
#[derive(Debug, Clone, Serialize)]
pub struct StoresReport {
    /// Opened by this run.
    pub created: usize,
    /// There before it.
    pub found: usize,
}

#[derive(Deserialize)]
struct StoreView {
    id: Uuid,
    code: String,
    settings: SettingsView,
}

#[derive(Deserialize)]
struct SettingsView {
    timezone: String,
    day_cutoff: String,
    currency: String,
}

#[derive(Deserialize)]
struct Created {
    id: Uuid,
}

/// The stores of the file, with those opened that were not there.
pub(super) async fn load(
    api: &Api,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<(Stores, StoresReport, PhaseTime), Failure> {
    let codes = codes(options)?;
    let phase = progress.phase("stores", Some(codes.len()));
    let mut there = HashMap::new();
    api.each("/api/stores?status=all&limit=200", |store: StoreView| {
        there.insert(store.code.clone(), store);
    })
    .await?;
    let mut stores = Stores::new();
    let mut missing = Vec::new();
    for code in codes {
        match there.remove(&code) {
            Some(store) => {
                check(&store, options)?;
                phase.add(1);
                stores.insert(code, store.id);
            }
            None => missing.push(code),
        }
    }
    let found = stores.len();
    let create = |code: String| async {
        let created = create(api, options, &code).await?;
        phase.add(1);
        Ok::<_, Failure>((code, created.id))
    };
    let created: Vec<_> = stream::iter(missing)
        .map(create)
        .buffer_unordered(options.concurrency)
        .try_collect()
        .await?;
    let report = StoresReport {
        created: created.len(),
        found,
    };
    stores.extend(created);
    Ok((stores, report, phase.finish()))
}

fn codes(options: &ImportOptions) -> Result<Vec<String>, Failure> {
    let mut table = Table::open(&options.data, "stores.csv")?;
    let column = table.column("code")?;
    let mut codes = Vec::new();
    for record in table.reader.records() {
        codes.push(field(&record?, column).to_owned());
    }
    codes.sort();
    codes.dedup();
    Ok(codes)
}

async fn create(api: &Api, options: &ImportOptions, code: &str) -> Result<Created, Failure> {
    let body = json!({
        "code": code,
        "name": format!("Store {code}"),
        "kind": "sales",
        "settings": {
            "timezone": options.timezone.name(),
            "day_cutoff": options.day_cutoff.format("%H:%M").to_string(),
            "currency": options.currency,
            "tax_mode": "included",
            "negative_stock": "refuse",
        },
    });
    Ok(api.post("/api/stores", None, &body).await?.body)
}

/// A store that reads the clock otherwise would put sales on other days than the file does.
fn check(store: &StoreView, options: &ImportOptions) -> Result<(), Failure> {
    let StoreView { code, settings, .. } = store;
    let cutoff: Option<NaiveTime> = ["%H:%M", "%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(&settings.day_cutoff, form).ok());
    let agrees = settings.timezone == options.timezone.name()
        && cutoff == Some(options.day_cutoff)
        && settings.currency == options.currency;
    if agrees {
        return Ok(());
    }
    let SettingsView {
        timezone,
        day_cutoff,
        currency,
    } = settings;
    let (zone, turn, money) = (options.timezone, options.day_cutoff, &options.currency);
    Err(format!("store {code} is there already with {timezone}, {day_cutoff}, {currency}, and the import needs {zone}, {turn}, {money}").into())
}
