//! Every scenario runs against a real PostgreSQL, in one process and as real services.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::too_many_lines,
    missing_docs,
    unreachable_pub,
    reason = "tests stop at the first surprise"
)]

mod access;
mod alone;
mod app;
mod architecture;
mod audit;
mod bad_input;
mod books;
mod canary;
mod cli;
mod collector;
mod cost;
mod count_books;
mod count_races;
mod count_requests;
mod counts;
mod crash;
mod day;
mod day_close;
mod discrepancies;
mod discrepancy_requests;
mod docs;
mod exchange_crash;
mod exchanges;
mod extraction;
mod feeds;
mod front;
mod health;
mod image;
mod import;
mod invariants;
mod jetstream;
mod logs;
mod metrics;
mod migrations;
mod migrations_online;
mod model;
mod nats;
mod offline;
mod openapi;
mod ordering;
mod outages;
mod parked;
mod price_requests;
mod prices;
mod promotions;
mod quotes;
mod receipts;
mod relay;
mod relocate;
mod relocate_kill;
mod replenishment;
mod replenishment_requests;
mod replicas;
mod reply;
mod reports;
mod requests;
mod return_requests;
mod returns;
mod returns_elsewhere;
mod sales;
mod security;
mod services;
mod shift_books;
mod shift_races;
mod shift_requests;
mod shifts;
mod statements;
mod stock_reports;
mod stocks;
mod store_ports;
mod suggestions;
mod taxes;
mod tills;
mod topology;
mod traces;
mod transfer_books;
mod transfer_races;
mod transfer_requests;
mod transfers;
mod unreceipted;
