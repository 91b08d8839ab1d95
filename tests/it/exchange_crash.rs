//! The real binary, killed with -9 while goods are exchanged: both documents or neither.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    crash::{Server, assert_books_agree, assert_invariants, given_shop, signal},
    exchanges::{PATH, exchange},
    sales::sale,
    tills::{Desk, Shop},
};

const ROUNDS: usize = 6;
const TILLS: usize = 4;
/// Exchanges before each kill.
const EACH: usize = 12;

/// What tills sent, and what they were told.
#[derive(Default)]
struct Log {
    sent: Mutex<BTreeMap<String, Value>>,
    acknowledged: Mutex<BTreeMap<String, Value>>,
}

impl Log {
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    async fn send(&self, desk: &Desk, key: String, body: Value) {
        self.sent.lock().unwrap().insert(key.clone(), body.clone());
        let Ok(reply) = desk.post(PATH, &key, &body).await else {
            return;
        };
        match (reply.status, reply.body["code"].as_str()) {
            (201, _) => {
                self.acknowledged.lock().unwrap().insert(key, reply.body);
            }
            (409, Some("sale-aborted" | "overtaken")) | (500.., _) => {}
            _ => panic!("{reply:?}"),
        }
    }

    async fn exchange_until(&self, desk: &Desk, shop: &Shop, sold: &Value, done: &AtomicBool) {
        join_all((0..TILLS).map(async |_| {
            while !done.load(Ordering::Relaxed) {
                let mut body = exchange(shop.store, sold, 1, (shop.products[1], 1), 0);
                body["register_id"] = json!(shop.registers[0]);
                self.send(desk, Uuid::now_v7().to_string(), body).await;
            }
        }))
        .await;
    }
}

#[actix_web::test]
async fn kills_leave_both_documents_of_an_exchange_or_neither() {
    let data = testkit::scratch("exchange-crash");
    let (http, log) = (reqwest::Client::new(), Log::default());
    let mut server = Server::start(&data).await;
    let desk = server.desk(&http).await;
    let shop = given_shop(&desk).await;
    let plenty = sale(shop.store, &[(shop.products[2], 5_000)], 500_000);
    let sold = desk
        .post("/api/sales", &Uuid::now_v7().to_string(), &plenty)
        .await;
    let sold = sold.unwrap().expect(201);
    for _ in 0..ROUNDS {
        let (desk, done) = (server.desk(&http).await, AtomicBool::new(false));
        let target = log.acknowledged() + EACH;
        let killing = async {
            let deadline = Instant::now() + Duration::from_secs(60);
            while log.acknowledged() < target {
                assert!(
                    Instant::now() < deadline,
                    "{} exchanges",
                    log.acknowledged()
                );
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            signal(server.child.id(), "-KILL");
            done.store(true, Ordering::Relaxed);
        };
        futures::join!(log.exchange_until(&desk, &shop, &sold, &done), killing);
        server.kill();
        server = Server::start(&data).await;
    }
    let desk = server.desk(&http).await;
    // Every key leads to an exchange, or to a refusal that stays.
    let sent = log.sent.lock().unwrap().clone();
    for (key, body) in sent {
        let before = log.acknowledged.lock().unwrap().get(&key).cloned();
        log.send(&desk, key.clone(), body).await;
        if let Some(before) = before {
            assert_eq!(log.acknowledged.lock().unwrap()[&key], before, "{key}");
        }
    }
    let exchanges = log.acknowledged();
    let line = desk
        .get(&format!("/api/sales/{}", sold["id"].as_str().unwrap()))
        .await;
    let returned = line.unwrap().expect(200)["returned"][0]["quantity"].clone();
    assert_eq!(returned, Value::from(exchanges), "one piece each");
    assert_books_agree(&data, 1 + exchanges).await;
    drop(server);
    assert_invariants(&data);
    // Not kept on failure either: the next run removes what this one leaves.
    let _ = std::fs::remove_dir_all(&data);
}
