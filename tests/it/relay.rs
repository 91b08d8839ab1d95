//! What becomes of events that come in another order.

use std::time::Duration;

use kernel::{
    db::{Db, DbError, DbOptions},
    ids::{SaleId, StoreId, UserId},
    inbox,
    outbox::Envelope,
    relay::Delivery,
};
use sales_api::SaleRecorded;
use testkit::TestDb;

use crate::app::prepare;

pub fn db_of(db: &TestDb, schema: &'static str) -> Db {
    Db::connect(&DbOptions {
        url: db.url().into(),
        schema,
        pool_size: 4,
        wait: Duration::from_secs(10),
        count_statements: false,
    })
    .unwrap()
}

/// The first thing that happens to a sale.
pub fn recorded() -> Envelope {
    let event = SaleRecorded {
        sale_id: SaleId::new(),
        store_id: StoreId::new(),
    };
    Envelope::new(event.sale_id.0, 1, UserId::new(), &event).unwrap()
}

#[actix_web::test]
async fn a_delivery_out_of_order_is_applied_in_order() {
    let data = TestDb::from_template(prepare);
    let db = db_of(&data, "store");
    let first = recorded();
    let events = [4, 3, 1, 2, 6].map(|seq| Envelope {
        seq,
        ..first.clone()
    });
    let sorted = db
        .transaction(move |conn| inbox::sort(conn, &events).map_err(DbError::from))
        .await
        .unwrap();
    assert_eq!(sorted.fresh, [2, 3, 1, 0]);
    let early = sorted.outcomes.iter().filter(|o| **o == Delivery::TooEarly);
    assert_eq!((early.count(), sorted.outcomes[4]), (1, Delivery::TooEarly));
}
