//! What a sale would cost is what it costs, and asking changes nothing.

use comptoir::process::Module;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::{Options, TOPOLOGIES, TestApp, Topology},
    prices::{PRICES, price},
    promotions::{PROMOTIONS, promotion},
};

const QUOTE: &str = "/api/sales/quote";

/// A generator of its own (Marsaglia's xorshift64), so that a failure repeats.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % (limit.unsigned_abs() + 1)).unwrap()
    }

    fn discount(&mut self) -> Value {
        match self.up_to(3) {
            0 => json!({"basis_points": self.up_to(3_000)}),
            1 => json!({"amount": {"amount": self.up_to(20), "currency": "EUR"}}),
            _ => Value::Null,
        }
    }
}

async fn given_shop(app: &TestApp, tax_mode: &str, products: &[Uuid]) -> Uuid {
    let body = json!({
        "code": format!("S{}", Uuid::now_v7().simple()), "name": "Shop", "kind": "sales",
        "settings": {"currency": "EUR", "tax_mode": tax_mode, "cash_rounding_minor": 5},
    });
    let store = crate::app::id(&app.post("/api/stores", &body).await);
    for product in products {
        app.given_stock(store, *product, 1_000_000).await;
    }
    store
}

#[actix_web::test]
async fn a_quote_and_the_sale_after_it_agree_to_the_cent() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let mut products = Vec::new();
        for amount in [99, 249, 1_333, 7] {
            products.push(app.given_product(amount).await);
        }
        let weighed = json!({
            "sku": "KG", "name": "By weight", "unit": "g", "price_per": 1_000, "tax_rate": 700,
            "price": {"amount": 1_499, "currency": "EUR"},
        });
        products.push(crate::app::id(
            &app.post("/api/inventory/products", &weighed).await,
        ));
        let (with, without) = (
            given_shop(&app, "included", &products).await,
            given_shop(&app, "added", &products).await,
        );
        app.post(PRICES, &price(products[1], Some(with), 219))
            .await
            .expect(201);
        app.post(PROMOTIONS, &promotion(products[2], None, 1_275))
            .await
            .expect(201);
        app.post(PROMOTIONS, &promotion(products[4], Some(&[with]), 333))
            .await
            .expect(201);
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for round in 0..40 {
            let lines: Vec<Value> = (0..=dice.up_to(5))
                .map(|_| {
                    let of = usize::try_from(dice.up_to(4)).unwrap();
                    let quantity = if of == 4 {
                        50 + dice.up_to(2_000)
                    } else {
                        1 + dice.up_to(5)
                    };
                    let discount = if quantity > 4 {
                        dice.discount()
                    } else {
                        Value::Null
                    };
                    json!({"product_id": products[of], "quantity": quantity, "discount": discount})
                })
                .collect();
            let store = [with, without][round % 2];
            let mut body = json!({"store_id": store, "lines": lines, "discount": dice.discount()});
            let asked = app.post(QUOTE, &body).await;
            if asked.status == 400 {
                // The discount is more than there is: the sale is refused alike.
                let refused = app.post("/api/sales", &body).await;
                assert_eq!(refused.body["code"], asked.body["code"], "{body}");
                continue;
            }
            let quote = asked.expect(200);
            let in_cash = round % 3 != 0;
            let due = if in_cash {
                &quote["cash"]["due"]
            } else {
                &quote["total"]
            };
            let tender = if in_cash { "cash" } else { "card" };
            body["payments"] = json!([{"tender": tender, "amount": due}]);
            let sold = app.post("/api/sales", &body).await.expect(201);
            for field in ["subtotal", "discount", "tax", "total", "currency"] {
                assert_eq!(sold[field], quote[field], "{field} of {body}");
            }
            assert_eq!(sold["change"]["amount"], 0);
            if in_cash {
                assert_eq!(sold["rounding"], quote["cash"]["rounding"]);
            }
            let quoted = quote["lines"].as_array().unwrap();
            for (line, quoted) in sold["lines"].as_array().unwrap().iter().zip(quoted) {
                for (field, value) in line.as_object().unwrap() {
                    assert_eq!(&quoted[field], value, "{field}");
                }
            }
        }
        app.assert_invariants().await;
    }
}

#[actix_web::test]
async fn a_quote_tells_what_is_there_and_writes_nothing() {
    for topology in TOPOLOGIES {
        let app = TestApp::start(topology).await;
        let (store, product) = (app.given_store().await, app.given_product(100).await);
        app.given_stock(store, product, 5).await;
        let never = app.given_product(100).await;
        let line =
            |product: Uuid, quantity: i64| json!({"product_id": product, "quantity": quantity});
        let body = json!({"store_id": store, "lines": [line(product, 3), line(product, 3), line(never, 1)]});
        let before = rows(&app);
        let quote = app.post(QUOTE, &body).await.expect(200);
        let found: Vec<_> = quote["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| (l["available"].clone(), l["is_enough"].clone()))
            .collect();
        let five = (json!(5), json!(false));
        assert_eq!(found, [five.clone(), five, (json!(0), json!(false))]);
        let fits = json!({"store_id": store, "lines": [line(product, 5)]});
        let quote = app.post(QUOTE, &fits).await.expect(200);
        assert_eq!(quote["lines"][0]["is_enough"], true);
        assert_eq!(quote["cash"]["rounding"]["amount"], 0);
        assert_eq!(rows(&app), before);
        assert_eq!(app.on_hand(store, product).await, 5);
        let unknown = json!({"store_id": store, "lines": [line(Uuid::now_v7(), 1)]});
        app.post(QUOTE, &unknown)
            .await
            .expect_problem(400, "unknown-product");
        let mut paid = fits;
        paid["payments"] = json!([]);
        app.post(QUOTE, &paid)
            .await
            .expect_problem(400, "invalid-request");
    }
}

fn rows(app: &TestApp) -> [i64; 3] {
    let sales = "(SELECT count(*) FROM sales.sales) + (SELECT count(*) FROM sales.outbox) \
         + (SELECT count(*) FROM sales.audit)";
    let store = "(SELECT count(*) FROM store.holds) + (SELECT count(*) FROM store.movements)";
    [
        app.db(Module::Sales).number(sales),
        app.db(Module::Store).number(store),
        app.db(Module::Store)
            .number("SELECT sum(version) FROM store.levels"),
    ]
}

#[actix_web::test]
async fn a_quote_of_what_is_remembered_asks_no_database_of_its_own() {
    let options = Options {
        count_statements: true,
        background: false,
        ..Options::default()
    };
    let app = TestApp::start_with(Topology::Whole, options).await;
    let (store, product) = (app.given_store().await, app.given_product(100).await);
    app.given_stock(store, product, 5).await;
    let body = json!({"store_id": store, "lines": [{"product_id": product, "quantity": 1}]});
    app.post(QUOTE, &body).await.expect(200);
    let before = [Module::Sales, Module::Inventory, Module::Store].map(|m| app.statements(m));
    app.post(QUOTE, &body).await.expect(200);
    let after = [Module::Sales, Module::Inventory, Module::Store].map(|m| app.statements(m));
    // The level is asked for, and nothing else.
    assert_eq!([0, 1, 2].map(|i| after[i] - before[i]), [0, 0, 1]);
}
