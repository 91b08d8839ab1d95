//! Every setting, read once: defaults < `comptoir.toml` < `COMPTOIR__…` in the environment.
//!
//! Each setting stands in [`SETTINGS`] with its default and its meaning; the README's table is
//! made from it, and a test holds the two equal. What is wrong is reported all at once, by name.

mod reader;
mod secrets;
mod settings;

use std::{collections::BTreeMap, net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use config::{Config, Environment, File, FileFormat};
use kernel::address::TrustedProxies;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{events::Events, process::Module};

use reader::Reader;
pub use settings::{SETTINGS, Setting};

/// Development is for trying, production for a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Demo data, made-up secrets and an embedded database are fine.
    Development,
    /// They are not.
    Production,
}

/// Everything the process can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Development or production.
    pub mode: Mode,
    /// The modules that run in this process.
    pub modules: Vec<Module>,
    /// The public listener.
    pub http: Http,
    /// The internal listener and the way to peers.
    pub internal: Internal,
    /// How events reach modules that run elsewhere.
    pub events: Events,
    /// Databases.
    pub database: Database,
    /// Where the embedded `PostgreSQL` keeps its data; `None` is the user's own folder.
    pub data_dir: Option<PathBuf>,
    /// The auth module.
    pub auth: Auth,
    /// Age at which a hold is looked into.
    pub hold_ttl: Duration,
    /// How often old holds are looked for.
    pub sweep_every: Duration,
    /// Whether an empty database gets the demo chain.
    pub load_demo: bool,
    /// `tracing` directives.
    pub log_filter: String,
    /// JSON logs.
    pub log_json: bool,
    /// Where spans are sent; `None` where nobody wants them.
    pub traces: Option<Traces>,
}

/// Where spans are sent, and how many.
#[derive(Debug, Clone)]
pub struct Traces {
    /// The collector.
    pub url: Url,
    /// From 0 to 1.
    pub ratio: f64,
}

/// The public listener.
#[derive(Debug, Clone)]
pub struct Http {
    /// Address.
    pub bind: IpAddr,
    /// Port; 0 lets the system choose.
    pub port: u16,
    /// HTTP threads.
    pub workers: usize,
    /// Requests at once.
    pub in_flight: usize,
    /// Longest time for one.
    pub time_limit: Duration,
    /// How long to go on answering after a stop was asked for.
    pub drain: Duration,
    /// Gateways that say where a request comes from.
    pub trusted_proxies: TrustedProxies,
}

/// The internal listener and the way to peers.
#[derive(Debug, Clone)]
pub struct Internal {
    /// Address.
    pub bind: IpAddr,
    /// Port.
    pub port: u16,
    /// What service tokens are made with.
    pub secret: SecretString,
    /// Longest wait for a peer.
    pub timeout: Duration,
    /// Internal listeners of the modules that run elsewhere.
    pub peers: BTreeMap<Module, Url>,
}

/// Databases.
#[derive(Debug, Clone)]
pub struct Database {
    /// For every module without a URL of its own; `None` starts the embedded one.
    pub url: Option<SecretString>,
    /// For one module.
    pub urls: BTreeMap<Module, SecretString>,
    /// Connections per module.
    pub pool_size: NonZeroU32,
    /// Longest wait for one.
    pub wait: Duration,
    /// Whether a server that may forget what was acknowledged is refused.
    pub durable: bool,
    /// For URLs that say none; empty where no file has it.
    password: SecretString,
}

impl Database {
    /// A database URL, with the password of these settings where it says none.
    pub fn with_password(&self, url: &SecretString) -> SecretString {
        secrets::with_password(url.expose_secret().into(), self.password.expose_secret())
    }
}

