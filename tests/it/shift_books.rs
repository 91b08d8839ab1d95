//! Proof that shifts and registers whose books do not add up are found.

use comptoir::process::Module;
use serde_json::json;

use crate::{
    app::{TestApp, Topology},
    invariants::DISARM,
    shifts::{cash, close, given, given_shift, path, sale_at},
};

/// What breaks each invariant, by hand.
const SABOTAGE: &[(&str, &str)] = &[
    (
        "I12: receipts of a register are numbered from 1 without gaps",
        "UPDATE sales.receipts SET number = number + 10 WHERE number = 3",
    ),
    (
        "I12: receipts of a register are numbered from 1 without gaps",
        "UPDATE sales.registers SET last_receipt = last_receipt + 1",
    ),
    (
        "I12: receipts of a register are numbered from 1 without gaps",
        "DELETE FROM sales.registers",
    ),
    (
        "I12: what was made at a register has its receipt, and nothing else has one",
        "DELETE FROM sales.receipts WHERE number = 3",
    ),
    (
        "I12: what was made at a register has its receipt, and nothing else has one",
        "UPDATE sales.sales SET register_id = NULL",
    ),
    (
        "I13: the totals of a shift are the sums of its sales, voids and returns",
        "UPDATE sales.shift_totals SET sold_minor = sold_minor + 1 WHERE kind = 'tender' AND item = 'card'",
    ),
    (
        "I13: the totals of a shift are the sums of its sales, voids and returns",
        "UPDATE sales.receipts SET shift_id = NULL WHERE number = 1",
    ),
    (
        "I13: the totals of a shift are the sums of its sales, voids and returns",
        "UPDATE sales.sales SET void_shift_id = NULL",
    ),
    (
        "I13: the totals of a shift are the sums of its sales, voids and returns",
        "UPDATE sales.shift_totals SET returned_tax_minor = returned_tax_minor + 1 WHERE kind = 'tax'",
    ),
    (
        "I13: the cash of a shift is the sum of its movements",
        "UPDATE sales.cash_movements SET amount_minor = amount_minor + 1",
    ),
    (
        "I14: a register knows its open shift",
        "UPDATE sales.registers SET open_shift_id = NULL",
    ),
    (
        "I14: Z reports of a register are numbered from 1 without gaps",
        "UPDATE sales.registers SET last_z = last_z + 1",
    ),
    (
        "I14: a Z report says what its shift came to",
        "UPDATE sales.shifts SET expected_minor = expected_minor + 1 WHERE state = 'closed'",
    ),
    (
        "I14: a Z report says what its shift came to",
        "UPDATE sales.z_reports SET report = jsonb_set(report, '{revenue,amount}', '1')",
    ),
    (
        "I10: every shift has its events",
        "DELETE FROM sales.outbox WHERE aggregate_type = 'shift' AND seq = 2",
    ),
];

#[actix_web::test]
async fn each_invariant_of_shifts_holds_and_each_check_can_fail() {
    for (title, sabotage) in SABOTAGE {
        let app = TestApp::start(Topology::Whole).await;
        let (store, register, product) = given(&app).await;
        let shift = given_shift(&app, store, register).await;
        let mut sales = Vec::new();
        for tender in ["cash", "card", "cash"] {
            let body = sale_at(store, register, product, 2, &[(tender, 200)]);
            sales.push(app.post("/api/sales", &body).await.expect(201));
        }
        let mut back = crate::returns::back(&sales[0], 1, "restock");
        back["register_id"] = json!(register);
        app.post("/api/returns", &back).await.expect(201);
        let void = format!("/api/sales/{}/void", sales[1]["id"].as_str().unwrap());
        app.post(&void, &json!({"reason": "a test"}))
            .await
            .expect(200);
        app.post(&path(shift, "cash"), &cash("out", 50))
            .await
            .expect(201);
        close(&app, shift, 10_000).await.expect(200);
        given_shift(&app, store, register).await;
        assert_eq!(app.violations(title).await, 0, "{title}");
        app.assert_invariants().await;
        let db = app.db(Module::Sales);
        db.execute(DISARM);
        db.execute(sabotage);
        let found = app.violations(title).await;
        assert!(
            found > 0,
            "{title} was broken by {sabotage} and not noticed"
        );
    }
}
