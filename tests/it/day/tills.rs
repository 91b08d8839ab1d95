//! What happens at the tills.

use serde_json::{Value, json};
use uuid::Uuid;

use super::chain::{Day, Good, Till, euros};

/// Goods, payments, and what was owed.
pub type Sold<'a> = (&'a [(Good, i64)], &'a [(&'static str, i64)], i64);

/// A receipt, as the customer carries it home.
pub struct Receipt {
    pub till: Till,
    pub sale: Value,
    lines: Vec<(Good, i64)>,
    taken: Vec<(&'static str, i64)>,
}

impl Receipt {
    fn path(&self) -> String {
        format!("/api/sales/{}", self.sale["id"].as_str().unwrap())
    }
}

impl Day<'_> {
    fn sale(&self, till: Till, lines: &[(Good, i64)], payments: &[(&str, i64)]) -> Value {
        let line = |(good, quantity): &(Good, i64)| json!({"product_id": self.good(*good), "quantity": quantity});
        let payment =
            |(tender, amount): &(&str, i64)| json!({"tender": tender, "amount": euros(*amount)});
        json!({
            "store_id": self.shop(till.shop()), "register_id": self.register(till),
            "lines": lines.iter().map(line).collect::<Vec<_>>(),
            "payments": payments.iter().map(payment).collect::<Vec<_>>(),
        })
    }

    /// Sells, for so much in all; what is paid too much is given back in cash.
    pub async fn sold(
        &mut self,
        till: Till,
        lines: &[(Good, i64)],
        payments: &[(&'static str, i64)],
        total: i64,
    ) -> Receipt {
        let body = self.sale(till, lines, payments);
        let sale = self.at_till(till, "/api/sales", &body).await.expect(201);
        let paid: i64 = payments.iter().map(|(_, amount)| amount).sum();
        assert_eq!(sale["total"], euros(total));
        assert_eq!(sale["change"], euros(paid - total));
        let taken = self.note_sale(till, lines, payments, total);
        Receipt {
            till,
            sale,
            lines: lines.to_vec(),
            taken,
        }
    }

    /// Answers what was taken, the change taken off.
    fn note_sale(
        &mut self,
        till: Till,
        lines: &[(Good, i64)],
        payments: &[(&'static str, i64)],
        total: i64,
    ) -> Vec<(&'static str, i64)> {
        let paid: i64 = payments.iter().map(|(_, amount)| amount).sum();
        let mut taken = payments.to_vec();
        if let Some((_, amount)) = taken.iter_mut().find(|(tender, _)| *tender == "cash") {
            *amount -= paid - total;
        }
        for (good, quantity) in lines {
            self.books.stock(till.shop(), *good, -quantity, 0);
        }
        for (tender, amount) in &taken {
            self.books.taken(till, tender, *amount);
        }
        taken
    }

    /// What a till sold while it was offline is sent, and for safety sent again.
    pub async fn sold_offline(&mut self, till: Till, sold: &[Sold<'_>]) {
        let shift = format!("/api/sales/shifts/{}", self.shifts[&till]);
        let opened = self.app.get(&shift).await.expect(200)["opened_at"].clone();
        let one = |(lines, payments, _): &Sold<'_>| {
            let mut sale = self.sale(till, lines, payments);
            sale["occurred_at"] = opened.clone();
            for (line, (good, _)) in sale["lines"].as_array_mut().unwrap().iter_mut().zip(*lines) {
                line["unit_price"] = euros(self.price(till.shop(), *good));
            }
            json!({"idempotency_key": Uuid::now_v7(), "sale": sale})
        };
        let body = json!({"sales": sold.iter().map(one).collect::<Vec<_>>()});
        for status in ["recorded", "replayed"] {
            let view = self
                .at_till(till, "/api/sales/batch", &body)
                .await
                .expect(200);
            for (result, (_, _, total)) in view["results"].as_array().unwrap().iter().zip(sold) {
                assert_eq!(result["status"], status, "{view}");
                assert_eq!(result["sale"]["total"], euros(*total));
            }
        }
        for (lines, payments, total) in sold {
            self.note_sale(till, lines, payments, *total);
        }
    }

    pub async fn cannot_sell(&self, till: Till, lines: &[(Good, i64)], total: i64) {
        let body = self.sale(till, lines, &[("card", total)]);
        let refused = self.at_till(till, "/api/sales", &body).await;
        refused.expect_problem(409, "insufficient-stock");
    }

    /// The cashier takes it back as if it had never been.
    pub async fn voided(&mut self, receipt: &Receipt) {
        let path = format!("{}/void", receipt.path());
        let voided = self
            .at_till(receipt.till, &path, &json!({"reason": "wrong customer"}))
            .await;
        assert_eq!(voided.expect(200)["status"], "voided");
        for (good, quantity) in &receipt.lines {
            self.books.stock(receipt.till.shop(), *good, *quantity, 0);
        }
        for (tender, amount) in &receipt.taken {
            self.books.taken(receipt.till, tender, -amount);
        }
    }

    /// Some of a line comes back to a till, for so much in cash.
    pub async fn brought_back(
        &mut self,
        till: Till,
        receipt: &Receipt,
        (line, quantity, disposition): (usize, i64, &str),
        refund: i64,
    ) {
        let body = json!({
            "sale_id": receipt.sale["id"], "store_id": self.shop(till.shop()),
            "register_id": self.register(till),
            "lines": [{"line": line, "quantity": quantity, "disposition": disposition}],
            "reason": "unwanted", "refunds": [{"tender": "cash", "amount": euros(refund)}],
        });
        let back = self.at_till(till, "/api/returns", &body).await.expect(201);
        assert_eq!(back["refund"], euros(refund));
        let (sellable, damaged) = if disposition == "restock" {
            (quantity, 0)
        } else {
            (0, quantity)
        };
        self.books
            .stock(till.shop(), receipt.lines[line - 1].0, sellable, damaged);
        self.books.given_back(till, "cash", refund);
    }

    /// All of the one line of a receipt goes back for other goods, and the rest in cash.
    pub async fn exchanged(
        &mut self,
        till: Till,
        receipt: &Receipt,
        (good, quantity): (Good, i64),
        [back, out]: [i64; 2],
    ) {
        let (old, n) = receipt.lines[0];
        let body = json!({
            "store_id": self.shop(till.shop()), "register_id": self.register(till),
            "returned": {
                "sale_id": receipt.sale["id"], "reason": "wrong_item",
                "lines": [{"line": 1, "quantity": n, "disposition": "restock"}],
            },
            "sold": {"lines": [{"product_id": self.good(good), "quantity": quantity}]},
            "refunds": [{"tender": "cash", "amount": euros(back - out)}],
        });
        let made = self
            .at_till(till, "/api/sales/exchanges", &body)
            .await
            .expect(201);
        assert_eq!(made["net"], euros(out - back));
        self.books.stock(till.shop(), old, n, 0);
        self.books.stock(till.shop(), good, -quantity, 0);
        self.books.taken(till, "exchange", out);
        self.books.given_back(till, "exchange", out);
        self.books.given_back(till, "cash", back - out);
    }
}
