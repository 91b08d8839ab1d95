//! The public HTTP surface of inventory, one file per resource.

mod audit;
mod categories;
mod events;
mod exports;
mod health;
mod imports;
mod lookup;
mod patch;
mod prices;
mod product_dto;
mod products;
mod promotions;
mod reorder_rules;
mod replenishment;
mod replenishment_steps;
mod report_file;
mod reports;
mod stock;
mod suggestions;
mod taxes;

use kernel::{
    auth::{Can, Permission, Scope},
    ids::StoreId,
    problem::Problem,
};
use utoipa_actix_web::service_config::ServiceConfig;

/// Registers every route, with its documentation.
pub(crate) fn mount(cfg: &mut ServiceConfig<'_>) {
    cfg.service(audit::list_inventory_audit)
        .service(events::read_inventory_events)
        .service(health::get_inventory_health)
        .service(lookup::look_up_product)
        .service(stock::get_stock)
        .service(products::list_products)
        .service(products::create_product)
        .service(products::get_product)
        .service(products::update_product)
        .service(products::archive_product)
        .service(products::restore_product)
        .service(categories::list_categories)
        .service(categories::create_category)
        .service(categories::get_category)
        .service(categories::update_category)
        .service(categories::delete_category)
        .service(imports::import_products)
        .service(imports::list_imports)
        .service(imports::get_import)
        .service(exports::export_products)
        .service(prices::list_prices)
        .service(prices::create_price)
        .service(prices::get_price)
        .service(prices::end_price)
        .service(promotions::list_promotions)
        .service(promotions::create_promotion)
        .service(promotions::get_promotion)
        .service(promotions::end_promotion)
        .service(taxes::list_tax_classes)
        .service(taxes::create_tax_class)
        .service(taxes::list_tax_rates)
        .service(taxes::create_tax_rate)
        .service(taxes::withdraw_tax_rate)
        .service(reports::get_stock_value_report)
        .service(reports::get_dead_stock_report)
        .service(reorder_rules::list_reorder_rules)
        .service(reorder_rules::put_reorder_rules)
        .service(reorder_rules::get_reorder_rule)
        .service(reorder_rules::put_reorder_rule)
        .service(reorder_rules::delete_reorder_rule)
        .service(suggestions::list_replenishment_suggestions)
        .service(suggestions::accept_replenishment_suggestions)
        .service(replenishment::list_replenishment_requests)
        .service(replenishment::create_replenishment_request)
        .service(replenishment::get_replenishment_request)
        .service(replenishment_steps::submit_replenishment_request)
        .service(replenishment_steps::approve_replenishment_request)
        .service(replenishment_steps::reject_replenishment_request)
        .service(replenishment_steps::cancel_replenishment_request);
}

/// The stores that a list is limited to: the one that was asked for, or all that the caller may
/// see.
fn narrow<P: Permission>(can: &Can<P>, store: Option<StoreId>) -> Result<Scope, Problem> {
    match store {
        Some(store) => {
            can.at(store)?;
            Ok(Scope::Only(vec![store]))
        }
        None => Ok(can.scope()),
    }
}
