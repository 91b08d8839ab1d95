//! What becomes of events that cannot be delivered, or come in another order.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use kernel::{
    call::{Cx, NoAnswer},
    db::{Db, DbError, DbOptions},
    ids::{SaleId, StoreId, UserId},
    inbox,
    outbox::{self, Envelope},
    peer::Peer,
    relay::{Delivery, MAX_TRIES, Relay, Subscriber, SubscriberClient},
    service_token::ServiceTokens,
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
        metrics: Default::default(),
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

struct Refuses;

#[async_trait]
impl Subscriber for Refuses {
    async fn deliver(&self, _: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        Ok(vec![Delivery::TooEarly; events.len()])
    }
}

/// Whether an event is parked after `tries` deliveries to `subscriber`.
async fn is_parked(subscriber: Arc<dyn Subscriber>, tries: i32) -> bool {
    let data = TestDb::from_template(prepare);
    let db = db_of(&data, "sales");
    let event = recorded();
    db.transaction(move |conn| outbox::publish(conn, &[event]).map_err(DbError::from))
        .await
        .unwrap();
    let relay = Relay::new(db, vec![subscriber]);
    for _ in 0..tries {
        assert_eq!(relay.run_once().await.unwrap(), 0);
        // As if the time until the next try had passed.
        data.execute("UPDATE sales.outbox SET next_try_at = now()");
    }
    data.number("SELECT count(*) FROM sales.outbox WHERE parked_at IS NOT NULL") == 1
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

#[actix_web::test]
async fn an_event_is_parked_after_so_many_refusals_and_not_before() {
    assert!(!is_parked(Arc::new(Refuses), MAX_TRIES - 1).await);
    assert!(is_parked(Arc::new(Refuses), MAX_TRIES).await);
}

#[actix_web::test]
async fn an_event_is_never_parked_because_its_consumer_is_away() {
    let nobody = format!("http://127.0.0.1:{}", testkit::free_port());
    let tokens = ServiceTokens::new(&"service-secret-for-tests-only-0123456789".to_owned().into());
    let peer = Peer::new(
        "store",
        nobody.parse().unwrap(),
        Duration::from_secs(1),
        tokens,
        &Default::default(),
    )
    .unwrap();
    let away = Arc::new(SubscriberClient::new("store_events", peer));
    assert!(!is_parked(away, MAX_TRIES + 1).await);
}
