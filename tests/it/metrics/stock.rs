//! Holds and transfers: what is open, and how holds end.

use std::time::Duration;

use comptoir::process::Module;
use uuid::Uuid;

use super::{Change, Scrape, assert_rises, sale};
use crate::{
    app::{Options, TOPOLOGIES, TestApp, Topology},
    transfers::{given, given_transfer},
};

/// Records sales of one unit, and waits until all their holds are consumed.
async fn given_sales(app: &TestApp, count: i64) {
    let (shop, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(shop, product, 10).await;
    for _ in 0..count {
        let body = sale(shop, &[(product, 1)], 100);
        app.post("/api/sales", &body).await.expect(201);
    }
    app.eventually("the holds are consumed", async || {
        let consumed = "SELECT count(*) FROM store.holds WHERE state = 'consumed'";
        app.db(Module::Store).number(consumed) == count
    })
    .await;
}

const SETTLED: &str = "comptoir_holds_settled_total";

const OF_A_LOST_SALE: &[Change] = &[
    (SETTLED, &[("state", "consumed"), ("by", "event")], 1.0),
    (SETTLED, &[("state", "released"), ("by", "sweeper")], 1.0),
    (SETTLED, &[], 2.0),
];

#[actix_web::test]
async fn a_hold_ends_by_its_sale_or_by_the_sweeper() {
    for topology in TOPOLOGIES {
        let options = Options {
            hold_ttl: Duration::from_secs(1),
            // The first pass comes at once, the second when the hold is to be released.
            sweep_every: Duration::from_secs(2),
            ..Options::default()
        };
        let app = TestApp::start_with(topology, options).await;
        let before = Scrape::of(&app).await;
        given_sales(&app, 1).await;
        // As if the process had died between T1 and T2.
        app.db(Module::Sales).execute(
            "DELETE FROM sales.payments; DELETE FROM sales.sale_lines; DELETE FROM sales.sales",
        );
        app.db(Module::Store)
            .execute("UPDATE store.holds SET state = 'held', resolved_at = NULL");
        app.eventually("the sweeper settles it", async || {
            let scrape = Scrape::of(&app).await;
            scrape.value(SETTLED, &[("state", "released")]) > 0.0
        })
        .await;
        assert_rises(&before, &Scrape::of(&app).await, OF_A_LOST_SALE);
    }
}

#[actix_web::test]
async fn a_hold_that_nobody_settles_is_open_and_then_overdue() {
    let options = Options {
        hold_ttl: Duration::from_secs(3_600),
        ..Options::default()
    };
    let mut app = TestApp::start_with(Topology::Split, options).await;
    given_sales(&app, 2).await;
    // Nobody can say any more what became of them.
    app.service(Module::Sales).kill();
    app.db(Module::Store).execute(
        "UPDATE store.holds SET state = 'held', resolved_at = NULL, \
             created_at = now() - interval '10 minutes'; \
         UPDATE store.holds SET created_at = now() - interval '2 hours' \
         WHERE hold_id = (SELECT min(hold_id::text)::uuid FROM store.holds)",
    );
    let store = [app.internal(Module::Store)];
    let figure = async |name: &str| {
        let scrape = Scrape::at(&app, &store).await;
        scrape.value(&format!("comptoir_holds_{name}"), &[])
    };
    app.eventually("both are open", async || figure("open").await == 2.0)
        .await;
    assert_eq!(figure("overdue").await, 1.0);
    let oldest = figure("oldest_age_seconds").await;
    assert!((7_200.0..10_000.0).contains(&oldest), "{oldest}");
    app.eventually("sales is seen to be away", async || {
        let scrape = Scrape::at(&app, &store).await;
        let unsent = [("peer", "sales"), ("outcome", "unsent")];
        let no_answer = [("port", "sale_outcomes"), ("outcome", "no_answer")];
        scrape.value("comptoir_peer_tries_total", &unsent) > 0.0
            && scrape.get("comptoir_port_call_duration_seconds_count", &no_answer) > Some(0.0)
    })
    .await;
}

#[actix_web::test]
async fn goods_are_in_transit_until_they_are_received() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 50).await;
        for status in ["approved", "in_transit", "partially_received", "received"] {
            let _: Uuid = given_transfer(&app, from, to, product, status).await;
        }
        // Ten are on the way, and six of the ten of which four arrived.
        app.eventually("they are gathered", async || {
            let scrape = Scrape::of(&app).await;
            scrape.get("comptoir_transfer_units_in_transit", &[]) == Some(16.0)
        })
        .await;
        let scrape = Scrape::of(&app).await;
        assert_eq!(scrape.value("comptoir_transfers_in_transit", &[]), 2.0);
    }
}
