//! Events through a real NATS JetStream: nothing is lost or doubled, whatever of it
//! is killed, late, repeated or unreadable.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use async_nats::jetstream::Context;
use comptoir::process::Module;
use futures::future::join_all;
use jetstream::{Broker, subject};
use kernel::{call::Cx, outbox::Envelope};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Options, TestApp, Topology},
    books::assert_books_agree,
    collector::Collector,
    metrics::{Scrape, page},
    nats::Nats,
    relay::recorded,
    returns::back,
    sales::sale,
    tills::{Desk, Shop, Tills},
    traces::sell,
};

async fn given_app(nats: &Nats) -> TestApp {
    let options = Options {
        nats_url: Some(nats.url()),
        // So long that only events settle holds, and no sweeper.
        hold_ttl: Duration::from_secs(3_600),
        ..Options::default()
    };
    TestApp::start_with(Topology::Split, options).await
}

async fn given_goods(app: &TestApp, quantity: i64) -> (Uuid, Uuid) {
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, quantity).await;
    (store, product)
}

/// Every event of every module was applied, and every sale's goods are taken for good.
async fn assert_settled(app: &TestApp, nats: &Nats) {
    assert_books_agree(app).await;
    soon_drained(nats).await;
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn every_event_between_services_goes_through_the_stream() {
    let nats = Nats::running().await;
    let app = given_app(&nats).await;
    let (store, product) = given_goods(&app, 10).await;
    let body = sale(store, &[(product, 3)], 300);
    let sold = app.post("/api/sales", &body).await.expect(201);
    app.post("/api/returns", &back(&sold, 2, "restock"))
        .await
        .expect(201);
    app.eventually("the goods are back", async || {
        app.on_hand(store, product).await == 9
    })
    .await;
    let path = format!("/api/inventory/products/{product}");
    let dearer = json!({"price": {"amount": 150, "currency": "EUR"}});
    app.patch(&path, &dearer).await.expect(200);
    let body = sale(store, &[(product, 1)], 150);
    app.eventually("the new price is asked for", async || {
        app.post("/api/sales", &body).await.status == 201
    })
    .await;
    assert_settled(&app, &nats).await;
    assert_eq!(app.on_hand(store, product).await, 8);
    // One message for each event and each module that hears it, so none went another way. Sales and
    // inventory hear the store.
    let outboxes = [
        (Module::Store, 2),
        (Module::Inventory, 1),
        (Module::Sales, 1),
    ];
    let published = outboxes.map(|(m, listeners)| {
        let sql = format!("SELECT count(*) FROM {m}.outbox");
        listeners * app.db(m).number(&sql)
    });
    assert_eq!(nats.stored().await, published.iter().sum::<i64>() as u64);
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn nats_killed_under_load_loses_and_doubles_nothing() {
    let mut nats = Nats::running().await;
    let app = given_app(&nats).await;
    let (store, product) = given_goods(&app, 1_000_000).await;
    let (done, sold, returned) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let selling = join_all((0..4).map(async |_| {
        while !done.load(Ordering::Relaxed) {
            let body = sale(store, &[(product, 2)], 200);
            let made = app.post("/api/sales", &body).await.expect(201);
            if sold.fetch_add(1, Ordering::Relaxed) % 3 == 0 {
                let body = back(&made, 1, "restock");
                app.post("/api/returns", &body).await.expect(201);
                returned.fetch_add(1, Ordering::Relaxed);
            }
        }
    }));
    let killing = async {
        // Sales go on, with NATS and without it.
        let more = async |count: usize| {
            let target = sold.load(Ordering::Relaxed) + count;
            app.eventually("sales go on", async || {
                sold.load(Ordering::Relaxed) >= target
            })
            .await;
        };
        for _ in 0..5 {
            more(40).await;
            nats.kill();
            more(40).await;
            nats.start().await;
        }
        more(40).await;
        done.store(true, Ordering::Relaxed);
    };
    futures::join!(selling, killing);
    assert_settled(&app, &nats).await;
    let (sold, returned) = (sold.into_inner() as i64, returned.into_inner() as i64);
    assert_eq!(
        app.on_hand(store, product).await,
        1_000_000 - 2 * sold + returned
    );
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn services_start_and_sell_without_nats_and_catch_up() {
    let mut nats = Nats::prepare();
    let app = given_app(&nats).await;
    let (store, product) = given_goods(&app, 10).await;
    for _ in 0..3 {
        let body = sale(store, &[(product, 1)], 100);
        app.post("/api/sales", &body).await.expect(201);
    }
    let held = "SELECT count(*) FROM store.holds WHERE state = 'held'";
    assert_eq!(app.db(Module::Store).number(held), 3);
    nats.start().await;
    assert_settled(&app, &nats).await;
}

/// Restarts every service that sends or hears events, one by one, with these settings.
async fn restart(app: &mut TestApp, tills: &Tills, url: &str, drain: bool) {
    let http = app.http.clone();
    for module in [Module::Sales, Module::Store, Module::Inventory] {
        let service = app.service(module);
        service.kill();
        service.tell("COMPTOIR__EVENTS__NATS_URL", url);
        service.tell("COMPTOIR__EVENTS__NATS_DRAIN", &drain.to_string());
        service.start_again();
        service.ready(&http).await;
        tills.sell_more(30).await;
    }
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn going_over_to_nats_and_back_under_load_loses_nothing() {
    let nats = Nats::running().await;
    let options = Options {
        hold_ttl: Duration::from_secs(3_600),
        ..Options::default()
    };
    let mut app = TestApp::start_with(Topology::Split, options).await;
    let (store, product) = given_goods(&app, 1_000_000).await;
    let (other, desk) = (
        app.given_product(100).await,
        Desk {
            http: app.http.clone(),
            base: app.base(Module::Sales).to_owned(),
            token: app.admin.clone(),
        },
    );
    app.given_stock(store, other, 1_000_000).await;
    let shop = Shop {
        store,
        products: vec![product, other],
        registers: Vec::new(),
    };
    let (tills, done) = (Tills::default(), AtomicBool::new(false));
    let switching = async {
        tills.sell_more(30).await;
        restart(&mut app, &tills, &nats.url(), false).await;
        assert!(nats.stored().await > 0, "events go through NATS");
        restart(&mut app, &tills, &nats.url(), true).await;
        let stored = nats.stored().await;
        tills.sell_more(30).await;
        assert_eq!(nats.stored().await, stored, "events go over HTTP again");
        soon_drained(&nats).await;
        restart(&mut app, &tills, "", false).await;
        done.store(true, Ordering::Relaxed);
    };
    futures::join!(tills.sell(&desk, &shop, &done), switching);
    tills.repeat_what_got_no_answer(&desk).await;
    tills.assert_acknowledged_are_kept(&desk).await;
    assert_settled(&app, &nats).await;
    let recorded = "SELECT count(*) FROM sales.sales WHERE state = 'recorded'";
    assert_eq!(app.db(Module::Sales).number(recorded), tills.sold() as i64);
}

async fn soon_drained(nats: &Nats) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while nats.waiting().await > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "events stay in NATS"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A client of its own, to put things into the stream that no publisher of ours would.
async fn raw(nats: &Nats) -> Context {
    let options = async_nats::ConnectOptions::new();
    let login = options.user_and_password("comptoir".into(), "only/for/tests".into());
    let client = login.connect(nats.url()).await.unwrap();
    async_nats::jetstream::new(client)
}

async fn put(context: &Context, aggregate: &str, payload: Vec<u8>) {
    let subject = subject("store_events", aggregate);
    let stored = context.publish(subject, payload.into()).await.unwrap();
    stored.await.unwrap();
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn events_that_come_twice_have_no_second_effect() {
    let nats = Nats::running().await;
    let app = given_app(&nats).await;
    let (store, product) = given_goods(&app, 10).await;
    let body = sale(store, &[(product, 3)], 300);
    let sold = app.post("/api/sales", &body).await.expect(201);
    let body = back(&sold, 2, "restock");
    app.post("/api/returns", &body).await.expect(201);
    app.eventually("the goods are back", async || {
        app.on_hand(store, product).await == 9
    })
    .await;
    assert_settled(&app, &nats).await;
    let (movements, delivered) = (
        app.db(Module::Store)
            .number("SELECT count(*) FROM store.movements"),
        nats.of_consumer("store_events", "/delivered/consumer_seq")
            .await,
    );
    let events: Vec<Value> = serde_json::from_str(&app.db(Module::Sales).text(
        "SELECT json_agg(json_build_object('event_id', event_id, 'aggregate_type', aggregate_type, \
         'aggregate_id', aggregate_id, 'seq', seq, 'event_type', event_type, 'payload', payload, \
         'actor_id', actor_id, 'recorded_at', recorded_at)) FROM sales.outbox",
    ))
    .unwrap();
    assert_eq!(events.len(), 2, "a sale and a return");
    // The server would keep a repeated message id out, so these have none.
    let context = raw(&nats).await;
    for event in events.iter().cycle().take(6) {
        let aggregate = event["aggregate_type"].as_str().unwrap();
        put(&context, aggregate, event.to_string().into_bytes()).await;
    }
    app.eventually("the repeats are delivered", async || {
        let now = nats
            .of_consumer("store_events", "/delivered/consumer_seq")
            .await;
        now >= delivered + 6
    })
    .await;
    assert_settled(&app, &nats).await;
    assert_eq!(app.on_hand(store, product).await, 9);
    let now = app
        .db(Module::Store)
        .number("SELECT count(*) FROM store.movements");
    assert_eq!(now, movements);
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn what_cannot_be_applied_stays_and_holds_nothing_up() {
    let nats = Nats::running().await;
    let app = given_app(&nats).await;
    let (store, product) = given_goods(&app, 10).await;
    app.eventually("the stream drains", async || {
        nats.stored().await > 0 && nats.waiting().await == 0
    })
    .await;
    let context = raw(&nats).await;
    let unreadable = Envelope {
        payload: json!({}),
        ..recorded()
    };
    put(&context, "sale", serde_json::to_vec(&unreadable).unwrap()).await;
    put(&context, "sale", b"not even an event".to_vec()).await;
    let body = sale(store, &[(product, 1)], 100);
    app.post("/api/sales", &body).await.expect(201);
    let consumed = "SELECT count(*) FROM store.holds WHERE state = 'consumed'";
    app.eventually("the sale behind them is settled", async || {
        app.db(Module::Store).number(consumed) == 1
    })
    .await;
    app.eventually("both are tried again", async || {
        nats.of_consumer("store_events", "/num_redelivered").await == 2
    })
    .await;
    assert_eq!(nats.waiting().await, 2);
}

#[actix_web::test]
#[ignore = "needs nats-server: .ci/run installs it"]
async fn a_trace_and_what_waits_in_the_stream_are_seen() {
    let (nats, collector) = (Nats::running().await, Collector::start());
    let options = Options {
        nats_url: Some(nats.url()),
        otlp_url: collector.url.clone(),
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Split, options).await;
    let (trace, _) = sell(&app).await;
    app.eventually("the delivery is linked to the sale", async || {
        collector.spans().iter().any(|span| {
            let mut links = span.links.iter();
            span.name == "store_events" && links.any(|(to, _)| *to == trace)
        })
    })
    .await;
    let published = [
        ("port", "store_events"),
        ("transport", "nats"),
        ("outcome", "ok"),
    ];
    let scrape = Scrape::of(&app).await;
    let calls = "comptoir_port_call_duration_seconds_count";
    assert!(scrape.value(calls, &published) >= 1.0);
    // An event that comes before its first one cannot be applied.
    let event = json!({"event_id": Uuid::now_v7(), "aggregate_type": "sale",
        "aggregate_id": Uuid::now_v7(), "seq": 2, "event_type": "sale.recorded.v1",
        "payload": {}, "actor_id": Uuid::nil(), "recorded_at": "2026-01-01T00:00:00Z"});
    let event: Envelope = serde_json::from_value(event).unwrap();
    let broker: Broker = nats.url().parse().unwrap();
    let publisher = broker.publisher("store_events");
    publisher.deliver(&Cx::system(), vec![event]).await.unwrap();
    app.eventually("it is seen", async || {
        let scrape = Scrape::of(&app).await;
        let of = |name: &str| scrape.get(name, &[("module", "store")]);
        of("comptoir_nats_events_unapplied") == Some(1.0)
            && of("comptoir_nats_events_waiting") == Some(0.0)
    })
    .await;
    let page = page();
    let nats = scrape.about().filter(|(name, _)| name.contains("_nats_"));
    let nats: Vec<_> = nats.collect();
    assert_eq!(nats.len(), 2);
    for (name, about) in nats {
        assert_eq!(page.get(name), Some(about), "{name} on the page");
    }
}
