//! The change feeds: nothing is missed, doubled or out of order, whoever writes at the same time.

use std::collections::{BTreeMap, BTreeSet};

use comptoir::process::Module;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    app::{TOPOLOGIES, TestApp},
    sales::sale,
};

/// Reads on from `last`, and says where it got to.
async fn read_on(app: &TestApp, path: &str, last: i64, seen: &mut Vec<Value>) -> i64 {
    let part = app
        .get(&format!("{path}?after={last}&limit=7"))
        .await
        .expect(200);
    seen.extend(part["items"].as_array().unwrap().clone());
    part["last"].as_i64().unwrap()
}

#[actix_web::test]
async fn a_reader_who_goes_on_from_the_last_place_gets_every_event_once_and_in_order() {
    const SALES: usize = 60;
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 1_000).await;
        let sell_and_void = async || {
            let sold = app
                .post("/api/sales", &sale(store, &[(product, 1)], 100))
                .await
                .expect(201);
            let path = format!("/api/sales/{}/void", sold["id"].as_str().unwrap());
            app.post(&path, &json!({"reason": "a test"}))
                .await
                .expect(200);
        };
        let writing = async {
            for _ in 0..3 {
                join_all((0..SALES / 3).map(|_| sell_and_void())).await;
            }
        };
        let (mut seen, mut last) = (Vec::new(), 0);
        let reading = async {
            while seen.len() < 2 * SALES {
                last = read_on(&app, "/api/sales/events", last, &mut seen).await;
            }
        };
        let both = async { futures::join!(writing, reading) };
        tokio::time::timeout(std::time::Duration::from_secs(60), both)
            .await
            .expect("every event comes");
        assert_eq!(
            read_on(&app, "/api/sales/events", last, &mut seen).await,
            last
        );

        let stored = app
            .db(Module::Sales)
            .number("SELECT count(*) FROM sales.outbox");
        assert_eq!(i64::try_from(seen.len()).unwrap(), stored, "{topology:?}");
        let ids: BTreeSet<&str> = seen
            .iter()
            .map(|e| e["event_id"].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), seen.len(), "none twice");
        let places: Vec<i64> = seen
            .iter()
            .map(|e| e["position"].as_i64().unwrap())
            .collect();
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
        let mut seqs: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for event in &seen {
            let of = seqs
                .entry(event["aggregate_id"].as_str().unwrap())
                .or_default();
            of.push(event["seq"].as_i64().unwrap());
        }
        assert!(seqs.values().all(|seqs| seqs == &[1, 2]), "{seqs:?}");
    }
}

#[actix_web::test]
async fn every_module_has_a_feed() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        app.given_store().await;
        app.given_product(100).await;
        for (path, kind) in [
            ("/api/auth/events", "user"),
            ("/api/stores/events", "store"),
            ("/api/inventory/events", "product"),
        ] {
            app.eventually(path, async || {
                let mut seen = Vec::new();
                read_on(&app, path, 0, &mut seen).await;
                seen.iter().any(|event| event["aggregate_type"] == kind)
            })
            .await;
        }
    }
}
