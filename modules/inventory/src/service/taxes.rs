//! Tax classes and their rates: made once, and withdrawn only before they begin.

use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked},
    audit::{self, Entry},
    call::Cx,
    idempotency::IdempotencyKey,
    outbox,
    page::Limit,
    text::{Code, Text},
};
use uuid::Uuid;

use crate::{
    Inventory,
    dto::taxes::{CreateTaxClass, CreateTaxRate, TaxClassView, TaxRateView},
    error::{Error, PricingError},
    events,
    repo::taxes::{self, ClassRow, RateFilter, RateRow},
};

impl Inventory {
    /// One class more than `limit`.
    pub(crate) async fn tax_classes(
        &self,
        after: Option<String>,
        limit: Limit,
    ) -> Result<Vec<ClassRow>, Error> {
        self.db
            .run(move |conn| taxes::classes(conn, after, limit).map_err(Error::from))
            .await
    }

    /// One rate more than the limit.
    pub(crate) async fn tax_rates(&self, filter: RateFilter) -> Result<Vec<RateRow>, Error> {
        self.db
            .run(move |conn| taxes::rates(conn, filter).map_err(Error::from))
            .await
    }

    pub(crate) async fn create_tax_class(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateTaxClass,
    ) -> Result<Answered<TaxClassView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let (cx, id) = (cx.clone(), request.id);
        self.once(&cx.clone(), request, move |conn| {
            let CreateTaxClass { code, name } = body;
            let row = ClassRow {
                id,
                code: Code::into_string(code),
                name: Text::into_string(name),
                created_at: kernel::time::now(),
            };
            taxes::insert_class(conn, &row)?;
            let view = TaxClassView::from(row);
            let entry = Entry::new(&cx, "tax_class.create", id).change(None, Some(&view))?;
            audit::append(conn, &[entry])?;
            Ok(view)
        })
        .await
    }

    pub(crate) async fn create_tax_rate(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateTaxRate,
    ) -> Result<Answered<TaxRateView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let (cx, id) = (cx.clone(), request.id);
        self.once(&cx.clone(), request, move |conn| {
            let CreateTaxRate {
                region,
                tax_class,
                rate,
                valid_from,
            } = body;
            let now = kernel::time::now();
            let row = RateRow {
                id,
                region: region.into_string(),
                tax_class: tax_class.into_string(),
                rate,
                valid_from: valid_from.map_or(now, |at| at.0),
                withdrawn_at: None,
                version: 1,
                created_by: cx.actor,
                created_at: now,
                updated_at: now,
            };
            taxes::insert_rate(conn, &row)?;
            note(conn, &cx, "tax_rate.create", None, &row)?;
            Ok(row.into())
        })
        .await
    }

    /// Withdraws a rate that has not begun.
    pub(crate) async fn withdraw_tax_rate(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
    ) -> Result<Answered<TaxRateView>, Error> {
        let request = Asked::new(key.id_for(cx.actor), &())?;
        let cx = cx.clone();
        self.once(&cx.clone(), request, move |conn| {
            let before = taxes::lock_rate(conn, id)?.ok_or(Error::NotFound("tax rate"))?;
            let now = kernel::time::now();
            if before.withdrawn_at.is_some() || before.valid_from < now {
                return Err(PricingError::TaxRateBegun.into());
            }
            let after = RateRow {
                withdrawn_at: Some(now),
                version: before.version + 1,
                updated_at: now,
                ..before.clone()
            };
            taxes::save_rate(conn, &after)?;
            note(conn, &cx, "tax_rate.withdraw", Some(before), &after)?;
            Ok(after.into())
        })
        .await
    }
}

fn note(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<RateRow>,
    after: &RateRow,
) -> Result<(), Error> {
    let entry = Entry::new(cx, action, after.id);
    let (before, now) = (
        before.map(TaxRateView::from),
        TaxRateView::from(after.clone()),
    );
    audit::append(conn, &[entry.change(before.as_ref(), Some(&now))?])?;
    outbox::publish(conn, &[events::tax_rate_changed(cx, after)?])?;
    Ok(())
}
