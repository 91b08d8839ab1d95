//! What every module needs and no module owns: errors, database access, the auth guard, ports
//! over HTTP, idempotency, events, paging and money. No domain word lives here.

// The newtype macros name this crate as `kernel`, here too.
extern crate self as kernel;

pub mod address;
pub mod answers;
pub mod audit;
pub mod auth;
pub mod batch;
pub mod call;
pub mod context;
pub mod db;
pub mod extract;
pub mod feed;
pub mod fence;
pub mod figures;
pub mod frame;
pub mod health;
pub mod idempotency;
pub mod ids;
pub mod inbox;
pub mod metrics;
pub mod migrate;
pub mod money;
pub mod newtype;
pub mod outbox;
pub mod page;
pub mod peer;
pub mod problem;
pub mod relay;
pub mod responses;
pub mod route_table;
pub mod service_token;
pub mod statement;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod token;
pub mod trace;
pub mod worker;

// The `statement!` and newtype macros name these through `$crate`, so that a module that uses
// them needs no dependency of its own on them.
pub use diesel;
pub use serde;
pub use utoipa;
pub use uuid;
