//! What a sale would cost: the same rules as for recording it, and nothing is written.

use std::{collections::HashMap, time::Duration};

use kernel::{
    auth::Scope,
    call::{Cx, NoAnswer},
    ids::{ProductId, SaleId, StoreId},
    money::{Minor, Money},
};
use store_api::{HoldLine, NegativeStock, StoreProfile};
use tokio::time::{Instant, timeout};

use super::{
    Powers,
    draft::{self, Ingredients, PricedSale},
    goods::refuse_overrides,
    record::Prepared,
    validate, views,
};
use crate::{
    Sales,
    domain::{payment, words::Tender},
    dto::{CashDue, CreateQuote, QuoteLineView, QuoteView},
    error::Error,
};

/// A till would rather have a price without levels than wait longer.
const LEVEL_WAIT: Duration = Duration::from_secs(1);

impl Sales {
    /// Prices what would be sold. The caller answers for who may sell at the store, and for `may`.
    pub(crate) async fn quote(
        &self,
        cx: &Cx,
        body: CreateQuote,
        may: Powers,
    ) -> Result<QuoteView, Error> {
        let body = body.into_sale();
        let keys = validate::sale(&body, kernel::time::now())?;
        if !may.override_price {
            refuse_overrides(&body)?;
        }
        let Prepared {
            store,
            now,
            at,
            offers,
        } = self.prepared(cx, &body, &keys).await?;
        let goods = draft::goods(&body.lines, &offers)?;
        let PricedSale { lines, sums } = draft::priced(&Ingredients {
            id: SaleId::default(),
            request_hash: &[],
            cashier: cx.actor,
            now,
            at,
            body: &body,
            store: &store,
            offers: &offers,
            offline: false,
            credit: None,
        })?;
        let money = |amount| Money {
            amount,
            currency: store.currency,
        };
        let levels = self.levels_in_time(cx, store.id, &goods).await;
        let lines = lines.into_iter().map(|line| {
            let (available, is_enough) = match &levels {
                Some(levels) => availability(&store, &goods, levels, line.product_id),
                None => (None, None),
            };
            QuoteLineView {
                line: views::sale_line(line, store.currency),
                available,
                is_enough,
            }
        });
        Ok(QuoteView {
            store_id: store.id,
            at,
            business_date: store.business_date(at),
            currency: store.currency,
            lines: lines.collect(),
            subtotal: money(sums.subtotal),
            discount: money(sums.discount),
            tax: money(sums.tax),
            total: money(sums.total),
            cash: in_cash(&store, sums.total)?,
        })
    }

    /// What the store has of each product; `None` when that is not to be had in time.
    async fn levels_in_time(
        &self,
        cx: &Cx,
        store: StoreId,
        goods: &[HoldLine],
    ) -> Option<HashMap<ProductId, i64>> {
        let mut cx = cx.clone();
        cx.deadline = cx.deadline.min(Instant::now() + LEVEL_WAIT);
        let products = goods.iter().map(|line| line.product_id).collect();
        let scope = Scope::Only(vec![store]);
        let asked = self.needs.levels.levels(&cx, scope, products);
        let answer = timeout(cx.remaining(), asked)
            .await
            .unwrap_or_else(|_| Err(NoAnswer::new("levels", "levels", "too late")));
        match answer {
            Ok(levels) => {
                let here = levels.into_iter().filter(|level| level.store_id == store);
                Some(
                    here.map(|level| (level.product_id, level.on_hand))
                        .collect(),
                )
            }
            Err(error) => {
                tracing::warn!(%error, "a quote is answered without levels");
                None
            }
        }
    }
}

/// A product without a level was never there.
fn availability(
    store: &StoreProfile,
    goods: &[HoldLine],
    levels: &HashMap<ProductId, i64>,
    product: ProductId,
) -> (Option<i64>, Option<bool>) {
    let available = levels.get(&product).copied().unwrap_or(0);
    let asked = goods.iter().find(|line| line.product_id == product);
    let is_enough = store.negative_stock == NegativeStock::Allow
        || asked.is_none_or(|line| line.quantity.get() <= available);
    (Some(available), Some(is_enough))
}

fn in_cash(store: &StoreProfile, total: Minor) -> Result<CashDue, Error> {
    let money = |amount: i128| {
        let amount = Minor::try_from(amount).map_err(|d| Error::invalid("/lines", d))?;
        Ok::<_, Error>(Money {
            amount,
            currency: store.currency,
        })
    };
    let rounding = payment::rounding(total, &[(Tender::Cash, total)], store.cash_rounding);
    Ok(CashDue {
        rounding: money(rounding)?,
        due: money(i128::from(total.get()) + rounding)?,
    })
}
