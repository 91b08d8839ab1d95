//! A small chain to try the product on: five shops and a warehouse, 200 products, users of every
//! role, four weeks of sales, some returns, goods on their way from the warehouse, two counts, what
//! the shops want to have, and a register's shifts.
//!
//! Ids, codes and contents are always the same, so that the examples in the documentation work;
//! only the dates follow the day it is loaded on. Loading it again changes nothing.

mod catalogue;
mod chain;
mod counts;
mod ensure;
mod ids;
mod offers;
mod plan;
mod random;
mod replenishment;
mod returns;
mod sales;
mod shifts;
mod stock;
mod taxes;
mod transfers;
mod users;

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    client::{Api, ClientError, Page},
    operator::Failure,
    progress::{PhaseTime, Progress},
};

pub use ensure::Made;

/// The password of every demo user.
pub const PASSWORD: &str = "shelf-candle-42-river";

/// What was loaded.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Stores and registers.
    pub chain: Made,
    /// Tax classes and rates.
    pub taxes: Made,
    /// Categories and products.
    pub catalogue: Made,
    /// Users besides the admin.
    pub users: Made,
    /// Levels with opening stock, by request.
    pub stock: Made,
    /// Sales.
    pub sales: Made,
    /// Returns.
    pub returns: Made,
    /// Transfers.
    pub transfers: Made,
    /// Reorder rules, by request, and replenishment requests.
    pub replenishment: Made,
    /// Counts.
    pub counts: Made,
    /// Prices and promotions.
    pub offers: Made,
    /// Shifts.
    pub shifts: Made,
    /// What each part took.
    pub phases: Vec<PhaseTime>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            chain,
            taxes,
            catalogue,
            users,
            stock,
            sales,
            returns,
            transfers,
            replenishment,
            counts,
            offers,
            shifts,
            phases: _,
        } = self;
        let parts = [
            ("stores and registers", chain),
            ("tax classes and rates", taxes),
            ("categories and products", catalogue),
            ("users", users),
            ("requests for opening stock", stock),
            ("sales", sales),
            ("returns", returns),
            ("transfers", transfers),
            ("requests for rules and goods", replenishment),
            ("counts", counts),
            ("prices and promotions", offers),
            ("shifts", shifts),
        ];
        for (name, Made { made, found }) in parts {
            writeln!(f, "{name}: {made} made, {found} there before")?;
        }
        Ok(())
    }
}

/// Whether the demo chain should be loaded: nothing is there at all, or a load of it was cut short.
///
/// # Errors
///
/// When the API refuses or gives no answer.
pub async fn is_wanted(api: &Api) -> Result<bool, Failure> {
    #[derive(Deserialize)]
    struct Any {}
    let stores: Page<Any> = api.get("/api/stores?status=all&limit=1").await?;
    if stores.items.is_empty() {
        return Ok(true);
    }
    match api
        .get::<Any>(&format!("/api/stores/{}", ids::store(1)))
        .await
    {
        Ok(Any {}) => Ok(!chain::is_complete(api).await?),
        Err(ClientError::Refused(refusal)) if refusal.status == 404 => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Loads the demo chain, as an admin of every store; its sales end on the day before `today`.
///
/// # Errors
///
/// When the API refuses what the chain needs: for example a code that another store has.
pub async fn load(api: &Api, today: NaiveDate, progress: &Progress) -> Result<Summary, Failure> {
    let mut phases = Vec::new();
    let products = catalogue::products()?;
    let plan = plan::Plan::new(&products, today);

    let (chain, time) = chain::load(api, progress).await?;
    phases.push(time);
    let (taxes, time) = taxes::load(api, progress).await?;
    phases.push(time);
    // Hashing passwords takes its time, and nothing but the sales needs them.
    let (goods, people) = futures::try_join!(
        async {
            let catalogue = catalogue::load(api, &products, progress).await?;
            Ok::<_, Failure>((catalogue, stock::load(api, &plan, progress).await?))
        },
        users::load(api, progress),
    )?;
    let (((catalogue, catalogue_time), (stock, stock_time)), (users, users_time)) = (goods, people);
    phases.extend([catalogue_time, stock_time, users_time]);
    let (sales, recorded, time) = sales::load(api, &plan, progress).await?;
    phases.push(time);
    let (returns, time) = returns::load(api, &plan, &recorded, progress).await?;
    phases.push(time);
    let (transfers, time) = transfers::load(api, progress).await?;
    phases.push(time);
    let (replenishment, time) = replenishment::load(api, &products, progress).await?;
    phases.push(time);
    let (counts, time) = counts::load(api, progress).await?;
    phases.push(time);
    let (offers, time) = offers::load(api, progress).await?;
    phases.push(time);
    let (shifts, time) = shifts::load(api, progress).await?;
    phases.push(time);
    chain::complete(api).await?;
    Ok(Summary {
        chain,
        taxes,
        catalogue,
        users,
        stock,
        sales,
        returns,
        transfers,
        replenishment,
        counts,
        offers,
        shifts,
        phases,
    })
}
