//! What `/metrics` says: exact counts of one sale, as many series as the code has routes, and the
//! page that describes it all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use comptoir::process::Module;
use kernel::metrics::{CLASSIC, Metrics};
use serde_json::json;
use uuid::Uuid;

mod batches;
mod business;
mod database;
mod events;
mod figures;
mod labels;
mod requests;
mod sign_in;
mod stock;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology},
    returns::back,
};

/// Every series of every process, added up, and what is said about them.
#[derive(Default)]
pub struct Scrape(BTreeMap<String, f64>, BTreeMap<String, About>);

/// Kind, labels and meaning of a metric.
pub type About = (String, BTreeSet<String>, String);

impl Scrape {
    pub async fn of(app: &TestApp) -> Self {
        Self::at(app, &app.inside).await
    }

    /// As [`of`](Self::of), of the internal listeners there.
    pub async fn at(app: &TestApp, inside: &[String]) -> Self {
        let mut all = Self::default();
        for base in inside {
            let answer = app
                .http
                .get(format!("{base}/metrics"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200);
            all.add(&answer.text().await.unwrap());
        }
        all
    }

    /// What a part of the product that runs alone has told.
    pub fn alone(metrics: &Metrics) -> Self {
        let mut own = Self::default();
        own.add(&metrics.text(CLASSIC));
        own
    }

    fn add(&mut self, text: &str) {
        let Self(series, about) = self;
        let mut family = String::new();
        for line in text.lines() {
            if let Some((name, help)) = told(line, "# HELP ") {
                family = name;
                about.entry(family.clone()).or_default().2 = help;
                continue;
            } else if let Some((name, kind)) = told(line, "# TYPE ") {
                assert_eq!(name, family);
                about.entry(name).or_default().0 = kind;
                continue;
            }
            assert!(line.starts_with(&family), "{line} in {family}");
            about.get_mut(&family).unwrap().1.extend(labels(line));
            let (name, value) = line.rsplit_once(' ').unwrap();
            *series.entry(name.to_owned()).or_default() += value.parse::<f64>().unwrap();
        }
    }

    /// The series of this name that have all of these labels, added up; `None` without any.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let matching = self.0.iter().filter(|(series, _)| {
            let (found, rest) = series.split_once('{').unwrap_or((series, ""));
            let has =
                |(label, value): &(&str, &str)| rest.contains(&format!("{label}=\"{value}\""));
            found == name && labels.iter().all(has)
        });
        matching.map(|(_, value)| *value).reduce(|a, b| a + b)
    }

    /// As [`get`](Self::get), of a series that is there.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let value = self.get(name, labels);
        value.unwrap_or_else(|| panic!("no {name}{labels:?}"))
    }

    /// Every series, for whoever looks for something in them.
    pub fn text(&self) -> String {
        self.names().collect::<Vec<_>>().join("\n")
    }

    /// What is said about every metric.
    pub fn about(&self) -> impl Iterator<Item = (&String, &About)> {
        self.1.iter()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn told(line: &str, what: &str) -> Option<(String, String)> {
    let (name, rest) = line.strip_prefix(what)?.split_once(' ')?;
    Some((name.to_owned(), rest.to_owned()))
}

/// The names of the labels of a series, the bucket's apart.
fn labels(series: &str) -> Vec<String> {
    let inside = series.split_once('{').map_or("", |(_, rest)| rest);
    let quoted = inside.split('"').step_by(2);
    let names = quoted.filter_map(|part| part.strip_suffix('='));
    let names = names.map(|name| name.trim_start_matches(',').to_owned());
    names.filter(|name| name != "le").collect()
}

/// What a test changes: name, labels, by how much.
type Change = (&'static str, &'static [(&'static str, &'static str)], f64);

fn assert_rises(before: &Scrape, after: &Scrape, changes: &[Change]) {
    for (name, labels, by) in changes {
        let rise = after.value(name, labels) - before.get(name, labels).unwrap_or(0.0);
        assert_eq!(rise, *by, "{name}{labels:?}");
    }
}

/// A repeat is answered with 201, too.
const OF_A_SALE: &[Change] = &[
    (
        "comptoir_http_request_duration_seconds_count",
        &[
            ("module", "sales"),
            ("route", "/api/sales"),
            ("method", "POST"),
            ("status", "201"),
        ],
        2.0,
    ),
    ("comptoir_sales_recorded_total", &[], 1.0),
    ("comptoir_sales_replayed_total", &[], 1.0),
    ("comptoir_sales_lines_total", &[], 2.0),
    (
        "comptoir_sales_revenue_minor_units_total",
        &[("currency", "EUR")],
        700.0,
    ),
    ("comptoir_sales_refused_total", &[("reason", "stock")], 1.0),
    (
        "comptoir_sales_refused_total",
        &[("reason", "product")],
        1.0,
    ),
    ("comptoir_sales_refused_total", &[], 2.0),
    ("comptoir_holds_taken_total", &[("outcome", "held")], 1.0),
    ("comptoir_holds_taken_total", &[("outcome", "short")], 1.0),
    (
        "comptoir_holds_settled_total",
        &[("state", "consumed")],
        1.0,
    ),
    ("comptoir_returns_recorded_total", &[], 1.0),
    (
        "comptoir_returns_refunded_minor_units_total",
        &[("currency", "EUR")],
        300.0,
    ),
    ("comptoir_logins_total", &[("outcome", "wrong")], 1.0),
    ("comptoir_logins_total", &[("outcome", "ok")], 1.0),
    ("comptoir_bcrypt_duration_seconds_count", &[], 2.0),
    (
        "comptoir_db_statement_duration_seconds_count",
        &[("module", "auth"), ("kind", "rollback")],
        0.0,
    ),
];

#[actix_web::test]
async fn what_happened_once_is_counted_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let shop = app.given_store().await;
        let (dear, cheap) = (app.given_product(300).await, app.given_product(100).await);
        app.given_stock(shop, dear, 10).await;
        app.given_stock(shop, cheap, 10).await;
        let before = Scrape::of(&app).await;
        let (key, body) = (
            Uuid::now_v7().to_string(),
            sale(shop, &[(dear, 2), (cheap, 1)], 700),
        );
        let sold = app.post_keyed("/api/sales", &key, &body).await.expect(201);
        let again = app.post_keyed("/api/sales", &key, &body).await;
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let short = sale(shop, &[(dear, 99)], 99 * 300);
        app.post_keyed("/api/sales", &Uuid::now_v7().to_string(), &short)
            .await
            .expect_problem(409, "insufficient-stock");
        let unknown = sale(shop, &[(Uuid::now_v7(), 1)], 1);
        app.post_keyed("/api/sales", &Uuid::now_v7().to_string(), &unknown)
            .await
            .expect_problem(400, "unknown-product");
        let back = back(&sold, 1, "restock");
        app.post_keyed("/api/returns", &Uuid::now_v7().to_string(), &back)
            .await
            .expect(201);
        sign_in(&app, "shelf-candle-42-rover").await;
        sign_in(&app, crate::app::PASSWORD).await;
        app.eventually("the hold is consumed", async || {
            let settled = Scrape::of(&app).await;
            let labels = [("state", "consumed")];
            settled.value("comptoir_holds_settled_total", &labels)
                > before.value("comptoir_holds_settled_total", &labels)
        })
        .await;
        let after = Scrape::of(&app).await;
        assert_rises(&before, &after, OF_A_SALE);
        let calls = "comptoir_port_call_duration_seconds_count";
        let transport = if topology == Topology::Whole {
            "local"
        } else {
            "http"
        };
        let labels = [
            ("port", "stock"),
            ("transport", transport),
            ("outcome", "refused"),
        ];
        assert_eq!(after.value(calls, &labels), 1.0, "{topology:?}");
    }
}