/// The auth module.
#[derive(Debug, Clone)]
pub struct Auth {
    /// PEM files; empty keeps a key in the data folder.
    pub signing_keys: Vec<PathBuf>,
    /// Empty keeps one in the data folder.
    pub pepper: SecretString,
    /// 10 to 16.
    pub bcrypt_cost: u32,
    /// At most 10 minutes.
    pub access_ttl: Duration,
    /// Idle limit of a session.
    pub refresh_idle: Duration,
    /// Absolute limit of a session.
    pub refresh_absolute: Duration,
    /// The first admin.
    pub admin_email: String,
    /// Their password; `None` makes one.
    pub admin_password: Option<SecretString>,
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not valid:\n  {}", .0.join("\n  "))]
pub struct Invalid(pub Vec<String>);

impl Settings {
    /// Reads file and environment.
    ///
    /// # Errors
    ///
    /// Every setting that is wrong or unknown, by name.
    pub fn load(file: Option<&str>) -> Result<Self, Invalid> {
        let mut builder = Config::builder();
        builder = match file {
            Some(path) => builder.add_source(File::new(path, FileFormat::Toml)),
            None => {
                builder.add_source(File::new("comptoir.toml", FileFormat::Toml).required(false))
            }
        };
        builder = builder.add_source(
            Environment::with_prefix("COMPTOIR")
                .prefix_separator("__")
                .separator("__"),
        );
        let config = builder.build().map_err(|e| Invalid(vec![e.to_string()]))?;
        Self::read(&config, |name| std::env::var(name).ok())
    }

    /// As [`load`](Self::load), from what was read; `env` looks up `DATABASE_URL` and its like.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn read(config: &Config, env: impl Fn(&str) -> Option<String>) -> Result<Self, Invalid> {
        let mut reader = Reader {
            config,
            problems: Vec::new(),
        };
        reader.reject_unknown();
        let settings = reader.settings(&env);
        match settings {
            Some(settings) if reader.problems.is_empty() => Ok(settings),
            _ => Err(Invalid(reader.problems)),
        }
    }
}

