//! The invariants of the sale protocol that need to look into two modules' schemas at once, which
//! no module may; and proof that each of them can fail.

use comptoir::process::Module;

use crate::{
    app::{TestApp, Topology},
    returns::back,
    sales::sale,
};

/// Each counts violations.
pub const ACROSS_MODULES: &[(&str, &str)] = &[
    (
        "I1 the ledger adds up to the level",
        "SELECT count(*) FROM store.levels l LEFT JOIN LATERAL ( \
             SELECT coalesce(sum(delta), 0) AS total, coalesce(sum(damaged_delta), 0) AS damaged, \
                    count(*) AS n, coalesce(max(seq), 0) AS last \
             FROM store.movements m WHERE (m.store_id, m.product_id) = (l.store_id, l.product_id)) m ON true \
         WHERE (l.on_hand, l.damaged, l.version) IS DISTINCT FROM (m.total, m.damaged, m.last) OR m.n <> m.last",
    ),
    (
        "I1 every balance follows from the one before",
        "SELECT count(*) FROM (SELECT balance, delta, \
             coalesce(lag(balance) OVER (PARTITION BY store_id, product_id ORDER BY seq), 0) AS before \
             FROM store.movements) m WHERE balance <> before + delta",
    ),
    (
        "I2 nothing is taken below zero that is not listed",
        "SELECT count(*) FROM store.movements m WHERE damaged_balance < 0 OR (balance < 0 AND delta < 0 \
             AND NOT EXISTS (SELECT FROM store.discrepancies d \
                 WHERE (d.store_id, d.product_id, d.seq) = (m.store_id, m.product_id, m.seq)))",
    ),
    (
        "I4 what a recorded sale took equals its lines",
        "SELECT count(*) FROM ( \
             SELECT s.id, l.product_id, sum(l.quantity) AS quantity FROM sales.sales s \
             JOIN sales.sale_lines l ON l.sale_id = s.id WHERE s.state <> 'aborted' GROUP BY 1, 2) sold \
         FULL JOIN ( \
             SELECT m.document_id AS id, m.product_id, -sum(m.delta) AS quantity FROM store.movements m \
             JOIN store.holds h ON h.hold_id = m.document_id AND h.state <> 'released' \
             WHERE m.reason = 'sale' GROUP BY 1, 2) taken USING (id, product_id) \
         WHERE sold.quantity IS DISTINCT FROM taken.quantity::numeric",
    ),
    (
        "I5 a hold is consumed if and only if its sale is recorded",
        "SELECT count(*) FROM store.holds h FULL JOIN (SELECT id FROM sales.sales WHERE state <> 'aborted') s \
         ON s.id = h.hold_id WHERE (h.state = 'consumed') IS DISTINCT FROM (s.id IS NOT NULL)",
    ),
    (
        "I5 a released hold nets to zero",
        "SELECT count(*) FROM (SELECT h.hold_id FROM store.holds h JOIN store.movements m ON m.document_id = h.hold_id \
         WHERE h.state = 'released' GROUP BY h.hold_id, m.product_id HAVING sum(m.delta) <> 0) x",
    ),
    (
        "I8 not more returned than sold, not more refunded than paid",
        "SELECT (SELECT count(*) FROM sales.sale_lines WHERE returned_quantity > quantity) \
              + (SELECT count(*) FROM sales.sales WHERE refunded_minor > total_minor)",
    ),
    (
        "I8 what a return brought back is where and what its lines say",
        "SELECT count(*) FROM ( \
             SELECT r.id, r.store_id, b.product_id, b.disposition, sum(b.quantity) AS quantity \
             FROM sales.returns r JOIN sales.return_lines b ON b.return_id = r.id \
             JOIN sales.outbox o ON o.aggregate_id = r.id AND o.published_at IS NOT NULL GROUP BY 1, 2, 3, 4) said \
         FULL JOIN ( \
             SELECT m.document_id AS id, m.store_id, m.product_id, d.disposition, sum(d.quantity) AS quantity \
             FROM store.movements m, LATERAL (VALUES ('restock', m.delta), ('damaged', m.damaged_delta)) \
                 AS d(disposition, quantity) WHERE m.reason = 'return' AND d.quantity <> 0 GROUP BY 1, 2, 3, 4) came \
         USING (id, store_id, product_id, disposition) \
         WHERE said.quantity IS DISTINCT FROM came.quantity AND EXISTS \
             (SELECT FROM sales.outbox o WHERE o.aggregate_id = id AND o.published_at IS NOT NULL)",
    ),
    (
        "I11 lines sum to the total, and so do payments",
        "SELECT count(*) FROM sales.sales s WHERE s.state <> 'aborted' AND ( \
             s.total_minor <> (SELECT coalesce(sum(total_minor), 0) FROM sales.sale_lines WHERE sale_id = s.id) \
             OR s.total_minor <> (SELECT coalesce(sum(amount_minor), 0) FROM sales.payments WHERE sale_id = s.id) \
                - s.change_minor - s.rounding_minor)",
    ),
];