fn sale(shop: Uuid, lines: &[(Uuid, i64)], paid: i64) -> serde_json::Value {
    let lines: Vec<_> = lines
        .iter()
        .map(|(product, quantity)| json!({"product_id": product, "quantity": quantity}))
        .collect();
    json!({"store_id": shop, "lines": lines,
        "payments": [{"tender": "card", "amount": {"amount": paid, "currency": "EUR"}}]})
}

async fn sign_in(app: &TestApp, password: &str) {
    let body = json!({"email": crate::app::ADMIN, "password": password});
    let path = "/api/auth/login";
    app.send(reqwest::Method::POST, path, "", None, Some(&body))
        .await;
}

#[actix_web::test]
async fn whatever_clients_send_the_series_stay_those_of_the_code() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        // Once for every kind of answer, so that only new names could add series.
        let send = async |n: usize| {
            let word = Uuid::now_v7().simple().to_string();
            for module in Module::ALL {
                let prefix = module.prefixes()[0];
                for path in [
                    format!("{prefix}/{word}"),
                    format!("{prefix}/{word}/{n}/{word}?{word}={word}"),
                    format!("{prefix}{word}"),
                ] {
                    for method in ["GET", "POST", "BREW", &word.to_uppercase()] {
                        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                        let body = json!({ word.as_str(): word });
                        app.send(method, &path, &app.admin, Some(&word), Some(&body))
                            .await;
                    }
                }
            }
            word
        };
        send(0).await;
        let before = Scrape::of(&app).await;
        let word = send(1).await;
        for n in 2..5 {
            send(n).await;
        }
        let after = Scrape::of(&app).await;
        // Background work may show itself for the first time meanwhile.
        let later = [
            "comptoir_db_operation_",
            "comptoir_port_",
            "comptoir_outbox_",
            "comptoir_holds_o",
            "comptoir_transfer",
        ];
        let is_fixed = |name: &&str| !later.iter().any(|stem| name.starts_with(stem));
        let fixed = |scrape: &Scrape| -> Vec<String> {
            let names = scrape.names().filter(is_fixed);
            names.map(str::to_owned).collect()
        };
        assert_eq!(fixed(&after), fixed(&before), "{topology:?}");
        for name in after.names() {
            assert!(!name.contains(&word) && !has_id(name), "{name}");
        }
    }
}

