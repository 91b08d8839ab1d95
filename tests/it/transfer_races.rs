//! Transfers under contention: of those who want the same goods at once, as many succeed as may; a
//! repeated request happens once.

use comptoir::process::Module;
use futures::future::{join, join_all};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::{Reply, TOPOLOGIES, TestApp, WITH_REPLICAS, id},
    sales::sale,
    transfers::{ALL, does, draft, given, given_transfer, level, line, path, receipt},
};

fn successes(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|r| r.status == status).count()
}

#[actix_web::test]
async fn of_two_receipts_of_the_last_box_one_succeeds() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 100).await;
        for round in 0..5 {
            let transfer = given_transfer(&app, from, to, product, "in_transit").await;
            let nine = receipt(product, 9, 0, 0);
            does(&app, transfer, "receive", &nine).await.expect(200);
            let last = receipt(product, 1, 0, 0);
            let broken = receipt(product, 0, 1, 0);
            let (one, other) = join(
                does(&app, transfer, "receive", &last),
                does(&app, transfer, "receive", &broken),
            )
            .await;
            let replies = [one, other];
            assert_eq!((successes(&replies, 200), successes(&replies, 409)), (1, 1));
            let line = line(&app, transfer).await;
            let arrived = line["received"].as_i64().unwrap() + line["damaged"].as_i64().unwrap();
            assert_eq!((arrived, &line["in_transit"]), (10, &json!(0)), "{round}");
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn equal_receipts_with_one_key_are_one() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 10).await;
        let transfer = given_transfer(&app, from, to, product, "in_transit").await;
        let (at, key) = (path(transfer, "receive"), Uuid::now_v7().to_string());
        let body = receipt(product, 3, 1, 0);
        let replies = join_all((0..20).map(|_| app.post_keyed(&at, &key, &body))).await;
        for reply in &replies {
            assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
        }
        let replayed = replies
            .iter()
            .filter(|r| r.headers.contains_key("idempotent-replayed"));
        assert_eq!(replayed.count(), 19);
        assert_eq!(level(&app, to, product).await, [3, 0, 1, 6]);
        app.post_keyed(&at, &key, &receipt(product, 3, 0, 0))
            .await
            .expect_problem(422, "idempotency-key-reused");
        let receipts = app.get(&path(transfer, "receipts")).await.expect(200);
        assert_eq!(receipts["items"].as_array().unwrap().len(), 1);

        // What was refused leaves the key free.
        let (at, key) = (path(transfer, "close"), Uuid::now_v7().to_string());
        let body = json!({"reason": "a test"});
        app.post_keyed(&at, &key, &body)
            .await
            .expect_problem(409, "goods-in-transit");
        let body = json!({"reason": "a test", "write_off": true});
        app.post_keyed(&at, &key, &body).await.expect(200);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_draft_made_twenty_times_with_one_key_is_one() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 10).await;
    let (key, body) = (Uuid::now_v7().to_string(), draft(from, to, &[(product, 5)]));
    let replies = join_all((0..20).map(|_| app.post_keyed(ALL, &key, &body))).await;
    for reply in &replies {
        assert_eq!((reply.status, &reply.text), (201, &replies[0].text));
    }
    let other = draft(from, to, &[(product, 6)]);
    app.post_keyed(ALL, &key, &other)
        .await
        .expect_problem(422, "idempotency-key-reused");
    let list = app
        .get(&format!("{ALL}?to_store_id={to}"))
        .await
        .expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_dispatch_and_sales_of_the_same_goods_never_take_more_than_there_is() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        for _ in 0..3 {
            let (from, to, product) = given(&app, 15).await;
            let transfer = given_transfer(&app, from, to, product, "approved").await;
            let body = sale(from, &[(product, 1)], 100);
            let sales = join_all((0..12).map(|_| app.post("/api/sales", &body)));
            let (sold, sent) = join(sales, does(&app, transfer, "dispatch", &json!({}))).await;
            let sold = i64::try_from(successes(&sold, 201)).unwrap();
            let left = level(&app, from, product).await;
            if sent.status == 200 {
                assert_eq!((sold, left), (5, [0, 0, 0, 0]));
                assert_eq!(level(&app, to, product).await, [0, 0, 0, 10]);
            } else {
                let problem = sent.expect_problem(409, "insufficient-stock");
                let available = problem["errors"][0]["available"].as_i64().unwrap();
                assert!((3..10).contains(&available), "{problem}");
                assert_eq!((sold, left), (12, [3, 10, 0, 0]));
                // The source sends what is left; nothing stays reserved.
                let three = json!({"lines": [{"product_id": product, "quantity": 3}]});
                does(&app, transfer, "dispatch", &three).await.expect(200);
                assert_eq!(level(&app, from, product).await, [0, 0, 0, 0]);
            }
        }
        app.eventually("the holds are consumed", async || {
            app.db(Module::Store)
                .number("SELECT count(*) FROM store.holds WHERE state = 'held'")
                == 0
        })
        .await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn of_a_cancellation_and_a_dispatch_at_once_one_succeeds() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 100).await;
        for _ in 0..8 {
            let before = level(&app, from, product).await[0];
            let transfer = given_transfer(&app, from, to, product, "approved").await;
            let why = json!({"reason": "a test"});
            let nothing = json!({});
            let (sent, cancelled) = join(
                does(&app, transfer, "dispatch", &nothing),
                does(&app, transfer, "cancel", &why),
            )
            .await;
            let [left, reserved, ..] = level(&app, from, product).await;
            assert_eq!(reserved, 0);
            if sent.status == 200 {
                cancelled.expect_problem(409, "transfer-status");
                assert_eq!(left, before - 10);
            } else {
                sent.expect_problem(409, "transfer-status");
                cancelled.expect(200);
                assert_eq!(left, before);
            }
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn the_same_goods_are_promised_once_but_may_be_sold() {
    let app = TestApp::start(TOPOLOGIES[0]).await;
    let (from, to, product) = given(&app, 25).await;
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(given_transfer(&app, from, to, product, "requested").await);
    }
    let nothing = json!({});
    let replies = join_all(asked.iter().map(|t| does(&app, *t, "approve", &nothing))).await;
    assert_eq!((successes(&replies, 200), successes(&replies, 409)), (2, 3));
    assert_eq!(level(&app, from, product).await, [25, 20, 0, 0]);
    let (refused, reply) = asked
        .iter()
        .zip(replies)
        .find(|(_, reply)| reply.status == 409)
        .unwrap();
    let problem = reply.expect_problem(409, "insufficient-stock");
    assert_eq!(problem["errors"][0]["available"], 5);
    let five = json!({"lines": [{"product_id": product, "quantity": 5}]});
    does(&app, *refused, "approve", &five).await.expect(200);
    assert_eq!(level(&app, from, product).await, [25, 25, 0, 0]);

    app.post("/api/sales", &sale(from, &[(product, 25)], 2_500))
        .await
        .expect(201);
    assert_eq!(level(&app, from, product).await, [0, 25, 0, 0]);
    app.assert_invariants().await;
}

