//! The close of a store's day agrees with everything else that says what the day came to.

use comptoir::process::Module;
use futures::future::join_all;
use kernel::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{TOPOLOGIES, TestApp, Topology},
    shifts::{
        ALL, cash, close, euros, given, given_register, given_shift, path, sale_at, z_report,
    },
};

const REPORTS: &str = "/api/sales/reports";

async fn day_close(app: &TestApp, store: Uuid, date: &str) -> Value {
    let path = format!("{REPORTS}/day-close?store_id={store}&date={date}");
    app.get(&path).await.expect(200)
}

fn amount(report: &Value, name: &str) -> i64 {
    report[name]["amount"].as_i64().unwrap()
}

/// The day by tender and tax rate is what the other reports say, and its parts sum to it.
async fn assert_agrees(app: &TestApp, store: Uuid, date: &str, report: &Value) {
    let span = format!("from={date}&to={date}&store_id={store}");
    let revenue = app
        .get(&format!("{REPORTS}/revenue?{span}&group_by=tender"))
        .await
        .expect(200);
    let by_tender = |rows: &Value| -> Vec<(Value, Value)> {
        // A tender whose payments were all voided is nothing in the one, and absent in the other.
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["net"]["amount"] != 0)
            .map(|row| (row["tender"].clone(), row["net"].clone()))
            .collect()
    };
    assert_eq!(
        by_tender(&report["day"]["tenders"]),
        by_tender(&revenue["rows"])
    );
    let taxes = app
        .get(&format!("{REPORTS}/taxes?{span}"))
        .await
        .expect(200);
    let owed: Vec<Value> = taxes["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["tax_rate"], row["tax"]]))
        .collect();
    let here: Vec<Value> = report["day"]["taxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["tax_rate"], row["tax"]]))
        .collect();
    assert_eq!(here, owed);
    for name in ["revenue", "tax", "discounts", "rounding"] {
        let shifts = report["shifts"].as_array().unwrap().iter();
        let shifts: i64 = shifts.map(|shift| amount(shift, name)).sum();
        assert_eq!(
            amount(&report["day"], name),
            shifts + amount(&report["outside"], name) - amount(&report["other_days"], name),
            "{name} in {report:#}"
        );
    }
}

#[actix_web::test]
async fn the_day_is_the_sum_of_its_shifts_and_of_what_stands_outside() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let second = given_register(&app, store).await;
        let sell = async |body: &Value| app.post("/api/sales", body).await.expect(201);
        let void = async |sale: &Value| {
            let path = format!("/api/sales/{}/void", sale["id"].as_str().unwrap());
            app.post(&path, &json!({"reason": "a test"}))
                .await
                .expect(200)
        };
        let first = given_shift(&app, store, register).await;
        let opened = app.get(&format!("{ALL}/{first}")).await.expect(200);
        let date = opened["business_date"].as_str().unwrap().to_owned();
        let at = |register, quantity, payments: &[(&str, i64)]| {
            let mut body = sale_at(store, register, product, quantity, payments);
            body["occurred_at"] = opened["opened_at"].clone();
            body
        };
        // In the first shift: 5.00 in cash, 3.00 less 0.50 by card, and 2.00 that is voided at once.
        let kept = sell(&at(register, 5, &[("cash", 1_000)])).await;
        let mut less = at(register, 3, &[("card", 250)]);
        less["lines"][0]["discount"] = json!({"amount": euros(50)});
        sell(&less).await;
        void(&sell(&at(register, 2, &[("cash", 200)])).await).await;
        let later = sell(&at(register, 4, &[("voucher", 400)])).await;
        // A till's clock that is days off, in the same shift.
        let mut off = at(register, 1, &[("cash", 100)]);
        off["occurred_at"] = json!("2026-01-15T12:00:00Z");
        sell(&off).await;
        app.post(&path(first, "cash"), &cash("out", 5_000))
            .await
            .expect(201);
        let report = day_close(&app, store, &date).await;
        assert_eq!(report["complete"], false);
        assert_eq!(report["open_shifts"][0]["id"], json!(first));
        assert_agrees(&app, store, &date, &report).await;
        close(&app, first, 5_590).await.expect(200);

        // Outside: no shift is open, no register at all, and a void that no drawer pays.
        sell(&at(register, 6, &[("card", 600)])).await;
        let mut bare = at(register, 7, &[("other", 700)]);
        bare.as_object_mut().unwrap().remove("register_id");
        sell(&bare).await;
        void(&later).await;
        // In a second shift, at another register: what was sold in the first comes back.
        let last = given_shift(&app, store, second).await;
        let mut back = crate::returns::back(&kept, 2, "restock");
        back["register_id"] = json!(second);
        back["occurred_at"] = opened["opened_at"].clone();
        app.post("/api/returns", &back).await.expect(201);
        close(&app, last, 9_800).await.expect(200);

        let report = day_close(&app, store, &date).await;
        assert_agrees(&app, store, &date, &report).await;
        assert_eq!(report["complete"], true);
        assert_eq!(report["open_shifts"], json!([]));
        // 5.00 + 2.50 + 6.00 + 7.00 - 2.00: what was voided is gone, whoever paid it out.
        assert_eq!(report["day"]["revenue"], euros(1_850));
        assert_eq!(report["day"]["voids"]["count"], 2);
        assert_eq!(
            json!([
                report["outside"]["sales"]["total"],
                report["outside"]["voids"]["total"]
            ]),
            json!([euros(1_300), euros(400)])
        );
        assert_eq!(
            report["other_days"]["sales"],
            json!({"count": 1, "total": euros(100), "tax": euros(17)})
        );
        for (shift, variance) in [(first, -10), (last, 0)] {
            let z = z_report(&app, shift).await;
            let shifts = report["shifts"].as_array().unwrap();
            let here = shifts
                .iter()
                .find(|s| s["shift_id"] == json!(shift))
                .unwrap();
            for name in [
                "sales", "voids", "returns", "revenue", "tenders", "taxes", "drawer", "z_number",
            ] {
                assert_eq!(here[name], z[name], "{name}");
            }
            assert_eq!(here["variance"], euros(variance));
        }
        let drawers = &report["drawers"];
        assert_eq!(
            json!([drawers["expected"], drawers["counted"], drawers["variance"]]),
            json!([euros(5_600 + 9_800), euros(5_590 + 9_800), euros(-10)])
        );
        // The day of the clock that was off has its sale, which no shift of that day counted.
        let other = day_close(&app, store, "2026-01-15").await;
        assert_agrees(&app, store, "2026-01-15", &other).await;
        assert_eq!(other["outside"]["revenue"], euros(100));
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn rounded_cash_is_in_the_drawer_and_not_in_the_revenue() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, _) = given(&app).await;
        let rounded = json!({"cash_rounding_minor": 5});
        let settings = format!("/api/stores/{store}/settings");
        app.patch(&settings, &rounded).await.expect(200);
        let product = app.given_product(249).await;
        app.given_stock(store, product, 10).await;
        let shift = given_shift(&app, store, register).await;
        let opened = app.get(&format!("{ALL}/{shift}")).await.expect(200);
        let mut body = sale_at(store, register, product, 2, &[("cash", 500)]);
        body["occurred_at"] = opened["opened_at"].clone();
        let sold = app.post("/api/sales", &body).await.expect(201);
        let receipt = format!(
            "/api/sales/{}/receipt?format=text",
            sold["id"].as_str().unwrap()
        );
        let slip = app.get(&receipt).await.text;
        let line = "Rounding                              0.02";
        assert!(slip.lines().any(|printed| printed == line), "{slip}");
        let mut back = crate::returns::back(&sold, 1, "restock");
        back["register_id"] = json!(register);
        back["occurred_at"] = opened["opened_at"].clone();
        app.post("/api/returns", &back).await.expect(201);
        let z = close(&app, shift, 10_250).await.expect(200);
        assert_eq!(
            json!([
                z["revenue"],
                z["rounding"],
                z["drawer"]["takings"],
                z["variance"]
            ]),
            json!([euros(249), euros(1), euros(250), euros(0)])
        );
        let date = opened["business_date"].as_str().unwrap();
        let report = day_close(&app, store, date).await;
        assert_agrees(&app, store, date, &report).await;
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn the_file_has_a_line_per_shift_part_and_tax_rate() {
    let app = TestApp::start(Topology::Whole).await;
    let (store, register, product) = given(&app).await;
    let shift = given_shift(&app, store, register).await;
    let opened = app.get(&format!("{ALL}/{shift}")).await.expect(200);
    let mut body = sale_at(store, register, product, 12, &[("cash", 1_200)]);
    body["occurred_at"] = opened["opened_at"].clone();
    app.post("/api/sales", &body).await.expect(201);
    close(&app, shift, 11_000).await.expect(200);
    let date = opened["business_date"].as_str().unwrap();
    let path = format!("{REPORTS}/day-close?store_id={store}&date={date}&format=csv");
    let file = app.get(&path).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    let rows: Vec<Vec<&str>> = file.text.lines().map(|l| l.split(',').collect()).collect();
    let parts: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(
        parts,
        ["part", "shift", "outside", "other_days", "day", "tax"]
    );
    let cell = |row: usize, name: &str| {
        let column = rows[0].iter().position(|column| *column == name).unwrap();
        assert_eq!(rows[row].len(), rows[0].len());
        rows[row][column]
    };
    for (name, shift, day) in [
        ("sales", "1200", "1200"),
        ("cash", "1200", "1200"),
        ("card", "0", "0"),
        ("tax", "200", "200"),
        ("expected", "11200", "11200"),
        ("variance", "-200", "-200"),
        ("currency", "EUR", "EUR"),
        ("z_number", "1", ""),
    ] {
        assert_eq!((cell(1, name), cell(4, name)), (shift, day), "{name}");
    }
    assert_eq!(
        (cell(5, "tax_rate"), cell(5, "revenue"), cell(5, "tax")),
        ("2000", "1200", "200")
    );
}

