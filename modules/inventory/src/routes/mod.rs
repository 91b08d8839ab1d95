//! The public HTTP surface of inventory, one file per resource.

mod audit;
mod categories;
mod events;
mod exports;
mod health;
mod imports;
mod lookup;
mod patch;
mod product_dto;
mod products;
mod stock;

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
        .service(exports::export_products);
}
