//! Counts under contention: selling goes on while goods are counted, and what is done twice at once
//! happens once.

use comptoir::process::Module;
use futures::future::{join, join_all};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::{Options, Reply, TOPOLOGIES, TestApp, Topology, WITH_REPLICAS},
    counts::{ALL, does, enters, entry, given, given_count, keep, of_products, path, sells},
};

fn successes(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|r| r.status == status).count()
}

async fn sell_at_once(app: &TestApp, store: Uuid, product: Uuid, sales: usize) {
    join_all((0..sales).map(|_| sells(app, store, product, 1))).await;
}

/// What is wrong in the books of one product, and how it is counted: at once, in parts between
/// which goods are sold of what was counted, or twice, where the first was a mistake.
const SHELVES: [(i64, &str); 6] = [
    (0, "once"),
    (-7, "once"),
    (5, "in parts"),
    (-3, "in parts"),
    (0, "in parts"),
    (4, "twice"),
];

#[actix_web::test]
async fn counting_while_selling_goes_on_ends_with_the_truth() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, products) = given(&app, &[100; 6]).await;
        let count = given_count(&app, store, &products).await;
        // Each product has people of its own, who sell and count it while the others do.
        let shelves = products.iter().zip(SHELVES);
        join_all(shelves.map(async |(product, (wrong, how))| {
            sell_at_once(&app, store, *product, 6).await;
            let truth = 100 + wrong - 6;
            match how {
                "once" => {
                    enters(&app, count, *product, "set", truth).await;
                }
                "in parts" => {
                    enters(&app, count, *product, "add", 60).await;
                    sell_at_once(&app, store, *product, 4).await;
                    enters(&app, count, *product, "add", truth - 60).await;
                }
                _ => {
                    enters(&app, count, *product, "add", 999).await;
                    sell_at_once(&app, store, *product, 4).await;
                    enters(&app, count, *product, "set", truth - 4).await;
                }
            }
            sell_at_once(&app, store, *product, 5).await;
        }))
        .await;
        // It is posted while they sell on.
        let zero = json!({"uncounted": "zero"});
        let selling = join_all(products.iter().map(|p| sell_at_once(&app, store, *p, 5)));
        let (posted, _) = join(does(&app, count, "post", &zero), selling).await;
        posted.expect(200);
        for (product, (wrong, how)) in products.iter().zip(SHELVES) {
            let sold = if how == "once" { 16 } else { 20 };
            let on_hand = app.on_hand(store, *product).await;
            assert_eq!(on_hand, 100 + wrong - sold, "{wrong} {how}");
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn an_entry_remembers_a_moment_that_was() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, products) = given(&app, &[100, 100]).await;
        let count = given_count(&app, store, &products).await;
        // Of the same products at the same time, in the one order and in the other.
        let both = |first: Uuid, second: Uuid| json!({"entries": [{"product_id": first, "quantity": 1}, {"product_id": second, "quantity": 1}]});
        let scans = [
            both(products[0], products[1]),
            both(products[1], products[0]),
        ];
        for _ in 0..5 {
            let counting = join_all((0..6).map(|n| does(&app, count, "lines", &scans[n % 2])));
            let selling = join_all(products.iter().map(|p| sell_at_once(&app, store, *p, 6)));
            let (counted, _) = join(counting, selling).await;
            assert_eq!(successes(&counted, 200), 6);
        }
        let db = app.db(Module::Store);
        let wrong = "SELECT count(*) FROM store.count_entries e \
            LEFT JOIN store.movements m ON m.store_id = e.store_id AND m.product_id = e.product_id \
                AND m.seq = e.level_version \
            WHERE e.on_hand IS DISTINCT FROM m.balance";
        assert_eq!(db.number(wrong), 0);
        let moments = "SELECT count(DISTINCT level_version) FROM store.count_entries";
        assert!(db.number(moments) >= 5, "between rounds goods were sold");
        let back = "SELECT count(*) FROM (SELECT level_version, lag(level_version) \
            OVER (PARTITION BY product_id ORDER BY seq) AS before FROM store.count_entries) e \
            WHERE level_version < before";
        assert_eq!(db.number(back), 0);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_count_is_posted_once_or_cancelled_once() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, products) = given(&app, &[10]).await;
        let product = products[0];
        for round in 0..4 {
            let before = app.on_hand(store, product).await;
            let count = given_count(&app, store, &products).await;
            enters(&app, count, product, "set", before + 3).await;
            let (zero, why) = (json!({"uncounted": "zero"}), json!({"reason": "a test"}));
            let keep = keep();
            let replies = join_all([
                does(&app, count, "post", &keep),
                does(&app, count, "post", &zero),
                does(&app, count, "cancel", &why),
                does(&app, count, "cancel", &why),
            ])
            .await;
            assert_eq!((successes(&replies, 200), successes(&replies, 409)), (1, 3));
            let posted = replies[..2].iter().any(|reply| reply.status == 200);
            let moved = if posted { 3 } else { 0 };
            assert_eq!(app.on_hand(store, product).await, before + moved, "{round}");
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_is_repeated_with_one_key_happens_once() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, products) = given(&app, &[10]).await;
        let product = products[0];
        let (key, body) = (Uuid::now_v7().to_string(), of_products(store, &products));
        let opened = join_all((0..10).map(|_| app.post_keyed(ALL, &key, &body))).await;
        for reply in &opened {
            assert_eq!((reply.status, &reply.text), (201, &opened[0].text));
        }
        let count = crate::app::id(&opened[0]);
        let steps = [
            ("lines", entry(product, "add", 4), entry(product, "add", 5)),
            ("recount", json!({"over_units": 1}), json!({"moved": true})),
            ("lines", entry(product, "add", 12), entry(product, "add", 5)),
            ("post", keep(), json!({"uncounted": "zero"})),
        ];
        for (verb, body, other) in steps {
            let (at, key) = (path(count, verb), Uuid::now_v7().to_string());
            let replies = join_all((0..10).map(|_| app.post_keyed(&at, &key, &body))).await;
            for reply in &replies {
                assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
            }
            let replayed = replies
                .iter()
                .filter(|r| r.headers.contains_key("idempotent-replayed"));
            assert_eq!(replayed.count(), 9, "{verb}");
            app.post_keyed(&at, &key, &other)
                .await
                .expect_problem(422, "idempotency-key-reused");
        }
        assert_eq!(app.on_hand(store, product).await, 12);
        let entries = app.get(&path(count, "entries")).await.expect(200);
        assert_eq!(entries["items"].as_array().unwrap().len(), 2);
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_is_entered_while_a_count_is_posted_is_in_it_or_refused() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, products) = given(&app, &[100]).await;
        let product = products[0];
        for _ in 0..3 {
            let count = given_count(&app, store, &products).await;
            enters(&app, count, product, "set", 50).await;
            let (one, keep) = (entry(product, "add", 1), keep());
            let entering = join_all((0..12).map(|_| does(&app, count, "lines", &one)));
            let (entered, posted) = join(entering, does(&app, count, "post", &keep)).await;
            posted.expect(200);
            let (kept, refused) = (successes(&entered, 200), successes(&entered, 409));
            assert_eq!(kept + refused, 12);
            let on_hand = app.on_hand(store, product).await;
            assert_eq!(on_hand, 50 + i64::try_from(kept).unwrap());
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn of_counts_that_would_cover_the_same_product_one_is_opened() {
    for topology in WITH_REPLICAS {
        let app = TestApp::start(topology).await;
        let (store, p) = given(&app, &[10, 10, 10]).await;
        for _ in 0..3 {
            let bodies = [
                json!({"store_id": store, "scope": {"kind": "full"}}),
                of_products(store, &[p[0], p[1]]),
                of_products(store, &[p[1], p[2]]),
                json!({"store_id": store, "scope": {"kind": "full"}}),
            ];
            let replies = join_all(bodies.iter().map(|body| app.post(ALL, body))).await;
            assert_eq!((successes(&replies, 201), successes(&replies, 409)), (1, 3));
            let opened = replies.iter().find(|reply| reply.status == 201).unwrap();
            let why = json!({"reason": "a test"});
            does(&app, crate::app::id(opened), "cancel", &why)
                .await
                .expect(200);
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn posting_takes_as_many_statements_however_many_lines_there_are() {
    let options = Options {
        count_statements: true,
        background: false,
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Whole, options).await;
    let mut taken = Vec::new();
    for size in [3, 120] {
        let (store, products) = given(&app, &vec![10; size]).await;
        let count = given_count(&app, store, &products).await;
        let entries: Vec<_> = products
            .iter()
            .map(|product| json!({"product_id": product, "quantity": 9}))
            .collect();
        let before = app.statements(Module::Store);
        does(&app, count, "lines", &json!({"entries": entries}))
            .await
            .expect(200);
        let entered = app.statements(Module::Store);
        does(&app, count, "post", &keep()).await.expect(200);
        let posted = app.statements(Module::Store);
        taken.push((entered - before, posted - entered));
        let after = app.get(&format!("{ALL}/{count}")).await.expect(200);
        assert_eq!(after["summary"]["units_down"], size);
    }
    assert_eq!(taken[0], taken[1]);
    assert!(taken[0].1 < 20, "{taken:?}");
    app.assert_invariants().await;
}

/// As many as a store may have and be counted in one go.
const MANY: &str = "\
    WITH p AS (SELECT gen_random_uuid() AS id FROM generate_series(1, 19000)), \
    l AS (INSERT INTO store.levels (store_id, product_id, on_hand, version, updated_at) \
        SELECT '{store}', id, 5, 1, now() FROM p) \
    INSERT INTO store.movements (store_id, product_id, seq, delta, damaged_delta, balance, \
        damaged_balance, may_go_negative, reason, document_type, document_id, actor_id, occurred_at, \
        recorded_at) \
    SELECT '{store}', id, 1, 5, 0, 5, 0, false, 'opening', 'adjustment', '{store}', '{store}', \
        now(), now() FROM p";

#[actix_web::test]
async fn a_store_with_19_000_products_is_counted_whole_while_it_sells() {
    let app = TestApp::start(Topology::Whole).await;
    let (store, products) = given(&app, &[100]).await;
    let db = app.db(Module::Store);
    db.execute(&MANY.replace("{store}", &store.to_string()));
    let body = json!({"store_id": store, "scope": {"kind": "full"}});
    let opened = app.post(ALL, &body).await;
    let count = crate::app::id(&opened);
    assert_eq!(opened.body["summary"]["lines"], 19_001);
    enters(&app, count, products[0], "set", 90).await;
    let zero = json!({"uncounted": "zero"});
    let selling = sell_at_once(&app, store, products[0], 10);
    let (posted, ()) = join(does(&app, count, "post", &zero), selling).await;
    assert_eq!(posted.expect(200)["summary"]["units_down"], 5 * 19_000 + 10);
    assert_eq!(app.on_hand(store, products[0]).await, 80);
    app.assert_invariants().await;
}
