//! The public HTTP surface of the module, one file per resource.

mod adjustments;
mod audit;
mod count_steps;
mod counts;
mod discrepancies;
mod events;
mod health;
mod holds;
mod integrity;
mod levels;
mod movements;
mod registers;
mod settings;
mod stores;
mod transfer_steps;
mod transfers;

use kernel::{
    auth::{Can, Permission, Scope},
    ids::StoreId,
    problem::Problem,
};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn mount(cfg: &mut ServiceConfig<'_>) {
    // Literal paths before those with an id, which would take them.
    cfg.service(audit::list_store_audit)
        .service(events::read_store_events)
        .service(health::get_store_health)
        .service(stores::list_stores)
        .service(stores::create_store)
        .service(settings::get_store_settings)
        .service(settings::update_store_settings)
        .service(registers::list_registers)
        .service(registers::create_register)
        .service(registers::get_register)
        .service(registers::archive_register)
        .service(stores::archive_store)
        .service(stores::restore_store)
        .service(stores::get_store)
        .service(stores::update_store)
        .service(levels::list_stock_levels)
        .service(levels::list_low_stock)
        .service(levels::list_stock_as_of)
        .service(adjustments::create_adjustment)
        .service(movements::list_movements)
        .service(holds::list_holds)
        .service(counts::list_counts)
        .service(counts::open_count)
        .service(counts::list_count_lines)
        .service(counts::list_count_entries)
        .service(count_steps::enter_count_lines)
        .service(count_steps::recount_lines)
        .service(count_steps::post_count)
        .service(count_steps::cancel_count)
        .service(counts::get_count)
        .service(discrepancies::list_discrepancies)
        .service(discrepancies::resolve_discrepancy)
        .service(discrepancies::get_discrepancy)
        .service(integrity::check_integrity)
        .service(transfers::list_transfers)
        .service(transfers::create_transfer)
        .service(transfers::list_transfer_receipts)
        .service(transfer_steps::request_transfer)
        .service(transfer_steps::approve_transfer)
        .service(transfer_steps::reject_transfer)
        .service(transfer_steps::dispatch_transfer)
        .service(transfer_steps::receive_transfer)
        .service(transfer_steps::close_transfer)
        .service(transfer_steps::cancel_transfer)
        .service(transfer_steps::return_transfer)
        .service(transfers::get_transfer)
        .service(transfers::update_transfer)
        .service(levels::get_stock_level);
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
