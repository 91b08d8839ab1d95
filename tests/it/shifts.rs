//! Shifts: what a register sells counts in its open shift, once, and a Z report never changes.

use comptoir::process::Module;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Options, Reply, TOPOLOGIES, TestApp, Topology, id};

pub const ALL: &str = "/api/sales/shifts";

pub fn euros(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

pub fn path(shift: Uuid, verb: &str) -> String {
    format!("{ALL}/{shift}/{verb}")
}

pub async fn given_register(app: &TestApp, store: Uuid) -> Uuid {
    let code = format!("T{}", Uuid::now_v7().simple());
    let body = json!({"code": code, "name": "Till"});
    id(&app
        .post(&format!("/api/stores/{store}/registers"), &body)
        .await)
}

/// A shop with a register, and a product of 1.00 € of which there is plenty.
pub async fn given(app: &TestApp) -> (Uuid, Uuid, Uuid) {
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 100_000).await;
    (store, given_register(app, store).await, product)
}

pub fn opening(store: Uuid, register: Uuid, float: i64) -> Value {
    json!({"store_id": store, "register_id": register, "opening_float": euros(float)})
}

pub async fn given_shift(app: &TestApp, store: Uuid, register: Uuid) -> Uuid {
    id(&app.post(ALL, &opening(store, register, 10_000)).await)
}

/// A sale at a register; `payments` are tenders and cents.
pub fn sale_at(
    store: Uuid,
    register: Uuid,
    product: Uuid,
    quantity: i64,
    payments: &[(&str, i64)],
) -> Value {
    let payments: Vec<Value> = payments
        .iter()
        .map(|(tender, amount)| json!({"tender": tender, "amount": euros(*amount)}))
        .collect();
    json!({
        "store_id": store, "register_id": register,
        "lines": [{"product_id": product, "quantity": quantity}], "payments": payments,
    })
}

pub fn cash(direction: &str, amount: i64) -> Value {
    json!({"direction": direction, "amount": euros(amount), "reason": "a test"})
}

pub async fn close(app: &TestApp, shift: Uuid, total: i64) -> Reply {
    app.post(&path(shift, "close"), &json!({"total": euros(total)}))
        .await
}

/// What an X and a Z report have in common.
pub fn common(mut report: Value) -> Value {
    let fields = report.as_object_mut().unwrap();
    for apart in [
        "taken_at",
        "z_number",
        "closed_at",
        "closed_by",
        "counted",
        "variance",
        "pieces",
        "note",
    ] {
        fields.remove(apart);
    }
    report
}

pub async fn x_report(app: &TestApp, shift: Uuid) -> Value {
    app.get(&path(shift, "x-report")).await.expect(200)
}

pub async fn z_report(app: &TestApp, shift: Uuid) -> Value {
    app.get(&path(shift, "z-report")).await.expect(200)
}

async fn sold(app: &TestApp, body: &Value) -> Value {
    app.post("/api/sales", body).await.expect(201)
}

fn of(document: &Value, name: &str) -> Value {
    json!([
        document["receipt_number"],
        document["shift_id"],
        document[name]["amount"]
    ])
}

