//! One sale is one trace, from the caller through every process to the statements; its event is
//! linked to it.

use std::collections::BTreeSet;

use comptoir::process::Module;
use diesel::connection::SimpleConnection;
use futures::future::{join, join_all};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::{Options, TOPOLOGIES, TestApp, Topology},
    collector::{Collector, Span},
};

const PARENT: &str = "00f067aa0ba902b7";

/// Makes a sale as part of a trace of the caller's; answers the trace's id, and what was sold.
pub async fn sell(app: &TestApp) -> (String, Uuid) {
    let shop = app.given_store().await;
    let product = app.given_product(300).await;
    app.given_stock(shop, product, 10).await;
    let trace = Uuid::now_v7().simple().to_string();
    sell_one(app, &trace, shop, product).await;
    (trace, product)
}

async fn sell_one(app: &TestApp, trace: &str, shop: Uuid, product: Uuid) {
    let body = json!({"store_id": shop, "lines": [{"product_id": product, "quantity": 1}],
        "payments": [{"tender": "card", "amount": {"amount": 300, "currency": "EUR"}}]});
    let sold = app
        .http
        .post(app.url("/api/sales"))
        .bearer_auth(&app.admin)
        .header("Idempotency-Key", trace)
        .header("traceparent", format!("00-{trace}-{PARENT}-01"))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(sold.status(), 201);
}

/// The one span of this name, in the process of this module where there are several.
fn find<'a>(spans: &'a [Span], name: &str, module: &str, split: bool) -> Option<&'a Span> {
    let service = if split {
        format!("comptoir-{module}")
    } else {
        "comptoir".to_owned()
    };
    let found = |span: &&Span| span.name == name && span.service == service;
    spans.iter().find(found)
}

#[actix_web::test]
async fn one_sale_is_one_trace_down_to_the_statements() {
    for topology in [Topology::Single, Topology::Split] {
        let (collector, split) = (Collector::start(), topology == Topology::Split);
        let options = Options {
            otlp_url: collector.url.clone(),
            ..Options::default()
        };
        let app = TestApp::start_with(topology, options).await;
        let (trace, product) = sell(&app).await;
        let expected = [
            ("POST /api/sales", "sales"),
            ("stock.hold", "sales"),
            ("commit of holds", "store"),
            ("holds", "store"),
            ("commit of sales-writer", "sales"),
            ("sales-writer", "sales"),
            ("INSERT", "sales"),
            ("COMMIT", "sales"),
            ("COMMIT", "store"),
        ];
        app.eventually("the trace is whole", async || {
            let spans = collector.trace(&trace);
            let there = |(name, module): &(&str, &str)| find(&spans, name, module, split);
            expected.iter().all(|part| there(part).is_some())
        })
        .await;
        let spans = collector.trace(&trace);
        let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
        let request = find(&spans, "POST /api/sales", "sales", split).unwrap();
        assert_eq!(request.parent, PARENT, "{topology:?}");
        assert_eq!(request.attribute("http.route"), Some("/api/sales"));
        for span in spans.iter().filter(|span| span.id != request.id) {
            assert!(
                ids.contains(span.parent.as_str()),
                "{span:?} in {topology:?}"
            );
        }
        if split {
            let served =
                |span: &&Span| span.name == "stock.hold" && span.service == "comptoir-store";
            let served = spans
                .iter()
                .find(served)
                .expect("the store's side of the call");
            let called = find(&spans, "stock.hold", "sales", split).unwrap();
            assert_eq!(served.parent, called.id);
        }
        for span in &spans {
            let said = |(_, value): &(String, String)| value.contains(&product.to_string());
            assert!(
                !span.attributes.iter().any(said),
                "what is bound stays out: {span:?}"
            );
        }
        // The event's delivery is a trace of its own, and says what caused it.
        app.eventually("the delivery is linked to the sale", async || {
            collector.spans().iter().any(|span| {
                let links = &span.links;
                let mut to_the_sale = links.iter().filter(|(to, _)| *to == trace);
                span.name == "relay of sales" && to_the_sale.next().is_some()
            })
        })
        .await;
    }
}

#[actix_web::test]
async fn an_event_keeps_the_trace_of_its_request_whether_spans_are_made_or_not() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (trace, _) = sell(&app).await;
        let kept = "SELECT traceparent FROM sales.outbox WHERE event_type = 'sale.recorded.v1'";
        let kept = app.db(Module::Sales).text(kept);
        assert_eq!(kept, format!("00-{trace}-{PARENT}-01"), "{topology:?}");
        // A request that belongs to no trace begins one.
        let begun = "SELECT traceparent FROM store.outbox ORDER BY recorded_at LIMIT 1";
        let begun = app.db(Module::Store).text(begun);
        assert!(
            kernel::trace::Traceparent::parse(&begun).is_some(),
            "{begun}"
        );
    }
}

