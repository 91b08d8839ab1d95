//! Reads the settings one by one and remembers everything that is wrong with them.

use std::{collections::BTreeMap, fmt::Display, path::PathBuf, str::FromStr, time::Duration};

use config::{Config, Source};
use kernel::telemetry;
use secrecy::SecretString;
use url::Url;

use super::{
    Auth, Database, Http, Internal, Mode, SETTINGS, Settings, Traces, secrets::with_password,
};
use crate::{events::Events, process::Module};

/// Collects every bad setting before giving up, so that one restart fixes them all.
pub(super) struct Reader<'a> {
    pub(super) config: &'a Config,
    pub(super) problems: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn reject_unknown(&mut self) {
        let table = self.config.collect().unwrap_or_default();
        for (name, value) in table {
            let names = match value.into_table() {
                Ok(inner) if !inner.is_empty() => inner
                    .into_keys()
                    .map(|key| format!("{name}.{key}"))
                    .collect(),
                _ => vec![name],
            };
            for name in names {
                if !SETTINGS.iter().any(|(known, ..)| *known == name) {
                    self.problems
                        .push(format!("{name}: there is no such setting"));
                }
            }
        }
    }

    pub(super) fn text(&mut self, name: &str) -> String {
        let default = SETTINGS
            .iter()
            .find(|(known, ..)| *known == name)
            .map_or("", |s| s.1);
        match self.config.get_string(name) {
            Ok(text) => text.trim().to_owned(),
            Err(config::ConfigError::NotFound(_)) => default.to_owned(),
            Err(error) => {
                self.problems.push(format!("{name}: {error}"));
                default.to_owned()
            }
        }
    }

    fn parse<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name);
        text.parse()
            .map_err(|e| self.problems.push(format!("{name} = {text:?}: {e}")))
            .ok()
    }

    fn within(&mut self, name: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.parse::<u64>(name)?;
        if !range.contains(&value) {
            let (min, max) = range.into_inner();
            self.problems
                .push(format!("{name} = {value}: must be from {min} to {max}"));
            return None;
        }
        Some(value)
    }

    fn millis(&mut self, name: &str) -> Option<Duration> {
        self.within(name, 1..=600_000).map(Duration::from_millis)
    }

    pub(super) fn settings(&mut self, env: &impl Fn(&str) -> Option<String>) -> Option<Settings> {
        let mode = match self.text("mode").as_str() {
            "development" => Mode::Development,
            "production" => Mode::Production,
            other => {
                self.problems.push(format!(
                    "mode = {other:?}: must be development or production"
                ));
                Mode::Production
            }
        };
        let modules = self.modules();
        let http = self.http(&modules);
        let internal = self.internal(&modules, http.as_ref().map_or(0, |h| h.port));
        let events = self.events();
        let database = self.database(mode, env);
        let auth = self.auth(mode, &modules);
        let (hold, sweep) = (
            self.within("store.hold_seconds", 1..=3600),
            self.millis("store.sweep_ms"),
        );
        let load_demo = self.parse::<bool>("demo.load");
        let data_dir = Some(self.text("embedded.data_dir"))
            .filter(|d| !d.is_empty())
            .map(PathBuf::from);
        let log_json = match self.text("log.json").as_str() {
            "auto" => mode == Mode::Production,
            "true" => true,
            "false" => false,
            other => {
                self.problems
                    .push(format!("log.json = {other:?}: must be auto, true or false"));
                false
            }
        };
        let traces = self.traces();
        Some(Settings {
            mode,
            modules,
            http: http?,
            internal: internal?,
            events: events?,
            database: database?,
            data_dir,
            auth: auth?,
            hold_ttl: Duration::from_secs(hold?),
            sweep_every: sweep?,
            load_demo: load_demo? && mode == Mode::Development,
            log_filter: self.log_filter(mode),
            log_json,
            traces,
        })
    }

    fn traces(&mut self) -> Option<Traces> {
        let ratio = self.parse::<f64>("traces.ratio")?;
        if !(0.0..=1.0).contains(&ratio) {
            self.problems
                .push(format!("traces.ratio = {ratio}: must be from 0 to 1"));
        }
        if self.text("traces.otlp_url").is_empty() {
            return None;
        }
        // Not by `parse`, which repeats the text: it may hold a password.
        let url = self.text("traces.otlp_url").parse::<Url>().ok();
        let url = url.filter(|url| url.scheme() == "http" && url.has_host());
        if url.is_none() {
            self.problems.push(
                "traces.otlp_url: must be http://host:port; a collector beside the process can send on with TLS"
                    .into(),
            );
        }
        Some(Traces { url: url?, ratio })
    }

    fn log_filter(&mut self, mode: Mode) -> String {
        let filter = match (self.text("log.filter").as_str(), mode) {
            ("auto", Mode::Production) => "info".into(),
            ("auto", Mode::Development) => "info,access=warn".into(),
            (filter, _) => filter.to_owned(),
        };
        if let Err(why) = telemetry::check_filter(&filter) {
            self.problems
                .push(format!("log.filter = {filter:?}: {why}"));
        }
        filter
    }

    fn modules(&mut self) -> Vec<Module> {
        let compiled = Module::compiled();
        let text = self.text("modules");
        if text == "all" {
            return compiled;
        }
        let mut modules = Vec::new();
        for name in text.split(',').map(str::trim).filter(|n| !n.is_empty()) {
            match compiled.iter().find(|m| m.name() == name) {
                Some(module) => modules.push(*module),
                None => self
                    .problems
                    .push(format!("modules = {text:?}: {name} is not in this binary")),
            }
        }
        modules.sort_unstable();
        modules.dedup();
        modules
    }

    fn http(&mut self, modules: &[Module]) -> Option<Http> {
        let bind = self.parse("http.bind");
        let port = self.parse::<u16>("http.port");
        let workers = self.within("http.workers", 0..=256);
        let in_flight = self.within("http.in_flight", 1..=100_000);
        let time_limit = self.millis("http.time_limit_ms");
        let drain = self.within("http.drain_ms", 0..=60_000);
        let trusted_proxies = self.parse("http.trusted_proxies");
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let default_port = match modules {
            [one] => one.port(),
            _ => 3030,
        };
        Some(Http {
            bind: bind?,
            port: Some(port?).filter(|p| *p != 0).unwrap_or(default_port),
            workers: match usize::try_from(workers?).ok()? {
                0 => (cores / 2).max(1),
                n => n,
            },
            in_flight: usize::try_from(in_flight?).ok()?,
            time_limit: time_limit?,
            drain: Duration::from_millis(drain?),
            trusted_proxies: trusted_proxies?,
        })
    }

    fn internal(&mut self, modules: &[Module], public_port: u16) -> Option<Internal> {
        let bind = self.parse("internal.bind");
        let port = self.parse::<u16>("internal.port");
        let apart = modules.len() < Module::ALL.len();
        let secret = self.secret("internal.secret", apart);
        let timeout = self.millis("internal.timeout_ms");
        let mut peers = BTreeMap::new();
        for module in Module::ALL {
            if let Some(url) = self.parse::<Url>(&format!("peers.{}", module.name())) {
                peers.insert(module, url);
            }
        }
        Some(Internal {
            bind: bind?,
            port: Some(port?)
                .filter(|p| *p != 0)
                .unwrap_or(public_port.saturating_add(1000)),
            secret,
            timeout: timeout?,
            peers,
        })
    }

    fn events(&mut self) -> Option<Events> {
        let text = self.text("events.nats_url");
        let drain = self.parse::<bool>("events.nats_drain")?;
        // Not by `parse`, which repeats the text: it may hold a password.
        let broker = Some(text).filter(|t| !t.is_empty()).map(|t| t.parse());
        match broker.transpose() {
            Ok(broker) => Some(Events { broker, drain }),
            Err(error) => {
                self.problems.push(format!("events.nats_url: {error}"));
                None
            }
        }
    }

    fn database(&mut self, mode: Mode, env: &impl Fn(&str) -> Option<String>) -> Option<Database> {
        let password = self.database_password();
        let mut url_of = |setting: String, variable: String| {
            let text = Some(self.text(&setting))
                .filter(|t| !t.is_empty())
                .or_else(|| env(&variable))?;
            if !["postgres://", "postgresql://"]
                .iter()
                .any(|scheme| text.starts_with(scheme))
            {
                self.problems
                    .push(format!("{setting}: must begin with postgres://"));
            }
            Some(with_password(text, &password))
        };
        let url = url_of("database.url".into(), "DATABASE_URL".into());
        let mut urls = BTreeMap::new();
        for module in Module::ALL {
            let name = module.name();
            let variable = format!("{}_DATABASE_URL", name.to_ascii_uppercase());
            if let Some(url) = url_of(format!("database.{name}_url"), variable) {
                urls.insert(module, url);
            }
        }
        if mode == Mode::Production && url.is_none() && urls.is_empty() {
            self.problems
                .push("database.url: production mode needs a database of its own".into());
        }
        let durable = self.parse("database.durable");
        if mode == Mode::Production && durable == Some(false) {
            self.problems
                .push("database.durable: production mode never loses a sale".into());
        }
        let pool_size = self.parse("database.pool_size");
        let wait = self.millis("database.wait_ms");
        Some(Database {
            url,
            urls,
            pool_size: pool_size?,
            wait: wait?,
            durable: durable?,
            password: password.into(),
        })
    }

    fn auth(&mut self, mode: Mode, modules: &[Module]) -> Option<Auth> {
        let strict = mode == Mode::Production && modules.contains(&Module::Auth);
        let keys = self.text("auth.signing_keys");
        if strict && keys.is_empty() {
            self.problems
                .push("auth.signing_keys: production mode needs a key of its own".into());
        }
        let pepper = self.secret("auth.pepper", strict);
        let cost = self.within("auth.bcrypt_cost", 10..=16);
        let access = self.within("auth.access_seconds", 30..=600);
        let idle = self.within("auth.refresh_idle_seconds", 60..=2_592_000);
        let absolute = self.within("auth.refresh_absolute_seconds", 60..=7_776_000);
        let admin_password = self.text("auth.admin_password");
        Some(Auth {
            signing_keys: keys
                .split(',')
                .map(str::trim)
                .filter(|k| !k.is_empty())
                .map(PathBuf::from)
                .collect(),
            pepper,
            bcrypt_cost: u32::try_from(cost?).ok()?,
            access_ttl: Duration::from_secs(access?),
            refresh_idle: Duration::from_secs(idle?),
            refresh_absolute: Duration::from_secs(absolute?),
            admin_email: self.text("auth.admin_email"),
            admin_password: Some(admin_password)
                .filter(|p| !p.is_empty())
                .map(SecretString::from),
        })
    }
}