#[actix_web::test]
async fn a_shift_that_was_left_open_makes_every_later_day_incomplete() {
    let app = TestApp::start(Topology::Whole).await;
    let (store, register, _) = given(&app).await;
    let shift = given_shift(&app, store, register).await;
    app.db(Module::Sales).execute(&format!(
        "UPDATE sales.shifts SET business_date = '2026-01-10' WHERE id = '{shift}'"
    ));
    for (date, complete) in [
        ("2026-01-09", true),
        ("2026-01-10", false),
        ("2026-01-12", false),
    ] {
        let report = day_close(&app, store, date).await;
        assert_eq!(report["complete"], complete, "{date}");
        assert_eq!(
            report["open_shifts"].as_array().unwrap().len(),
            usize::from(!complete)
        );
    }
    let elsewhere = app.given_store().await;
    let stranger = app.user(Role::Manager, Some(elsewhere)).await;
    let path = format!("{REPORTS}/day-close?store_id={store}&date=2026-01-10");
    app.send(Method::GET, &path, &stranger, None, None)
        .await
        .expect_problem(404, "not-found");
    app.get(&format!(
        "{REPORTS}/day-close?store_id={}&date=2026-01-10",
        Uuid::now_v7()
    ))
    .await
    .expect_problem(404, "not-found");
    app.get(&format!(
        "{REPORTS}/day-close?store_id={store}&date=9999-01-10"
    ))
    .await
    .expect_problem(400, "invalid-request");
}

/// It is read while tills sell: every reading is of one moment.
#[actix_web::test]
async fn its_parts_agree_while_tills_sell() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, register, product) = given(&app).await;
        let shift = given_shift(&app, store, register).await;
        let opened = app.get(&format!("{ALL}/{shift}")).await.expect(200);
        let date = opened["business_date"].as_str().unwrap();
        let mut body = sale_at(store, register, product, 1, &[("cash", 100)]);
        body["occurred_at"] = opened["opened_at"].clone();
        let selling = join_all((0..60).map(|_| app.post("/api/sales", &body)));
        let reading = async {
            for _ in 0..10 {
                let report = day_close(&app, store, date).await;
                let in_shift = &report["shifts"][0]["revenue"];
                assert_eq!(&report["day"]["revenue"], in_shift, "{report:#}");
                assert_eq!(report["outside"]["sales"]["count"], 0);
            }
        };
        futures::join!(selling, reading);
        let report = day_close(&app, store, date).await;
        assert_agrees(&app, store, date, &report).await;
        assert_eq!(report["day"]["sales"]["count"], 60);
    }
}