async fn traced(collector: &Collector) -> TestApp {
    let options = Options {
        otlp_url: collector.url.clone(),
        ..Options::default()
    };
    TestApp::start_with(Topology::Single, options).await
}

#[actix_web::test]
async fn of_traces_that_begin_here_only_a_part_is_sent() {
    let collector = Collector::start();
    let mut app = traced(&collector).await;
    let http = app.http.clone();
    let service = app.service(Module::Sales);
    service.kill();
    service.tell("COMPTOIR__TRACES__RATIO", "0");
    service.start_again();
    service.ready(&http).await;
    let before: BTreeSet<String> = collector.spans().into_iter().map(|s| s.trace).collect();
    for _ in 0..20 {
        app.get("/api/inventory/products").await.expect(200);
    }
    // Its caller wants this one; spans are sent in the order in which they end.
    let (trace, _) = sell(&app).await;
    app.eventually("the caller's trace is sent", async || {
        let spans = collector.trace(&trace);
        spans.iter().any(|span| span.name == "POST /api/sales")
    })
    .await;
    let mut others = collector.spans();
    others.retain(|span| span.trace != trace && !before.contains(&span.trace));
    assert!(others.is_empty(), "{others:?}");
}

#[actix_web::test]
async fn a_collector_that_is_away_costs_no_request() {
    let options = Options {
        otlp_url: "http://127.0.0.1:1".to_owned(),
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Single, options).await;
    // More than the queue of spans holds.
    for _ in 0..600 {
        app.get("/api/inventory/products").await.expect(200);
    }
    sell(&app).await;
}

#[actix_web::test]
async fn a_delivery_is_linked_to_each_of_many_causes() {
    let collector = Collector::start();
    let app = traced(&collector).await;
    // Nobody is interested in them, and every other one has a cause of its own.
    app.db(Module::Sales).execute(
        "INSERT INTO sales.outbox (event_id, aggregate_type, aggregate_id, seq, event_type, payload, \
             actor_id, recorded_at, traceparent) \
         SELECT gen_random_uuid(), 'test', gen_random_uuid(), 1, 'test.happened.v1', '{}', \
             gen_random_uuid(), now(), '00-' || lpad(to_hex(1 + n / 2 % 200), 32, '0') || '-00f067aa0ba902b7-01' \
         FROM generate_series(0, 499) n",
    );
    app.eventually("all are delivered", async || {
        collector.spans().iter().any(|span| {
            let traces: BTreeSet<_> = span.links.iter().map(|(trace, _)| trace).collect();
            // One link to a cause, however many events it has.
            span.name == "relay of sales" && traces.len() == 200 && span.links.len() == 200
        })
    })
    .await;
}

#[actix_web::test]
async fn a_group_commit_is_linked_to_all_of_its_requests() {
    let collector = Collector::start();
    let app = traced(&collector).await;
    let shop = app.given_store().await;
    let product = app.given_product(300).await;
    app.given_stock(shop, product, 10).await;
    let db = app.db(Module::Sales);
    let mut keeper = db.connect();
    let keep = "BEGIN; LOCK TABLE sales.sales IN SHARE MODE";
    SimpleConnection::batch_execute(&mut keeper, keep).unwrap();
    let traces: Vec<String> = (0..6)
        .map(|_| Uuid::now_v7().simple().to_string())
        .collect();
    let all = join_all(
        traces
            .iter()
            .map(|trace| sell_one(&app, trace, shop, product)),
    );
    let release = async {
        app.eventually(
            "the first commits wait, and the others for them",
            async || {
                let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted \
                AND relation = 'sales.sales'::regclass";
                let held = app
                    .db(Module::Store)
                    .number("SELECT count(*) FROM store.holds");
                held == 6 && db.number(waiting) > 0
            },
        )
        .await;
        SimpleConnection::batch_execute(&mut keeper, "COMMIT").unwrap();
    };
    join(all, release).await;
    app.eventually("a commit is linked to another request", async || {
        collector.spans().iter().any(|span| {
            let ours = |trace: &String| traces.contains(trace);
            let mut linked = span.links.iter().map(|(trace, _)| trace);
            span.name == "commit of sales-writer"
                && ours(&span.trace)
                && linked.any(|trace| ours(trace) && *trace != span.trace)
        })
    })
    .await;
}
