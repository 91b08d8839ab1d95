//! The public HTTP surface of sales, one file per resource.

mod audit;
mod batch;
mod day_close;
mod events;
mod exchanges;
mod health;
mod parked;
mod quote;
mod receipts;
mod report_file;
mod reports;
mod returns;
mod sales;
mod shift_steps;
mod shifts;
mod void;

use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use kernel::{
    auth::{Can, Permission},
    idempotency::IdempotencyKey,
    ids::StoreId,
};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    permissions::{PriceOverride, SaleSupervise},
    service::Powers,
};

/// Literal paths stand before `{id}`, which would swallow them.
pub(crate) fn mount(cfg: &mut ServiceConfig<'_>) {
    cfg.service(audit::list_sales_audit)
        .service(events::read_sales_events)
        .service(health::get_sales_health)
        .service(reports::get_revenue_report)
        .service(reports::get_tax_report)
        .service(reports::get_top_products)
        .service(reports::get_margin_report)
        .service(reports::list_exceptions)
        .service(day_close::get_day_close)
        .service(shifts::open_shift)
        .service(shifts::list_shifts)
        .service(shifts::get_shift)
        .service(shifts::list_cash_movements)
        .service(shifts::get_x_report)
        .service(shifts::get_z_report)
        .service(shift_steps::move_cash)
        .service(shift_steps::close_shift)
        .service(batch::create_sales_batch)
        .service(exchanges::create_exchange)
        .service(parked::park_sale)
        .service(parked::list_parked_sales)
        .service(parked::get_parked_sale)
        .service(parked::resume_parked_sale)
        .service(parked::discard_parked_sale)
        .service(quote::quote_sale)
        .service(sales::create_sale)
        .service(sales::list_sales)
        .service(sales::get_sale)
        .service(receipts::get_sale_receipt)
        .service(void::void_sale)
        .service(returns::list_return_reasons)
        .service(returns::look_up_receipt)
        .service(returns::create_return)
        .service(returns::create_return_without_receipt)
        .service(returns::list_returns)
        .service(returns::get_return)
        .service(receipts::get_return_receipt);
}

/// What the caller may do at `store` beyond recording.
fn powers<P: Permission>(can: &Can<P>, store: StoreId) -> Powers {
    Powers {
        override_price: can.also::<PriceOverride>(store),
        supervise: can.also::<SaleSupervise>(store),
    }
}

/// 201 with `Location`, the same at every repeat.
fn created<T: Serialize>(
    key: &IdempotencyKey,
    replayed: bool,
    location: String,
    body: &T,
) -> HttpResponse {
    let mut answer: HttpResponseBuilder = HttpResponse::Created();
    key.answer(&mut answer, replayed);
    answer.insert_header((header::LOCATION, location));
    answer.json(body)
}