#[actix_web::test]
async fn a_shift_counts_what_its_register_sells_takes_back_and_moves() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let other = given_register(&app, store).await;
        let shift = given_shift(&app, store, register).await;
        let sale = |quantity, payments| sale_at(store, register, product, quantity, payments);
        // 5.00 in cash out of 20.00, then 3.00 by card, then 4.00 less 1.00, both ways.
        let one = sold(&app, &sale(5, &[("cash", 2_000)])).await;
        assert_eq!(of(&one, "change"), json!([1, shift, 1_500]));
        sold(&app, &sale(3, &[("card", 300)])).await;
        let mut less = sale(4, &[("card", 100), ("cash", 200)]);
        less["discount"] = json!({"amount": euros(100)});
        sold(&app, &less).await;
        // Neither at another register nor without one.
        sold(&app, &sale_at(store, other, product, 7, &[("cash", 700)])).await;
        let none = sold(&app, &crate::sales::sale(store, &[(product, 1)], 100)).await;
        assert_eq!(of(&none, "change"), json!([null, null, 0]));

        let mut back = crate::returns::back(&one, 2, "restock");
        back["register_id"] = json!(register);
        let back = app.post("/api/returns", &back).await.expect(201);
        assert_eq!(of(&back, "refund"), json!([4, shift, 200]));
        let moved = app.post(&path(shift, "cash"), &cash("in", 1_000)).await;
        assert_eq!(moved.expect(201)["n"], 1);
        let moved = app.post(&path(shift, "cash"), &cash("out", 3_000)).await;
        assert_eq!(moved.expect(201)["n"], 2);

        let x = x_report(&app, shift).await;
        assert_eq!(
            x["sales"],
            json!({"count": 3, "total": euros(1_100), "tax": euros(183)})
        );
        assert_eq!(x["returns"]["total"], euros(200));
        assert_eq!(x["revenue"], euros(900));
        assert_eq!(x["discounts"], euros(100));
        assert_eq!(
            x["tenders"],
            json!([
                {"tender": "card", "received": euros(400), "voided": euros(0), "refunded": euros(0), "net": euros(400)},
                {"tender": "cash", "received": euros(700), "voided": euros(0), "refunded": euros(200), "net": euros(500)},
            ])
        );
        assert_eq!(x["taxes"][0]["net"], euros(900));
        assert_eq!(x["drawer"]["expected"], euros(10_000 + 500 + 1_000 - 3_000));
        assert_eq!(
            json!([x["first_receipt"], x["last_receipt"]]),
            json!([1, 4])
        );

        let body = json!({
            "pieces": [{"value": euros(2_000), "count": 4}, {"value": euros(50), "count": 9}],
            "total": euros(8_450), "note": "A coin under the till",
        });
        let z = app.post(&path(shift, "close"), &body).await.expect(200);
        assert_eq!(
            json!([z["z_number"], z["variance"]]),
            json!([1, euros(-50)])
        );
        assert_eq!(common(z.clone()), common(x));
        assert_eq!(z_report(&app, shift).await, z);
        let closed = app.get(&format!("{ALL}/{shift}")).await.expect(200);
        assert_eq!(closed["status"], "closed");
        assert_eq!(closed["expected"], euros(8_500));
        let list = app.get(&path(shift, "cash?limit=1")).await.expect(200);
        assert_eq!(list["items"][0]["direction"], "in");
        assert!(list["next_cursor"].is_string());
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_happens_after_a_close_counts_in_the_next_shift_or_in_none() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let sale = sale_at(store, register, product, 5, &[("cash", 500)]);
        let void = async |sale: &Value| {
            let path = format!("/api/sales/{}/void", sale["id"].as_str().unwrap());
            app.post(&path, &json!({"reason": "a test"}))
                .await
                .expect(200)
        };
        let before = sold(&app, &sale).await;
        assert_eq!(of(&before, "total"), json!([1, null, 500]));

        let first = given_shift(&app, store, register).await;
        let (kept, gone, later) = (
            sold(&app, &sale).await,
            sold(&app, &sale).await,
            sold(&app, &sale).await,
        );
        void(&gone).await;
        let x = x_report(&app, first).await;
        assert_eq!(
            json!([x["sales"]["count"], x["voids"]["count"]]),
            json!([3, 1])
        );
        assert_eq!(x["drawer"]["takings"], euros(1_000));
        let z = close(&app, first, 11_000).await.expect(200);
        assert_eq!(z["variance"], euros(0));

        // While no shift is open: recorded and numbered all the same.
        let between = sold(&app, &sale).await;
        assert_eq!(of(&between, "total"), json!([5, null, 500]));
        void(&before).await;

        let second = given_shift(&app, store, register).await;
        void(&later).await;
        let mut back = crate::returns::back(&kept, 1, "restock");
        back["register_id"] = json!(register);
        app.post("/api/returns", &back).await.expect(201);
        let x = x_report(&app, second).await;
        assert_eq!(x["sales"]["count"], 0);
        assert_eq!(
            json!([x["voids"]["total"], x["returns"]["total"]]),
            json!([euros(500), euros(100)])
        );
        // More went out of the drawer than came in: the float paid.
        assert_eq!(x["drawer"]["expected"], euros(9_400));
        let again = close(&app, second, 9_400).await.expect(200);
        assert_eq!(
            json!([again["z_number"], again["first_receipt"]]),
            json!([2, 6])
        );
        assert_eq!(z_report(&app, first).await, z, "a Z report never changes");
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn what_a_shift_does_not_allow_is_refused_and_changes_nothing() {
    let app = TestApp::start(Topology::Whole).await;
    let (store, register, product) = given(&app).await;
    let elsewhere = given_register(&app, app.given_store().await).await;
    let try_open = async |body: Value| app.post(ALL, &body).await;
    try_open(opening(store, elsewhere, 0))
        .await
        .expect_problem(400, "invalid-request");
    try_open(opening(store, register, -1))
        .await
        .expect_problem(400, "invalid-request");
    let mut dollars = opening(store, register, 0);
    dollars["opening_float"]["currency"] = json!("USD");
    try_open(dollars)
        .await
        .expect_problem(409, "currency-mismatch");
    let shift = given_shift(&app, store, register).await;
    try_open(opening(store, register, 0))
        .await
        .expect_problem(409, "shift-open");
    app.get(&path(shift, "z-report"))
        .await
        .expect_problem(409, "shift-not-closed");

    let move_cash = async |body: Value| app.post(&path(shift, "cash"), &body).await;
    sold(
        &app,
        &sale_at(store, register, product, 1, &[("card", 100)]),
    )
    .await;
    let short = move_cash(cash("out", 10_001))
        .await
        .expect_problem(409, "not-enough-cash");
    assert!(
        short["detail"].as_str().unwrap().contains("100.00 EUR"),
        "{short}"
    );
    move_cash(cash("out", 10_000)).await.expect(201);
    move_cash(cash("out", 1))
        .await
        .expect_problem(409, "not-enough-cash");
    move_cash(cash("in", 0))
        .await
        .expect_problem(400, "invalid-request");
    let list = app.get(&path(shift, "cash")).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);

    let try_close = async |body: Value| app.post(&path(shift, "close"), &body).await;
    let piece = |value: i64, count: i64| json!({"value": euros(value), "count": count});
    for body in [
        json!({}),
        json!({"total": euros(-1)}),
        json!({"total": euros(3), "pieces": [piece(2, 1)]}),
        json!({"pieces": [piece(0, 1)]}),
        json!({"pieces": [piece(1, -1)]}),
        json!({"pieces": [piece(10_000_000_000_000, 1_000_000)]}),
        json!({"pieces": vec![piece(1, 1); 101]}),
    ] {
        try_close(body).await.expect_problem(400, "invalid-request");
    }
    try_close(json!({"pieces": [piece(2, 1)], "total": euros(2)}))
        .await
        .expect(200);
    try_close(json!({"total": euros(2)}))
        .await
        .expect_problem(409, "shift-closed");
    move_cash(cash("in", 1))
        .await
        .expect_problem(409, "shift-closed");
    app.get(&path(shift, "x-report"))
        .await
        .expect_problem(409, "shift-closed");
    let missing = Uuid::now_v7();
    for verb in ["x-report", "z-report", "cash"] {
        app.get(&path(missing, verb))
            .await
            .expect_problem(404, "not-found");
    }
    app.assert_invariants().await;
}

