//! Local or remote, per module. Every `cfg` of the workspace is in this file, or in
//! [`operators`].
//!
//! Ports come first, because a port needs only its own module's database; then modules, which
//! need each other's ports. So the modules can call one another in a circle.

mod operators;

use std::{cfg_select, sync::Arc};

use auth_api::{Sessions, SessionsClient};
use diesel_migrations::EmbeddedMigrations;
use inventory_api::{Catalog, CatalogClient};
#[cfg(any(feature = "store", feature = "inventory", feature = "sales"))]
use kernel::{call::Local, metrics::Metrics};
use kernel::{db::Db, peer::Peer, relay::Subscriber};
use sales_api::{Demand, DemandClient, SaleOutcomes, SaleOutcomesClient};
use store_api::{
    Levels, LevelsClient, Stock, StockClient, Stores, StoresClient, Transfers, TransfersClient,
};

use crate::{
    operator::{AuditTrail, Failure},
    process::{Module, Plan, Process, WireError},
};

/// The consumers of events, as they are called on the wire: store hears sales, sales hears store and
/// the catalogue, inventory hears store.
const STORE_EVENTS: &str = "store_events";
const SALES_EVENTS: &str = "sales_events";
const INVENTORY_EVENTS: &str = "inventory_events";

/// What every module may ask of the others.
#[cfg_attr(
    not(all(feature = "store", feature = "inventory", feature = "sales")),
    expect(
        dead_code,
        reason = "nobody here asks for what only a missing module needs"
    )
)]
struct Ports {
    sessions: Arc<dyn Sessions>,
    stock: Arc<dyn Stock>,
    stores: Arc<dyn Stores>,
    levels: Arc<dyn Levels>,
    transfers: Arc<dyn Transfers>,
    store_events: Arc<dyn Subscriber>,
    catalog: Arc<dyn Catalog>,
    inventory_events: Arc<dyn Subscriber>,
    outcomes: Arc<dyn SaleOutcomes>,
    demand: Arc<dyn Demand>,
}

/// The migrations of a module; `None` where it is not in this binary.
pub fn migrations(module: Module) -> Option<EmbeddedMigrations> {
    match module {
        Module::Auth => {
            cfg_select! { feature = "auth" => { Some(auth::MIGRATIONS) } _ => { None } }
        }
        Module::Store => {
            cfg_select! { feature = "store" => { Some(store::MIGRATIONS) } _ => { None } }
        }
        Module::Inventory => {
            cfg_select! { feature = "inventory" => { Some(inventory::MIGRATIONS) } _ => { None } }
        }
        Module::Sales => {
            cfg_select! { feature = "sales" => { Some(sales::MIGRATIONS) } _ => { None } }
        }
    }
}

/// Builds every module that runs here, and a client for every one that does not.
///
/// # Errors
///
/// When a database or a peer is missing from the plan, or a module refuses its settings.
pub fn wire(plan: &Plan) -> Result<Process, WireError> {
    let mut process = Process::new();
    let sessions = auth(plan, &mut process)?;
    let (stock, stores, levels, transfers, store_events) = store_ports(plan, &mut process)?;
    let (catalog, inventory_events) = inventory_ports(plan, &mut process)?;
    let (outcomes, demand) = sales_ports(plan, &mut process)?;
    let ports = Ports {
        sessions,
        stock,
        stores,
        levels,
        transfers,
        store_events,
        catalog,
        inventory_events,
        outcomes,
        demand,
    };
    let sales_events = sales(plan, &mut process, &ports)?;
    store(plan, &mut process, &ports, sales_events.clone())?;
    inventory(plan, &mut process, &ports, sales_events)?;
    let refresh = auth_api::keep_current(process.verifier.clone(), ports.sessions.clone());
    process.workers_mut().push(refresh);
    process.sessions = Some(ports.sessions);
    Ok(process)
}

/// A consumer of this process, with its deliveries counted as those of a remote one are.
#[cfg(any(feature = "store", feature = "inventory", feature = "sales"))]
fn counted(
    name: &'static str,
    consumer: Arc<dyn Subscriber>,
    metrics: &Metrics,
) -> Arc<dyn Subscriber> {
    Arc::new(Local::new(name, consumer, metrics))
}

/// The pool of a local module, shared by its ports and its routes.
fn pool(plan: &Plan, process: &mut Process, module: Module) -> Result<Db, WireError> {
    if let Some((_, db)) = process.databases.iter().find(|(m, _)| *m == module) {
        return Ok(db.clone());
    }
    let db = plan.db(module, &process.metrics)?;
    process.databases.push((module, db.clone()));
    let trail = AuditTrail {
        module,
        db: db.clone(),
    };
    process.operator.checks.push(Arc::new(trail));
    Ok(db)
}

/// The way to a module that runs elsewhere, shared by its ports: one set of connections and one
/// circuit breaker.
fn peer(plan: &Plan, process: &mut Process, module: Module) -> Result<Peer, WireError> {
    if let Some((_, peer)) = process.peers.iter().find(|(m, _)| *m == module) {
        return Ok(peer.clone());
    }
    let peer = plan.peer(module, &process.metrics)?;
    process.peers.push((module, peer.clone()));
    Ok(peer)
}

