//! The composition root: the only crate that knows every module.

pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod database;
pub mod demo;
pub mod events;
pub mod import;
mod keys;
pub mod openapi;
pub mod operator;
pub mod plan;
pub mod process;
pub mod progress;
pub mod relocate;
pub mod server;
pub mod wiring;