#[actix_web::test]
async fn cashiers_see_and_run_their_own_shifts_and_supervisors_everyone_s() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, _) = given(&app).await;
        let elsewhere = app.given_store().await;
        let (own, other) = (
            app.user(Role::Cashier, Some(store)).await,
            app.user(Role::Cashier, Some(store)).await,
        );
        let manager = app.user(Role::Manager, Some(store)).await;
        let auditor = app.user(Role::Auditor, Some(store)).await;
        let stranger = app.user(Role::Manager, Some(elsewhere)).await;
        let send = async |token: &str, path: &str, body: Option<Value>| {
            let method = if body.is_some() {
                Method::POST
            } else {
                Method::GET
            };
            app.send(method, path, token, None, body.as_ref()).await
        };
        let body = opening(store, register, 500);
        let shift = id(&send(&own, ALL, Some(body.clone())).await);
        send(&stranger, ALL, Some(body.clone()))
            .await
            .expect_problem(404, "not-found");
        send(&auditor, ALL, Some(body))
            .await
            .expect_problem(403, "forbidden");

        let one = format!("{ALL}/{shift}");
        let reads = [one.clone(), path(shift, "x-report"), path(shift, "cash")];
        for (token, sees) in [
            (&own, true),
            (&manager, true),
            (&auditor, true),
            (&other, false),
            (&stranger, false),
        ] {
            for path in &reads {
                let reply = send(token, path, None).await;
                assert_eq!(
                    reply.status,
                    if sees { 200 } else { 404 },
                    "{path}: {}",
                    reply.text
                );
            }
            let list = send(token, ALL, None).await.expect(200);
            assert_eq!(list["items"].as_array().unwrap().len(), usize::from(sees));
        }
        let (at_cash, at_close) = (path(shift, "cash"), path(shift, "close"));
        for token in [&other, &stranger] {
            send(token, &at_cash, Some(cash("in", 1)))
                .await
                .expect_problem(404, "not-found");
            let total = json!({"total": euros(0)});
            send(token, &at_close, Some(total))
                .await
                .expect_problem(404, "not-found");
        }
        send(&auditor, &at_cash, Some(cash("in", 1)))
            .await
            .expect_problem(403, "forbidden");
        send(&own, &at_cash, Some(cash("in", 1))).await.expect(201);
        send(&manager, &at_cash, Some(cash("out", 1)))
            .await
            .expect(201);
        let closed = send(&manager, &at_close, Some(json!({"total": euros(500)})))
            .await
            .expect(200);
        assert_eq!(closed["variance"], euros(0));
        send(&own, &path(shift, "z-report"), None).await.expect(200);
        send(&other, &path(shift, "z-report"), None)
            .await
            .expect_problem(404, "not-found");
    }
}

