//! The drawers of the tills, from their floats to their Z reports.

use serde_json::json;

use super::chain::{Day, Shop, Till, euros};
use crate::app::id;

const SHIFTS: &str = "/api/sales/shifts";

impl Day<'_> {
    /// The cashier begins with so much.
    pub async fn opens(&mut self, till: Till, float: i64) {
        let body = json!({
            "store_id": self.shop(till.shop()), "register_id": self.register(till),
            "opening_float": euros(float),
        });
        let shift = id(&self.at_till(till, SHIFTS, &body).await);
        self.shifts.insert(till, shift);
        self.books.drawer(till, "cash", float);
    }

    pub async fn takes_to_the_bank(&mut self, till: Till, amount: i64) {
        self.moves_cash(till, "out", amount, "To the bank").await;
        self.books.drawer(till, "cash", -amount);
    }

    pub async fn brings_change(&mut self, till: Till, amount: i64) {
        self.moves_cash(till, "in", amount, "Change").await;
        self.books.drawer(till, "cash", amount);
    }

    async fn moves_cash(&self, till: Till, direction: &str, amount: i64, reason: &str) {
        let body = json!({"direction": direction, "amount": euros(amount), "reason": reason});
        let path = format!("{SHIFTS}/{}/cash", self.shifts[&till]);
        self.at_till(till, &path, &body).await.expect(201);
    }

    /// The cashier counts what is there: what should be, and so much more.
    pub async fn closes(&mut self, till: Till, off: i64) {
        let expected = self.books.drawers[&till];
        let body = json!({"total": euros(expected + off)});
        let path = format!("{SHIFTS}/{}/close", self.shifts[&till]);
        let report = self.at_till(till, &path, &body).await.expect(200);
        assert_eq!(report["z_number"], 1, "{till:?}");
        assert_eq!(report["drawer"]["expected"], euros(expected), "{till:?}");
        assert_eq!(report["variance"], euros(off), "{till:?}");
    }

    /// The close of the shop's day says what the books do, and nothing stands outside of its shifts.
    pub async fn day_closes(&self, shop: Shop, tills: &[Till], variance: i64) {
        let shift = format!("{SHIFTS}/{}", self.shifts[&tills[0]]);
        let shift = self.app.get(&shift).await.expect(200);
        let (store, date) = (self.shop(shop), shift["business_date"].as_str().unwrap());
        let path = format!("/api/sales/reports/day-close?store_id={store}&date={date}");
        let close = self.app.get(&path).await.expect(200);
        assert_eq!(close["complete"], true);
        assert_eq!(close["shifts"].as_array().unwrap().len(), tills.len());
        let [gross, refunds] = self.books.revenue_of(shop);
        assert_eq!(close["day"]["revenue"], euros(gross - refunds), "{shop:?}");
        assert_eq!(close["outside"]["revenue"], euros(0), "{shop:?}");
        let expected: i64 = tills.iter().map(|till| self.books.drawers[till]).sum();
        assert_eq!(close["drawers"]["expected"], euros(expected), "{shop:?}");
        assert_eq!(close["drawers"]["variance"], euros(variance), "{shop:?}");
    }
}