fn auth(plan: &Plan, process: &mut Process) -> Result<Arc<dyn Sessions>, WireError> {
    cfg_select! {
        feature = "auth" => if plan.runs(Module::Auth) {
            let setup = &plan.auth;
            let key = |(kid, pem): &(String, _)| auth::SigningKey { kid: kid.clone(), private_pem: Clone::clone(pem) };
            let options = auth::AuthOptions {
                signing_keys: setup.signing_keys.iter().map(key).collect(),
                pepper: setup.pepper.clone(),
                bcrypt_cost: setup.bcrypt_cost,
                allow_weak_bcrypt: setup.allow_weak_bcrypt,
                access_ttl: setup.access_ttl,
                refresh_idle: setup.refresh_idle,
                refresh_absolute: setup.refresh_absolute,
            };
            let module = auth::Auth::new(pool(plan, process, Module::Auth)?, options)
                .map_err(|e| WireError::Setup(Module::Auth, e.to_string()))?;
            let sessions = module.sessions();
            let (mounted, served) = (module.clone(), sessions.clone());
            process.public.push((Module::Auth, Arc::new(move |cfg| mounted.mount(cfg))));
            process.internal.push((Module::Auth, Arc::new(move || auth_api::serve(served.clone()))));
            process.workers_mut().extend(module.workers(Vec::new()));
            process.operator.accounts = Some(Arc::new(module));
            return Ok(auth_api::local(sessions, &process.metrics));
        },
        _ => {}
    }
    Ok(Arc::new(SessionsClient::new(peer(
        plan,
        process,
        Module::Auth,
    )?)))
}

type StorePorts = (
    Arc<dyn Stock>,
    Arc<dyn Stores>,
    Arc<dyn Levels>,
    Arc<dyn Transfers>,
    Arc<dyn Subscriber>,
);
type InventoryPorts = (Arc<dyn Catalog>, Arc<dyn Subscriber>);
type SalesPorts = (Arc<dyn SaleOutcomes>, Arc<dyn Demand>);

fn store_ports(plan: &Plan, process: &mut Process) -> Result<StorePorts, WireError> {
    cfg_select! {
        feature = "store" => if plan.runs(Module::Store) {
            let db = pool(plan, process, Module::Store)?;
            // A hold taken through the network always commits durably; one taken by the sales
            // module of this process may leave the flush to the sale that follows it.
            let durable = store::Ports::new(db.clone(), store::HoldCommit::Durable)?;
            let local = if plan.one_wal && plan.runs(Module::Sales) {
                store::Ports::new(db, store::HoldCommit::Deferred)?
            } else {
                durable.clone()
            };
            let served = durable.clone();
            process.internal.push((Module::Store, Arc::new(move || store_api::serve_stock(served.clone()))));
            let served = durable.clone();
            process.internal.push((Module::Store, Arc::new(move || store_api::serve_stores(served.clone()))));
            let served = durable.clone();
            process.internal.push((Module::Store, Arc::new(move || store_api::serve_levels(served.clone()))));
            let served = durable.clone();
            process.internal.push((Module::Store, Arc::new(move || store_api::serve_transfers(served.clone()))));
            let served = durable.clone();
            process.internal.push((Module::Store, Arc::new(move || kernel::relay::serve(STORE_EVENTS, served.clone()))));
            let consumer: Arc<dyn Subscriber> = durable;
            plan.events.listen(Module::Store, STORE_EVENTS, &consumer, process);
            let metrics = &process.metrics;
            return Ok((
                store_api::local_stock(local.clone(), metrics),
                store_api::local_stores(local.clone(), metrics),
                store_api::local_levels(local.clone(), metrics),
                store_api::local_transfers(local, metrics),
                counted(STORE_EVENTS, consumer, metrics),
            ));
        },
        _ => {}
    }
    let peer = peer(plan, process, Module::Store)?;
    Ok((
        Arc::new(StockClient::new(peer.clone())),
        Arc::new(StoresClient::new(peer.clone())),
        Arc::new(LevelsClient::new(peer.clone())),
        Arc::new(TransfersClient::new(peer.clone())),
        plan.events.to(STORE_EVENTS, peer, &process.metrics),
    ))
}

fn inventory_ports(plan: &Plan, process: &mut Process) -> Result<InventoryPorts, WireError> {
    cfg_select! {
        feature = "inventory" => if plan.runs(Module::Inventory) {
            let ports = inventory::Ports::new(pool(plan, process, Module::Inventory)?);
            let served = ports.clone();
            process.internal.push((Module::Inventory, Arc::new(move || inventory_api::serve(served.clone()))));
            let served = ports.clone();
            process.internal.push((Module::Inventory, Arc::new(move || kernel::relay::serve(INVENTORY_EVENTS, served.clone()))));
            let consumer: Arc<dyn Subscriber> = ports.clone();
            plan.events.listen(Module::Inventory, INVENTORY_EVENTS, &consumer, process);
            return Ok((
                inventory_api::local(ports, &process.metrics),
                counted(INVENTORY_EVENTS, consumer, &process.metrics),
            ));
        },
        _ => {}
    }
    let peer = peer(plan, process, Module::Inventory)?;
    Ok((
        Arc::new(CatalogClient::new(peer.clone())),
        plan.events.to(INVENTORY_EVENTS, peer, &process.metrics),
    ))
}