#[actix_web::test]
async fn the_list_is_filtered_and_paged_from_the_last_opened() {
    let app = TestApp::start(Topology::Whole).await;
    let (store, register, _) = given(&app).await;
    let second = given_register(&app, store).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let shift = given_shift(&app, store, register).await;
        close(&app, shift, 0).await.expect(200);
        made.push(shift);
    }
    made.push(given_shift(&app, store, second).await);
    let ids = async |query: &str| {
        let page = app
            .get(&format!("{ALL}?store_id={store}&{query}"))
            .await
            .expect(200);
        let items = page["items"].as_array().unwrap();
        let ids: Vec<Uuid> = items
            .iter()
            .map(|item| item["id"].as_str().unwrap().parse().unwrap())
            .collect();
        (ids, page["next_cursor"].clone())
    };
    let newest: Vec<Uuid> = made.iter().rev().copied().collect();
    let (first, cursor) = ids("limit=3").await;
    assert_eq!(first, newest[..3]);
    let (rest, end) = ids(&format!("limit=3&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!((&rest[..], end), (&newest[3..], Value::Null));
    assert_eq!(ids("status=open").await.0, [made[3]]);
    assert_eq!(ids(&format!("register_id={second}")).await.0, [made[3]]);
    assert!(ids("to=2020-01-01").await.0.is_empty());
}

#[actix_web::test]
async fn a_close_costs_the_same_however_much_was_sold_and_does_not_look_at_sales() {
    let options = Options {
        count_statements: true,
        background: false,
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Whole, options).await;
    let (store, register, product) = given(&app).await;
    let mut costs = Vec::new();
    for sales in [1, 60] {
        let shift = given_shift(&app, store, register).await;
        let body = sale_at(store, register, product, 1, &[("cash", 100)]);
        for _ in 0..sales {
            sold(&app, &body).await;
        }
        // Whoever looked at these would wait here, and fail.
        let held = crate::relocate::Held::new(
            &app.db(Module::Sales).url(),
            "LOCK TABLE sales.sales, sales.sale_lines, sales.payments, sales.receipts, \
             sales.returns, sales.return_lines, sales.refunds IN ACCESS EXCLUSIVE MODE",
        );
        let before = app.statements(Module::Sales);
        let z = close(&app, shift, 10_000 + 100 * sales).await.expect(200);
        costs.push(app.statements(Module::Sales) - before);
        drop(held);
        assert_eq!(
            json!([z["sales"]["count"], z["variance"]]),
            json!([sales, euros(0)])
        );
    }
    assert_eq!(costs[0], costs[1], "statements of a close");
    assert!(costs[0] <= 14, "{} statements", costs[0]);
    app.assert_invariants().await;
}

#[actix_web::test]
async fn a_refund_leaves_the_drawer_of_the_register_that_takes_the_goods_back() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let elsewhere = app.given_store().await;
        let there = given_register(&app, elsewhere).await;
        let (here, other) = (
            given_shift(&app, store, register).await,
            given_shift(&app, elsewhere, there).await,
        );
        let one = sold(
            &app,
            &sale_at(store, register, product, 3, &[("cash", 300)]),
        )
        .await;
        let mut back = crate::returns::back(&one, 2, "restock");
        back["register_id"] = json!(there);
        // A register of the store that sold is none of the store that takes back, and vice versa.
        app.post("/api/returns", &back)
            .await
            .expect_problem(400, "invalid-request");
        back["store_id"] = json!(elsewhere);
        let back = app.post("/api/returns", &back).await.expect(201);
        assert_eq!(of(&back, "refund"), json!([1, other, 200]));
        let bare = json!({
            "store_id": elsewhere, "register_id": there, "reason": "unwanted",
            "lines": [{"product_id": product, "quantity": 1, "disposition": "restock", "unit_refund": euros(90)}],
            "refunds": [{"tender": "cash", "amount": euros(90)}],
        });
        let key = Uuid::now_v7().to_string();
        let path = "/api/returns/without-receipt";
        let first = app.post_keyed(path, &key, &bare).await;
        let again = app.post_keyed(path, &key, &bare).await;
        assert_eq!(again.text, first.text);
        assert_eq!(of(&first.expect(201), "refund"), json!([2, other, 90]));
        let x = x_report(&app, other).await;
        assert_eq!(x["drawer"]["takings"], euros(-290));
        assert_eq!(
            x["taxes"],
            json!([{"tax_rate": 2000, "net": euros(-290), "tax": euros(-48)}])
        );
        assert_eq!(x_report(&app, here).await["drawer"]["takings"], euros(300));
        let printed = format!(
            "/api/returns/{}/receipt",
            again.body["id"].as_str().unwrap()
        );
        let receipt = app.get(&printed).await.expect(200);
        assert_eq!(
            json!([receipt["sale_number"], receipt["receipt_number"]]),
            json!([null, 2])
        );
        app.assert_invariants().await;
    }
}
