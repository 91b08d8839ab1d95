//! Promotions: each is made once, ended at most once, and kept as history.

use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked},
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::IdempotencyKey,
    ids::StoreId,
    money::Quantity,
    outbox,
    problem::FieldError,
    text::Text,
};
use uuid::Uuid;

use super::prices::{refused, sells_in};
use crate::{
    Inventory,
    domain::{dated::Dates, promotion::check},
    dto::{
        prices::EndPrice,
        promotions::{CreatePromotion, PromotionDiscount, PromotionView},
    },
    error::Error,
    events,
    repo::promotions::{self, Promotion, PromotionFilter},
};

const WHAT: &str = "promotion";

impl Inventory {
    /// A promotion that may be seen from `scope`.
    pub(crate) async fn promotion(&self, id: Uuid, scope: Scope) -> Result<Promotion, Error> {
        self.db
            .run(move |conn| promotions::find(conn, id, &scope)?.ok_or(Error::NotFound(WHAT)))
            .await
    }

    /// As many promotions as the filter's limit.
    pub(crate) async fn promotions(
        &self,
        filter: PromotionFilter,
    ) -> Result<Vec<Promotion>, Error> {
        self.db
            .run(move |conn| promotions::list(conn, filter).map_err(Error::from))
            .await
    }

    /// Makes a promotion. The caller answers for who may at its stores.
    pub(crate) async fn create_promotion(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreatePromotion,
    ) -> Result<Answered<PromotionView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        if let Some(answered) = self.replayed(&request).await? {
            return Ok(answered);
        }
        let faults = check(&body);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        if let Some(stores) = &body.store_ids {
            self.check_stores(cx, stores, body.discount).await?;
        }
        let (cx, id) = (cx.clone(), request.id);
        self.once(&cx.clone(), request, move |conn| make(conn, &cx, id, body))
            .await
    }

    /// Every store is there and in use, and sells in the currency of an amount.
    async fn check_stores(
        &self,
        cx: &Cx,
        ids: &[StoreId],
        discount: PromotionDiscount,
    ) -> Result<(), Error> {
        let stores = self.stores(cx, ids.iter().copied()).await?;
        for id in ids {
            let store = stores.open(*id)?;
            if let PromotionDiscount::Amount(money) = discount {
                sells_in(store, money, "/discount/amount/currency")?;
            }
        }
        Ok(())
    }

    /// Ends a promotion, or withdraws one that has not begun by then.
    pub(crate) async fn end_promotion(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
        if_match: Option<i64>,
        body: EndPrice,
    ) -> Result<Answered<PromotionView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.once(&cx.clone(), request, move |conn| {
            let before = promotions::lock(conn, id)?.ok_or(Error::NotFound(WHAT))?;
            if if_match.is_some_and(|version| version != before.version) {
                return Err(Error::VersionMismatch(before.version));
            }
            let now = kernel::time::now();
            let at = body.at.map(|at| at.0);
            let after = Promotion {
                dates: before.dates.ended(now, at).map_err(|r| refused(r, WHAT))?,
                version: before.version + 1,
                updated_at: now,
                ..before.clone()
            };
            promotions::save(conn, &after)?;
            note(conn, &cx, "promotion.end", Some(before), &after)?;
            Ok(after.into())
        })
        .await
    }
}

fn make(
    conn: &mut PgConnection,
    cx: &Cx,
    id: Uuid,
    body: CreatePromotion,
) -> Result<PromotionView, Error> {
    let CreatePromotion {
        name,
        discount,
        min_quantity,
        store_ids,
        product_ids,
        category_ids,
        valid_from,
        valid_until,
    } = body;
    let now = kernel::time::now();
    let dates = Dates::new(now, valid_from.map(|at| at.0), valid_until.map(|at| at.0));
    let one = Quantity::new(1).ok_or_else(|| Error::invalid("/min_quantity", "must be given"))?;
    let mut promotion = Promotion {
        id,
        name: Text::into_string(name),
        discount,
        min_quantity: min_quantity.unwrap_or(one),
        stores: store_ids,
        products: product_ids,
        categories: category_ids,
        dates: dates.map_err(|r| refused(r, WHAT))?,
        version: 1,
        created_by: cx.actor,
        created_at: now,
        updated_at: now,
    };
    check_named(conn, &promotion)?;
    // As they are read again.
    promotion
        .stores
        .iter_mut()
        .for_each(|stores| stores.sort_unstable());
    promotion.products.sort_unstable();
    promotion.categories.sort_unstable();
    promotions::insert(conn, &promotion)?;
    note(conn, cx, "promotion.create", None, &promotion)?;
    Ok(promotion.into())
}

/// Every product and category is there.
fn check_named(conn: &mut PgConnection, promotion: &Promotion) -> Result<(), Error> {
    let mut faults = Vec::new();
    let mut unknown = |list: &str, code: &str, places: Vec<i64>| {
        faults.extend(places.into_iter().map(|place| {
            let detail = "there is none of this id";
            FieldError::new(format!("/{list}/{}", place - 1), code, detail)
        }));
    };
    let products = promotions::unknown_products(conn, &promotion.products)?;
    unknown("product_ids", "unknown-product", products);
    let categories = promotions::unknown_categories(conn, &promotion.categories)?;
    unknown("category_ids", "unknown-category", categories);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(faults))
    }
}

/// The trail of a store tells of what holds there alone; the rest is the chain's.
fn note(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<Promotion>,
    after: &Promotion,
) -> Result<(), Error> {
    let mut entry = Entry::new(cx, action, after.id);
    if let Some([store]) = after.stores.as_deref() {
        entry = entry.at(*store);
    }
    let (before, now) = (
        before.map(PromotionView::from),
        PromotionView::from(after.clone()),
    );
    audit::append(conn, &[entry.change(before.as_ref(), Some(&now))?])?;
    outbox::publish(conn, &[events::promotion_changed(cx, after)?])?;
    Ok(())
}
