//! Shifts under contention: at most one is open, each sale is in exactly the shift whose Z report
//! counts it, numbers have no gaps, and a repeated request happens once.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use futures::future::{join, join_all};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Reply, TestApp, WITH_REPLICAS, id},
    shifts::{
        ALL, cash, close, common, euros, given, given_register, given_shift, opening, path,
        sale_at, x_report, z_report,
    },
};

fn successes(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|r| r.status == status).count()
}

fn replayed(replies: &[Reply]) -> usize {
    replies
        .iter()
        .filter(|r| r.headers.contains_key("idempotent-replayed"))
        .count()
}

#[actix_web::test]
async fn of_many_who_open_a_shift_at_a_register_one_does() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, register, _) = given(&app).await;
        for _ in 0..3 {
            let body = opening(store, register, 10_000);
            let mut replies = join_all((0..6).map(|_| app.post(ALL, &body))).await;
            assert_eq!((successes(&replies, 201), successes(&replies, 409)), (1, 5));
            replies.sort_by_key(|reply| reply.status);
            let shift = id(&replies[0]);
            replies.remove(1).expect_problem(409, "shift-open");
            close(&app, shift, 10_000).await.expect(200);
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn of_many_who_close_a_shift_one_does() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, register, _) = given(&app).await;
        for z_number in 1..4 {
            let shift = given_shift(&app, store, register).await;
            let replies = join_all((0..6).map(|n| close(&app, shift, 9_000 + n))).await;
            assert_eq!((successes(&replies, 200), successes(&replies, 409)), (1, 5));
            let z = replies.into_iter().find(|r| r.status == 200).unwrap();
            assert_eq!(z.body["z_number"], z_number);
            assert_eq!(z_report(&app, shift).await, z.body);
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn equal_requests_with_one_key_are_one() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, register, _) = given(&app).await;
        let many = async |path: &str, body: &Value, other: &Value, status: u16| {
            let key = Uuid::now_v7().to_string();
            let replies = join_all((0..12).map(|_| app.post_keyed(path, &key, body))).await;
            for reply in &replies {
                assert_eq!((reply.status, &reply.text), (status, &replies[0].text));
            }
            assert_eq!(replayed(&replies), 11, "{path}");
            app.post_keyed(path, &key, other)
                .await
                .expect_problem(422, "idempotency-key-reused");
            (key, replies[0].clone())
        };
        let (open, other) = (opening(store, register, 500), opening(store, register, 501));
        let (key, opened) = many(ALL, &open, &other, 201).await;
        let shift = id(&opened);
        many(
            &path(shift, "cash"),
            &cash("out", 400),
            &cash("out", 4),
            201,
        )
        .await;
        let x = x_report(&app, shift).await;
        assert_eq!(x["drawer"]["expected"], euros(100));
        let (body, other) = (json!({"total": euros(100)}), json!({"total": euros(99)}));
        let (_, closed) = many(&path(shift, "close"), &body, &other, 200).await;
        assert_eq!(common(closed.body), common(x));
        // The answer is the one that was given then, though the shift is closed now.
        let again = app.post_keyed(ALL, &key, &open).await;
        assert_eq!(again.text, opened.text);
        // What was refused leaves the key free.
        let key = Uuid::now_v7().to_string();
        let first = given_shift(&app, store, register).await;
        app.post_keyed(ALL, &key, &open)
            .await
            .expect_problem(409, "shift-open");
        close(&app, first, 0).await.expect(200);
        app.post_keyed(ALL, &key, &open).await.expect(201);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_drawer_never_gives_more_than_there_is_to_be_in_it() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, register, _) = given(&app).await;
        let shift = given_shift(&app, store, register).await;
        let (at, body) = (path(shift, "cash"), cash("out", 3_000));
        let replies = join_all((0..8).map(|_| app.post(&at, &body))).await;
        assert_eq!((successes(&replies, 201), successes(&replies, 409)), (3, 5));
        let x = x_report(&app, shift).await;
        assert_eq!(x["drawer"]["expected"], euros(1_000));
        app.assert_invariants().await;
    }
}

/// Tills sell without a pause while shifts are closed and opened under their hands.
#[actix_web::test]
async fn every_sale_is_in_exactly_the_shift_whose_z_report_counts_it() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, first, product) = given(&app).await;
        let registers = [first, given_register(&app, store).await];
        let done = AtomicBool::new(false);
        let till = async |n: usize| {
            let (mut sales, mut turn) = (Vec::new(), n);
            while !done.load(Ordering::Relaxed) {
                turn += 1;
                let tender = ["cash", "card"][turn / 2 % 2];
                let body = sale_at(store, registers[turn % 2], product, 1, &[(tender, 100)]);
                sales.push(app.post("/api/sales", &body).await.expect(201));
                if turn % 7 == 0 {
                    let mut back = crate::returns::back(sales.last().unwrap(), 1, "restock");
                    back["register_id"] = json!(registers[turn % 2]);
                    sales.push(app.post("/api/returns", &back).await.expect(201));
                }
                if turn % 11 == 0 && turn % 7 != 0 {
                    let path = format!(
                        "/api/sales/{}/void",
                        sales.last().unwrap()["id"].as_str().unwrap()
                    );
                    app.post(&path, &json!({"reason": "a test"}))
                        .await
                        .expect(200);
                }
            }
            sales
        };
        let office = async {
            let mut shifts = Vec::new();
            for round in 0..8 {
                let register = registers[round % 2];
                let shift = given_shift(&app, store, register).await;
                for _ in 0..4 {
                    x_report(&app, shift).await;
                }
                shifts.push((shift, close(&app, shift, 10_000).await.expect(200)));
            }
            done.store(true, Ordering::Relaxed);
            shifts
        };
        let (documents, shifts) = join(join_all((0..6).map(till)), office).await;
        let documents: Vec<Value> = documents.into_iter().flatten().collect();
        for (shift, z) in &shifts {
            assert_eq!(&z_report(&app, *shift).await, z);
            let mine = |kind: &str| {
                let of = |d: &&Value| d["shift_id"] == json!(shift) && d[kind].is_object();
                let all = documents.iter().filter(of);
                let sums = all.map(|d| d[kind]["amount"].as_i64().unwrap());
                (sums.clone().count(), sums.sum::<i64>())
            };
            let said = |kind: &str| {
                let (n, total) = (&z[kind]["count"], &z[kind]["total"]["amount"]);
                (
                    usize::try_from(n.as_i64().unwrap()).unwrap(),
                    total.as_i64().unwrap(),
                )
            };
            assert_eq!(
                (mine("total"), mine("refund")),
                (said("sales"), said("returns"))
            );
        }
        let inside = documents
            .iter()
            .filter(|d| d["shift_id"].is_string())
            .count();
        assert!(inside > 0, "nothing was sold in a shift");
        for register in registers {
            let here = documents
                .iter()
                .filter(|d| d["register_id"] == json!(register));
            let numbers: BTreeSet<i64> = here
                .clone()
                .map(|d| d["receipt_number"].as_i64().unwrap())
                .collect();
            assert_eq!(numbers.len(), here.count(), "each has a number of its own");
            let last = numbers.last().copied().unwrap_or_default();
            assert_eq!(
                numbers.into_iter().collect::<Vec<_>>(),
                (1..=last).collect::<Vec<_>>()
            );
        }
        app.assert_invariants().await;
    }
}
