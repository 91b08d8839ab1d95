//! Who sees and does what of transfers, how another module makes one, and proof that books which do
//! not add up are found.

use std::sync::Arc;

use comptoir::process::Module;
use futures::future::join_all;
use kernel::{
    auth::Role,
    call::{CallError, Cx},
    ids::{ProductId, StoreId, TransferId},
    money::Quantity,
};
use reqwest::Method;
use serde_json::{Value, json};
use store_api::{
    NewTransfer, NewTransferLine, SourceDocument, TransferRefused, TransferStart, Transfers,
    TransfersClient,
};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology, id},
    store_ports,
    transfers::{ALL, draft, given, given_transfer, path, receipt},
};

#[actix_web::test]
async fn each_end_does_its_part_and_a_stranger_sees_nothing() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 100).await;
        let elsewhere = app.given_store().await;
        let giver = app.user(Role::Manager, Some(from)).await;
        let getter = app.user(Role::Clerk, Some(to)).await;
        let stranger = app.user(Role::Manager, Some(elsewhere)).await;
        let cashier = app.user(Role::Cashier, Some(to)).await;
        let as_user = async |token: &str, method: Method, path: &str, body: &Value| {
            let body = (method != Method::GET).then_some(body);
            app.send(method, path, token, None, body).await
        };
        let body = draft(from, to, &[(product, 10)]);
        as_user(&giver, Method::POST, ALL, &body)
            .await
            .expect_problem(404, "not-found");
        as_user(&cashier, Method::POST, ALL, &body)
            .await
            .expect_problem(403, "forbidden");
        let transfer = id(&as_user(&getter, Method::POST, ALL, &body).await);

        let why = json!({"reason": "a test"});
        let back = json!({"lines": [{"product_id": product, "quantity": 1}], "reason": "a test"});
        let steps = [
            ("request", json!({}), &getter, &giver),
            ("approve", json!({}), &giver, &getter),
            ("dispatch", json!({}), &giver, &getter),
            ("receive", receipt(product, 4, 0, 0), &getter, &giver),
            (
                "close",
                json!({"reason": "x", "write_off": true}),
                &getter,
                &giver,
            ),
            ("return", back, &getter, &giver),
        ];
        let own = format!("{ALL}/{transfer}");
        for (verb, body, may, may_not) in &steps {
            let at = path(transfer, verb);
            as_user(&stranger, Method::POST, &at, body)
                .await
                .expect_problem(404, "not-found");
            as_user(may_not, Method::POST, &at, body)
                .await
                .expect_problem(403, "forbidden");
            let done = as_user(may, Method::POST, &at, body).await;
            assert!(done.status < 300, "{verb}: {}", done.text);
        }
        for token in [&giver, &getter] {
            as_user(token, Method::GET, &own, &why).await.expect(200);
            let list = as_user(token, Method::GET, ALL, &why).await.expect(200);
            assert_eq!(list["items"].as_array().unwrap().len(), 2);
        }
        for at in [own.clone(), path(transfer, "receipts")] {
            as_user(&stranger, Method::GET, &at, &why)
                .await
                .expect_problem(404, "not-found");
        }
        as_user(&stranger, Method::PATCH, &own, &json!({"note": "x"}))
            .await
            .expect_problem(404, "not-found");
        let list = as_user(&stranger, Method::GET, ALL, &why).await.expect(200);
        assert_eq!(list["items"], json!([]));
    }
}

#[actix_web::test]
async fn the_list_is_filtered_and_paged_from_the_newest() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 100).await;
    let mut made = Vec::new();
    for status in ["draft", "requested", "approved", "draft", "cancelled"] {
        made.push(given_transfer(&app, from, to, product, status).await);
    }
    let other = app.given_product(1).await;
    made.push(id(&app.post(ALL, &draft(to, from, &[(other, 1)])).await));
    let ids = async |query: &str| {
        let page = app.get(&format!("{ALL}?{query}")).await.expect(200);
        let ids: Vec<Uuid> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().parse().unwrap())
            .collect();
        (ids, page["next_cursor"].clone())
    };
    let newest: Vec<Uuid> = made.iter().rev().copied().collect();
    let (first, cursor) = ids(&format!("store_id={to}&limit=4")).await;
    assert_eq!(first, newest[..4]);
    let cursor = cursor.as_str().unwrap();
    let (rest, end) = ids(&format!("store_id={to}&limit=4&cursor={cursor}")).await;
    assert_eq!((&rest[..], end), (&newest[4..], Value::Null));
    assert_eq!(ids(&format!("from_store_id={to}")).await.0, [made[5]]);
    assert_eq!(
        ids(&format!("to_store_id={to}&status=draft")).await.0,
        [made[3], made[0]]
    );
    assert_eq!(ids(&format!("product_id={other}")).await.0, [made[5]]);
}