/// Whether a secret was set at all.
pub fn is_set(secret: &SecretString) -> bool {
    !secret.expose_secret().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Result<Settings, Invalid> {
        let config = Config::builder()
            .add_source(File::from_str(toml, FileFormat::Toml))
            .build()
            .unwrap();
        Settings::read(&config, |_| None)
    }

    #[test]
    fn the_defaults_are_valid() {
        let settings = read("").unwrap();
        assert_eq!(
            (settings.mode, settings.http.port),
            (Mode::Development, 3030)
        );
        assert!(settings.load_demo);
    }

    #[test]
    fn every_mistake_is_reported_at_once_by_name() {
        let error = read("mode = \"x\"\n[http]\nport = 99999\nprot = 1\n[auth]\nbcrypt_cost = 4")
            .unwrap_err();
        for name in ["mode", "http.port", "http.prot", "auth.bcrypt_cost"] {
            assert!(
                error.0.iter().any(|line| line.starts_with(name)),
                "{name} in {error}"
            );
        }
    }

    #[test]
    fn secrets_are_read_from_files() {
        let path = testkit::scratch("secrets").join("pepper");
        let (quoted, text) = (format!("{path:?}"), "p".repeat(32));
        std::fs::write(&path, format!("{text}\n")).unwrap();
        let toml = format!(
            "[auth]\npepper_file = {quoted}\n[internal]\nsecret_file = {quoted}\n[database]\nurl = 'postgres://u@h/d'\npassword_file = {quoted}"
        );
        let settings = read(&toml).unwrap();
        assert_eq!(settings.auth.pepper.expose_secret(), text);
        assert_eq!(settings.internal.secret.expose_secret(), text);
        let url = settings.database.url.unwrap();
        assert_eq!(
            url.expose_secret(),
            format!("postgres://u@h/d?password={}", "%70".repeat(32))
        );
    }

    #[test]
    fn a_file_that_gives_no_secret_is_reported_by_its_setting() {
        let folder = testkit::scratch("secrets");
        let (empty, short) = (folder.join("empty"), folder.join("short"));
        std::fs::write(&empty, "\n").unwrap();
        std::fs::write(&short, "short").unwrap();
        let toml = format!(
            "[auth]\npepper = '{}'\npepper_file = {short:?}\n[internal]\nsecret_file = {short:?}\n[database]\npassword_file = {empty:?}",
            "p".repeat(32)
        );
        let error = read(&toml).unwrap_err();
        assert_eq!(error.0.len(), 3, "{error}");
        for part in [
            "auth.pepper and auth.pepper_file are both set".to_owned(),
            "internal.secret_file: must be at least 32 characters long".to_owned(),
            format!("database.password_file = {empty:?}: the file is empty"),
        ] {
            assert!(error.to_string().contains(&part), "{part} in {error}");
        }
        let missing = folder.join("missing");
        let error = read(&format!("[auth]\npepper_file = {missing:?}")).unwrap_err();
        let start = format!("auth.pepper_file = {missing:?}: ");
        assert!(
            matches!(error.0.as_slice(), [line] if line.starts_with(&start)),
            "{error}"
        );
    }

    #[test]
    fn a_bad_address_of_nats_is_reported_without_its_password() {
        let error = read("[events]\nnats_url = \"http://till:quiet-word@nats\"").unwrap_err();
        assert!(
            error
                .0
                .iter()
                .any(|line| line.starts_with("events.nats_url"))
        );
        assert!(!error.to_string().contains("quiet-word"), "{error}");
        let settings = read("[events]\nnats_url = \"nats://till:quiet-word@nats\"").unwrap();
        assert!(settings.events.broker.is_some() && !settings.events.drain);
        assert!(!format!("{settings:?}").contains("quiet-word"));
    }

    #[test]
    fn a_bad_address_of_a_collector_is_reported_without_its_password() {
        // Spans are sent without TLS: what cannot be sent is better known before.
        for bad in [
            "https://u:quiet-word@c",
            "u:quiet-word@c",
            "ftp://u:quiet-word@c",
        ] {
            let error = read(&format!("[traces]\notlp_url = \"{bad}\"")).unwrap_err();
            let [line] = error.0.as_slice() else {
                panic!("{bad}: {error}");
            };
            assert!(line.starts_with("traces.otlp_url: "), "{bad}: {line}");
            assert!(!line.contains("quiet-word"), "{line}");
        }
        let traces = |toml: &str| read(&format!("[traces]\n{toml}"));
        assert!(read("").unwrap().traces.is_none());
        let good = traces("otlp_url = \"http://collector:4318\"\nratio = 0.25").unwrap();
        assert_eq!(good.traces.unwrap().ratio, 0.25);
        for ratio in ["-0.1", "1.1", "nan", "\"much\""] {
            let error = traces(&format!("ratio = {ratio}")).unwrap_err();
            assert!(
                error.to_string().contains("traces.ratio"),
                "{ratio}: {error}"
            );
        }
        for ratio in ["0", "1"] {
            assert!(traces(&format!("ratio = {ratio}")).is_ok(), "{ratio}");
        }
    }

    #[test]
    fn what_is_logged_and_how_is_checked_at_the_start() {
        let error = read("[log]\nfilter = \"sales=loud\"\njson = \"maybe\"").unwrap_err();
        assert_eq!(error.0.len(), 2, "{error}");
        for name in ["log.filter", "log.json"] {
            assert!(error.to_string().contains(name), "{name} in {error}");
        }
        let development = read("").unwrap();
        assert_eq!(development.log_filter, "info,access=warn");
        assert!(!development.log_json);
        assert!(read("[log]\njson = true").unwrap().log_json);
        let production = format!(
            "mode = 'production'\n[database]\nurl = 'postgres://h/d'\n[auth]\nsigning_keys = 'k'\npepper = '{}'",
            "p".repeat(32)
        );
        let production = read(&production).unwrap();
        assert_eq!(production.log_filter, "info");
        assert!(production.log_json);
    }

    #[test]
    fn production_refuses_what_is_only_good_for_trying() {
        let error = read("mode = \"production\"\n[database]\ndurable = false").unwrap_err();
        for name in [
            "database.url",
            "database.durable",
            "auth.signing_keys",
            "auth.pepper",
        ] {
            assert!(
                error.0.iter().any(|line| line.starts_with(name)),
                "{name} in {error}"
            );
        }
    }
}