#[actix_web::test]
async fn not_more_goes_back_than_came_even_when_asked_twice_at_once() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (from, to, product) = given(&app, 10).await;
        let transfer = given_transfer(&app, from, to, product, "received").await;
        let six = json!({"lines": [{"product_id": product, "quantity": 6}], "reason": "too many"});
        let replies = join_all((0..4).map(|_| does(&app, transfer, "return", &six))).await;
        assert_eq!((successes(&replies, 201), successes(&replies, 409)), (1, 3));
        let refused = replies.iter().find(|r| r.status == 409).unwrap();
        let problem = refused.clone().expect_problem(409, "more-than-received");
        assert_eq!(problem["errors"][0]["limit"], 4);
        let made = replies.into_iter().find(|r| r.status == 201).unwrap();
        let back = id(&made);
        assert_eq!(made.body["return_of"], json!(transfer));
        assert_eq!(made.body["from_store_id"], json!(to));
        assert_eq!(line(&app, transfer).await["returned"], 6);

        // Less goes back than was asked for, so that more may follow.
        let two = json!({"lines": [{"product_id": product, "quantity": 2}]});
        does(&app, back, "approve", &two).await.expect(200);
        assert_eq!(line(&app, transfer).await["returned"], 2);
        does(&app, back, "dispatch", &json!({})).await.expect(200);
        does(&app, back, "receive", &receipt(product, 2, 0, 0))
            .await
            .expect(200);
        assert_eq!(level(&app, from, product).await, [2, 0, 0, 0]);
        assert_eq!(level(&app, to, product).await, [8, 0, 0, 0]);
        let again = id(&does(&app, transfer, "return", &six).await);
        let why = json!({"reason": "keep them"});
        does(&app, again, "reject", &why).await.expect(200);
        assert_eq!(line(&app, transfer).await["returned"], 2);
        app.assert_invariants().await;
    }
}