fn sales_ports(plan: &Plan, process: &mut Process) -> Result<SalesPorts, WireError> {
    cfg_select! {
        feature = "sales" => if plan.runs(Module::Sales) {
            let ports = sales::Ports::new(pool(plan, process, Module::Sales)?);
            let served = ports.clone();
            process.internal.push((Module::Sales, Arc::new(move || sales_api::serve(served.clone()))));
            let served = ports.clone();
            process.internal.push((Module::Sales, Arc::new(move || sales_api::serve_demand(served.clone()))));
            return Ok((
                sales_api::local(ports.clone(), &process.metrics),
                sales_api::local_demand(ports, &process.metrics),
            ));
        },
        _ => {}
    }
    let peer = peer(plan, process, Module::Sales)?;
    Ok((
        Arc::new(SaleOutcomesClient::new(peer.clone())),
        Arc::new(DemandClient::new(peer)),
    ))
}

fn store(
    plan: &Plan,
    process: &mut Process,
    ports: &Ports,
    sales_events: Arc<dyn Subscriber>,
) -> Result<(), WireError> {
    cfg_select! {
        feature = "store" => if plan.runs(Module::Store) {
            let options = store::StoreOptions {
                hold_ttl: plan.store.hold_ttl,
                sweep_every: plan.store.sweep_every,
            };
            let module = store::Store::new(pool(plan, process, Module::Store)?, ports.catalog.clone(), options);
            let mounted = module.clone();
            process.public.push((Module::Store, Arc::new(move |cfg| mounted.mount(cfg))));
            process.workers_mut().extend(module.workers(ports.outcomes.clone(), vec![sales_events, ports.inventory_events.clone()]));
            process.operator.checks.push(Arc::new(module));
        },
        _ => { let _ = (plan, process, ports, sales_events); }
    }
    Ok(())
}

/// Answers the consumer of the catalogue's events.
fn sales(
    plan: &Plan,
    process: &mut Process,
    ports: &Ports,
) -> Result<Arc<dyn Subscriber>, WireError> {
    cfg_select! {
        feature = "sales" => if plan.runs(Module::Sales) {
            let needs = sales::Needs {
                stock: ports.stock.clone(),
                stores: ports.stores.clone(),
                levels: ports.levels.clone(),
                catalog: ports.catalog.clone(),
            };
            let module = sales::Sales::new(pool(plan, process, Module::Sales)?, needs)?;
            let (mounted, consumer) = (module.clone(), module.subscriber());
            let served = consumer.clone();
            process.public.push((Module::Sales, Arc::new(move |cfg| mounted.mount(cfg))));
            process.internal.push((Module::Sales, Arc::new(move || kernel::relay::serve(SALES_EVENTS, served.clone()))));
            process.workers_mut().extend(module.workers(vec![ports.store_events.clone()]));
            plan.events.listen(Module::Sales, SALES_EVENTS, &consumer, process);
            process.operator.checks.push(Arc::new(module));
            return Ok(counted(SALES_EVENTS, consumer, &process.metrics));
        },
        _ => { let _ = ports; }
    }
    let peer = peer(plan, process, Module::Sales)?;
    Ok(plan.events.to(SALES_EVENTS, peer, &process.metrics))
}

fn inventory(
    plan: &Plan,
    process: &mut Process,
    ports: &Ports,
    sales_events: Arc<dyn Subscriber>,
) -> Result<(), WireError> {
    cfg_select! {
        feature = "inventory" => if plan.runs(Module::Inventory) {
            let db = pool(plan, process, Module::Inventory)?;
            let needs = inventory::Needs {
                levels: ports.levels.clone(),
                stores: ports.stores.clone(),
                transfers: ports.transfers.clone(),
                demand: ports.demand.clone(),
            };
            let module = inventory::Inventory::new(db, needs);
            let mounted = module.clone();
            process.public.push((Module::Inventory, Arc::new(move |cfg| mounted.mount(cfg))));
            process.workers_mut().extend(module.workers(vec![sales_events]));
            process.operator.checks.push(Arc::new(module));
        },
        _ => { let _ = (plan, process, ports, sales_events); }
    }
    Ok(())
}

/// A fresh key for access tokens, where auth is in this binary.
///
/// # Errors
///
/// When the system has no randomness, or auth is not in this binary.
pub fn new_signing_key() -> Result<String, Failure> {
    cfg_select! {
        feature = "auth" => { Ok(auth::generate_signing_key()?) }
        _ => { Err("this binary has no auth module".into()) }
    }
}
