//! The stores of the demo chain and their registers.

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    ensure::{Made, ensure},
    ids,
};
use crate::{
    client::{Api, ClientError, Page},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// A store of the demo chain.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) number: u32,
    code: &'static str,
    name: &'static str,
    kind: &'static str,
    address: &'static str,
    pub(super) timezone: chrono_tz::Tz,
    /// Whose tax rates hold.
    region: &'static str,
    receipt: &'static str,
}

/// Registers of each shop.
pub(super) const REGISTERS: u32 = 2;
/// The warehouse's only register is made last: where it stands, everything else does.
const LAST_REGISTER: (u32, u32) = (6, 1);

/// The stores, shops first.
pub(super) const SHOPS: [Shop; 6] = [
    Shop {
        number: 1,
        code: "PARIS-1",
        name: "Paris Bastille",
        kind: "sales",
        address: "12 rue de la Roquette, 75011 Paris",
        timezone: chrono_tz::Europe::Paris,
        region: "FR",
        receipt: "Merci de votre visite, à bientôt !",
    },
    Shop {
        number: 2,
        code: "LYON-1",
        name: "Lyon Croix-Rousse",
        kind: "sales",
        address: "48 boulevard de la Croix-Rousse, 69004 Lyon",
        timezone: chrono_tz::Europe::Paris,
        region: "FR",
        receipt: "Merci de votre visite, à bientôt !",
    },
    Shop {
        number: 3,
        code: "BRUSSELS-1",
        name: "Brussels Sainte-Catherine",
        kind: "sales",
        address: "7 place Sainte-Catherine, 1000 Brussels",
        timezone: chrono_tz::Europe::Brussels,
        region: "BE",
        receipt: "Merci et à bientôt. Bedankt en tot ziens.",
    },
    Shop {
        number: 4,
        code: "LISBON-1",
        name: "Lisbon Chiado",
        kind: "sales",
        address: "Rua Garrett 61, 1200-203 Lisbon",
        timezone: chrono_tz::Europe::Lisbon,
        region: "PT",
        receipt: "Obrigado pela sua visita.",
    },
    Shop {
        number: 5,
        code: "BERLIN-1",
        name: "Berlin Prenzlauer Berg",
        kind: "sales",
        address: "Kastanienallee 82, 10435 Berlin",
        timezone: chrono_tz::Europe::Berlin,
        region: "DE",
        receipt: "Vielen Dank für Ihren Einkauf.",
    },
    Shop {
        number: 6,
        code: "ORLY-W",
        name: "Orly Warehouse",
        kind: "logistics",
        address: "3 avenue de l'Europe, 94390 Orly",
        timezone: chrono_tz::Europe::Paris,
        region: "FR",
        receipt: "Orly Warehouse",
    },
];

/// Opens the stores, and the registers of the shops.
pub(super) async fn load(api: &Api, progress: &Progress) -> Result<(Made, PhaseTime), Failure> {
    let phase = progress.phase("stores and registers", None);
    let mut all = Made::default();
    let opened: Vec<Made> = stream::iter(&SHOPS)
        .map(|shop| open(api, shop))
        .buffer_unordered(SHOPS.len())
        .try_collect()
        .await?;
    for made in opened {
        all += made;
    }
    phase.add(all.made + all.found);
    Ok((all, phase.finish()))
}

async fn open(api: &Api, shop: &Shop) -> Result<Made, Failure> {
    let mut all = ensure(api, "/api/stores", ids::store(shop.number), &body(shop)).await?;
    if shop.kind == "sales" {
        for number in 1..=REGISTERS {
            all += register(api, shop.number, number, &format!("Till {number}")).await?;
        }
    }
    Ok(all)
}

fn body(shop: &Shop) -> Value {
    json!({
        "id": ids::store(shop.number),
        "code": shop.code,
        "name": shop.name,
        "kind": shop.kind,
        "address": shop.address,
        "settings": {
            "timezone": shop.timezone.name(),
            "day_cutoff": "04:00",
            "currency": "EUR",
            "tax_mode": "included",
            "tax_region": shop.region,
            "negative_stock": "refuse",
            "return_limit": {"amount": 10_000, "currency": "EUR"},
            "receipt_text": shop.receipt,
        },
    })
}

async fn register(api: &Api, store: u32, number: u32, name: &str) -> Result<Made, Failure> {
    let body =
        json!({"id": ids::register(store, number), "code": format!("T{number}"), "name": name});
    let path = format!("/api/stores/{}/registers", ids::store(store));
    match api.post::<_, IgnoredAny>(&path, None, &body).await {
        Ok(_) => Ok(Made::MADE),
        Err(ClientError::Refused(refusal)) if refusal.status == 409 => Ok(Made::FOUND),
        Err(error) => Err(error.into()),
    }
}

/// Says that everything is loaded.
pub(super) async fn complete(api: &Api) -> Result<(), Failure> {
    let (store, number) = LAST_REGISTER;
    register(api, store, number, "Collection desk").await?;
    Ok(())
}

/// Whether everything was loaded.
pub(super) async fn is_complete(api: &Api) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Register {
        id: Uuid,
    }
    let (store, number) = LAST_REGISTER;
    let path = format!("/api/stores/{}/registers?limit=200", ids::store(store));
    let registers: Page<Register> = api.get(&path).await?;
    Ok(registers
        .items
        .iter()
        .any(|register| register.id == ids::register(store, number)))
}