/// What breaks each invariant, by hand.
const SABOTAGE: &[(&str, &str)] = &[
    (
        "I1 the ledger adds up to the level",
        "UPDATE store.levels SET on_hand = on_hand + 1",
    ),
    (
        "I1 every balance follows from the one before",
        "UPDATE store.movements SET balance = balance + 1 WHERE reason = 'sale'",
    ),
    (
        "I2 nothing is taken below zero that is not listed",
        "UPDATE store.movements SET balance = -1 WHERE reason = 'sale'",
    ),
    (
        "I4 what a recorded sale took equals its lines",
        "UPDATE sales.sale_lines SET quantity = quantity + 1",
    ),
    (
        "I5 a hold is consumed if and only if its sale is recorded",
        "DELETE FROM store.holds",
    ),
    (
        "I5 a released hold nets to zero",
        "UPDATE store.holds SET state = 'released'",
    ),
    (
        "I8 not more returned than sold, not more refunded than paid",
        "UPDATE sales.sale_lines SET returned_quantity = quantity + 1",
    ),
    (
        "I8 what a return brought back is where and what its lines say",
        "UPDATE store.movements SET store_id = gen_random_uuid() WHERE reason = 'return'",
    ),
    (
        "I11 lines sum to the total, and so do payments",
        "UPDATE sales.payments SET amount_minor = amount_minor + 1",
    ),
];

/// The CHECK constraints keep most of this from happening at all, so they go first.
pub const DISARM: &str = "DO $$ DECLARE c record; BEGIN \
    FOR c IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint \
        WHERE contype = 'c' AND connamespace IN ('store'::regnamespace, 'sales'::regnamespace) LOOP \
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.relation, c.conname); END LOOP; END $$";

#[actix_web::test]
async fn each_invariant_holds_and_each_check_can_fail() {
    for (name, sabotage) in SABOTAGE {
        let app = TestApp::start(Topology::Whole).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 5).await;
        let sold = app
            .post("/api/sales", &sale(store, &[(product, 2)], 200))
            .await
            .expect(201);
        app.post("/api/returns", &back(&sold, 1, "restock"))
            .await
            .expect(201);
        let db = app.db(Module::Store);
        app.eventually("the hold is consumed and the goods are back", async || {
            db.number("SELECT count(*) FROM store.holds WHERE state = 'consumed'") == 1
                && db.number("SELECT count(*) FROM sales.outbox WHERE published_at IS NULL") == 0
        })
        .await;
        for (check, sql) in ACROSS_MODULES {
            assert_eq!(db.number(sql), 0, "{check}");
        }
        db.execute(DISARM);
        db.execute(sabotage);
        let (_, sql) = ACROSS_MODULES
            .iter()
            .find(|(check, _)| check == name)
            .expect("a check of this name");
        assert!(db.number(sql) > 0, "{name} was broken and not noticed");
    }
}
