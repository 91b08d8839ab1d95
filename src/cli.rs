//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, builder::PossibleValuesParser};
use secrecy::SecretString;
use url::Url;

use crate::{keys::NAMES, process::Module};

/// Stock and sales of a chain of shops.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// Configuration file; without it `comptoir.toml` is read if it is there.
    #[arg(long, global = true, env = "COMPTOIR_CONFIG")]
    pub config: Option<String>,
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the product (the default).
    Serve,
    /// Change or show the database schemas.
    Migrate {
        /// What to do with them.
        #[command(subcommand)]
        action: MigrateAction,
    },
    /// Write the OpenAPI documents, or check that the written ones are current.
    Openapi {
        /// Where they are.
        #[arg(long, default_value = "openapi")]
        dir: PathBuf,
        /// Write nothing; exit with 1 when a document is not current.
        #[arg(long)]
        check: bool,
    },
    /// Load the demo chain, here or into a server elsewhere.
    Demo(Target),
    /// Load a chain's real catalogue and sales, and reconcile them with the database.
    Import {
        /// Folder with stores.csv, products.csv.gz and sales.csv.gz.
        data: PathBuf,
        /// Where to load it.
        #[command(flatten)]
        target: Target,
        /// Only the first so many baskets.
        #[arg(long)]
        limit: Option<usize>,
        /// Requests at once.
        #[arg(long, default_value_t = 16)]
        concurrency: usize,
        /// Write the reconciliation to this file, as JSON.
        #[arg(long)]
        report: Option<PathBuf>,
    },
    /// Manage administrators.
    Admin {
        /// What to do.
        #[command(subcommand)]
        action: AdminAction,
    },
    /// Move a module's data to another database, and close the place it leaves.
    Move {
        /// Whose data: a module of this binary.
        #[arg(value_parser = Module::compiled_named)]
        module: Module,
        /// Where to: `postgres://…`, or `embedded` for the embedded PostgreSQL.
        #[arg(long, env = "COMPTOIR_MOVE_TO", hide_env_values = true)]
        to: SecretString,
    },
    /// Check configuration, database and invariants; exit with 1 when something is wrong.
    Check,
    /// Ask the server that runs here whether it is there; exit with 1 when it is not.
    Health,
    /// Change what a running server logs, until it ends.
    LogFilter {
        /// In the syntax of `log.filter`, for example `info,sales=debug`.
        filter: String,
        /// Its internal listener; the one of these settings if none is named.
        #[arg(long)]
        url: Option<Url>,
    },
    /// Make the secrets that are missing in a folder; those that are there stay as they are.
    Keys {
        /// Where they are kept, one file each, for their owner only.
        folder: PathBuf,
        /// Which of them; all if none is named.
        #[arg(value_parser = PossibleValuesParser::new(NAMES))]
        names: Vec<String>,
    },
}

/// `comptoir migrate …`
#[derive(Debug, Subcommand)]
pub enum MigrateAction {
    /// Run what is pending.
    Up,
    /// Revert the newest migration of every module.
    Down {
        /// Revert all of them: every table is dropped.
        #[arg(long)]
        all: bool,
    },
    /// List the migrations.
    Status,
}

/// `comptoir admin …`
#[derive(Debug, Subcommand)]
pub enum AdminAction {
    /// Make an administrator of every store.
    Create {
        /// Their e-mail address, which they sign in with.
        email: String,
        /// Their name.
        #[arg(long, default_value = "Administrator")]
        name: String,
        /// Their password; without it one is made up and printed.
        #[arg(long, env = "COMPTOIR_ADMIN_PASSWORD", hide_env_values = true)]
        password: Option<String>,
    },
}

/// A server elsewhere; without `--url` the product is started for the purpose.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// Base URL of a running server, for example `http://127.0.0.1:3030`.
    #[arg(long)]
    pub url: Option<Url>,
    /// Who signs in there.
    #[arg(long, default_value = "admin@demo.comptoir.test")]
    pub email: String,
    /// With which password.
    #[arg(
        long,
        env = "COMPTOIR_PASSWORD",
        default_value = "shelf-candle-42-river",
        hide_env_values = true
    )]
    pub password: String,
}