/// Whether some part of the text is a UUID.
fn has_id(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .any(|part| Uuid::parse_str(part).is_ok())
}

/// Every metric of the page.
pub fn page() -> BTreeMap<String, About> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", name, kind, labels, of, meaning, ""] = cells.as_slice() else {
            panic!("five cells: {row}");
        };
        assert!(["process", "database"].contains(of), "{row}");
        let bare = |text: &str| text.trim_matches('`').to_owned();
        let labels = labels.split(", ").map(bare).filter(|l| !l.is_empty());
        (
            bare(name),
            (kind.to_string(), labels.collect(), format!("{meaning}.")),
        )
    })
    .collect()
}

#[actix_web::test]
async fn the_page_names_every_metric_and_no_other() {
    let page = page();
    let mut there = BTreeSet::new();
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        // What has a label that is not known beforehand is there once it was used.
        let shop = app.given_store().await;
        let product = app.given_product(300).await;
        app.given_stock(shop, product, 10).await;
        let sold = sale(shop, &[(product, 2)], 600);
        let sold = app
            .post_keyed("/api/sales", "a-sale-for-the-page", &sold)
            .await;
        let back = back(&sold.expect(201), 1, "restock");
        app.post_keyed("/api/returns", "a-return-for-the-page", &back)
            .await
            .expect(201);
        app.eventually("the figures are gathered", async || {
            let scrape = Scrape::of(&app).await;
            scrape.get("comptoir_transfers_in_transit", &[]).is_some()
                && scrape
                    .get("comptoir_outbox_waiting", &[("module", "sales")])
                    .is_some()
        })
        .await;
        let scrape = Scrape::of(&app).await;
        labels::assert_listed(&scrape);
        for (name, about) in scrape.1 {
            assert_eq!(page.get(&name), Some(&about), "{name} on the page");
            there.insert(name);
        }
    }
    // Of NATS see `jetstream`.
    let named = page.into_keys().filter(|name| !name.contains("_nats_"));
    assert_eq!(there, named.collect());
}
