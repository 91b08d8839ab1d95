//! One of the two databases of a move: a connection that reads and writes rows as text, alike on
//! both sides.

use std::{error::Error as _, time::Duration};

use kernel::fence::{COMMENT, Mark};
use secrecy::{ExposeSecret, SecretString};
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::{Client, Config, NoTls, config::Host};

use crate::{operator::Failure, process::Module};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The text of a value depends on these; and what waits for a lock gives up. Copying takes as long
/// as it takes: the copier watches that it goes on.
const SESSION: &str = "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; \
    SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lock_timeout = '10s'; \
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/// A connection and what is known of its database.
pub(super) struct Side {
    pub(super) client: Client,
    /// Host, port and database, for people.
    pub(super) place: String,
    /// What no other database has: the server's number, and a name.
    pub(super) database: (i64, String),
    schema: &'static str,
    pump: JoinHandle<()>,
}

impl Side {
    pub(super) async fn connect(url: &SecretString, module: Module) -> Result<Self, Failure> {
        let mut config: Config = url
            .expose_secret()
            .parse()
            .map_err(told("the database's URL"))?;
        config
            .connect_timeout(CONNECT)
            .keepalives_idle(Duration::from_secs(30))
            .application_name(format!("comptoir move {module}"));
        let place = place(&config);
        let (client, connection) = config.connect(NoTls).await.map_err(told(&place))?;
        let pump = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection ended");
            }
        });
        client.batch_execute(SESSION).await.map_err(told(&place))?;
        let row = client
            .query_one(
                "SELECT system_identifier, current_database()::text FROM pg_control_system()",
                &[],
            )
            .await
            .map_err(told(&place))?;
        Ok(Self {
            database: (row.try_get(0)?, row.try_get(1)?),
            schema: module.name(),
            client,
            place,
            pump,
        })
    }

    /// Ends the session, and with it every lock, before anyone goes on.
    pub(super) async fn end(self) {
        drop(self.client);
        // A server that does not even hear this has no session of ours any more.
        let _ = timeout(CONNECT, self.pump).await;
    }

    /// One move at a time; what is left of a killed one is gone in a moment.
    pub(super) async fn take_turn(&self) -> Result<(), Failure> {
        let turn = format!(
            "SELECT pg_advisory_lock(hashtext('comptoir move {}'))",
            self.schema
        );
        self.client.batch_execute(&turn).await.map_err(|error| {
            let said = told(&self.place)(error);
            format!("another move of {} is under way ({said})", self.schema).into()
        })
    }

    pub(super) async fn mark(&self) -> Result<Option<Mark>, Failure> {
        let row = self
            .client
            .query_opt(COMMENT, &[&self.schema])
            .await
            .map_err(told(&self.place))?;
        let comment: Option<String> = row.map(|row| row.try_get(0)).transpose()?.flatten();
        Ok(comment.and_then(|comment| Mark::parse(&comment)))
    }

    pub(super) async fn refuse_company(&self) -> Result<(), Failure> {
        let name = format!("comptoir/{}", self.schema);
        let row = self
            .client
            .query_one(
                "SELECT count(*), string_agg(DISTINCT coalesce(host(client_addr), 'this machine'), ', ') \
                 FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
                &[&name],
            )
            .await
            .map_err(told(&self.place))?;
        let (connections, whence): (i64, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        match whence {
            None => Ok(()),
            Some(whence) => Err(format!(
                "{} still works on {} with {connections} connections from {whence}: stop it, or \
                 start it again with `modules` that leave {0} out",
                self.schema, self.place
            )
            .into()),
        }
    }
}

/// Host, port and database of an address, without user and password.
fn place(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
    let port = if ports.is_empty() {
        "5432".to_owned()
    } else {
        ports.join(",")
    };
    let database = config
        .get_dbname()
        .or(config.get_user())
        .unwrap_or_default();
    format!("{}:{port}/{database}", hosts.join(","))
}

/// Puts an error into words: the driver's own say no more than that there was one.
pub(super) fn told(place: &str) -> impl Fn(tokio_postgres::Error) -> Failure {
    move |error| {
        let said = match error.as_db_error() {
            Some(said) => match said.detail() {
                Some(detail) => format!("{}: {detail}", said.message()),
                None => said.message().to_owned(),
            },
            None => match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            },
        };
        format!("{place}: {said}").into()
    }
}