/// The port as another module would reach it.
async fn port(app: &TestApp) -> Arc<dyn Transfers> {
    match app.topology {
        Topology::Whole => store_ports::local(&store_ports::db(app)),
        Topology::Split => Arc::new(TransfersClient::new(store_ports::peer(app))),
        other => panic!("no way into {other:?}"),
    }
}

#[actix_web::test]
async fn another_module_makes_a_transfer_once_under_an_id_of_its_own() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 10).await;
        let transfers = port(&app).await;
        let new = NewTransfer {
            id: TransferId::new(),
            from_store_id: StoreId(from),
            to_store_id: StoreId(to),
            lines: vec![NewTransferLine {
                product_id: ProductId(product),
                sku: "P-1".into(),
                name: "Product".into(),
                quantity: Quantity::new(4).unwrap(),
            }],
            note: None,
            source: Some(SourceDocument {
                kind: "replenishment_request".into(),
                id: Uuid::now_v7(),
            }),
            start: TransferStart::Requested,
        };
        let cx = Cx::system();
        let made = join_all((0..8).map(|_| transfers.create(&cx, new.clone()))).await;
        let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
        assert_eq!(made.iter().filter(|made| !made.replayed).count(), 1);
        assert!(
            made.iter()
                .all(|m| (m.id, m.number) == (new.id, made[0].number))
        );
        let found = app.get(&format!("{ALL}/{}", new.id)).await.expect(200);
        assert_eq!(found["status"], "requested");
        assert_eq!(found["source"]["type"], "replenishment_request");

        let refused = async |new: &NewTransfer| match transfers.create(&cx, new.clone()).await {
            Err(CallError::Refused(refused)) => refused,
            other => panic!("{other:?}"),
        };
        let mut other = new.clone();
        other.lines[0].quantity = Quantity::new(5).unwrap();
        assert_eq!(refused(&other).await, TransferRefused::KeyReused);
        other.id = TransferId::new();
        other.from_store_id = StoreId::new();
        assert_eq!(refused(&other).await, TransferRefused::UnknownStore);
        other.from_store_id = other.to_store_id;
        assert!(matches!(
            refused(&other).await,
            TransferRefused::Invalid { .. }
        ));
        other.lines.clear();
        assert!(matches!(
            refused(&other).await,
            TransferRefused::Invalid { .. }
        ));
        app.assert_invariants().await;
    }
}

/// What breaks the books of transfers, by hand.
const SABOTAGE: &[&str] = &[
    "UPDATE store.transfer_lines SET sent = sent + 1",
    "UPDATE store.transfer_lines SET received = received + 1",
    "UPDATE store.transfer_lines SET lost = lost + 1",
    "UPDATE store.transfer_receipt_lines SET damaged = damaged + 1",
    "UPDATE store.levels SET incoming = incoming + 1",
    "UPDATE store.levels SET reserved = reserved + 1",
    "UPDATE store.transfers SET status = 'received', ended_at = now() WHERE status = 'in_transit'",
    "UPDATE store.movements SET delta = delta - 1 WHERE reason = 'transfer_out'",
    "UPDATE store.movements SET document_id = gen_random_uuid() WHERE reason = 'transfer_in'",
    "UPDATE store.transfers SET from_store_id = to_store_id, to_store_id = from_store_id",
];

#[actix_web::test]
async fn a_transfer_that_does_not_add_up_is_found() {
    for sabotage in SABOTAGE {
        let app = TestApp::start(Topology::Whole).await;
        let (from, to, product) = given(&app, 100).await;
        for status in ["approved", "in_transit", "partially_received", "closed"] {
            given_transfer(&app, from, to, product, status).await;
        }
        let violations = async || {
            let report = app.get("/api/stocks/integrity").await.expect(200);
            let checks = report["checks"].as_array().unwrap().clone();
            let check = checks.into_iter().find(|check| check["id"] == "I9");
            check.unwrap()["violations"].as_i64().unwrap()
        };
        assert_eq!(violations().await, 0);
        let db = app.db(Module::Store);
        db.execute(crate::invariants::DISARM);
        db.execute(sabotage);
        assert!(violations().await > 0, "{sabotage} was not noticed");
    }
}
