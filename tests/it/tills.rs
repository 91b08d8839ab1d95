//! Tills that sell at once without a pause, and remember each key and what they were told.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use crate::{reply::Reply, sales::sale};

const TILLS: usize = 8;
/// How long a till waits before the next customer when it got no answer.
const ANNOYED: Duration = Duration::from_millis(20);

/// The sales module, as a till reaches it.
pub struct Desk {
    pub http: reqwest::Client,
    pub base: String,
    pub token: String,
}

impl Desk {
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> reqwest::Result<Reply> {
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("Idempotency-Key", key)
            .timeout(Duration::from_secs(20));
        Reply::read(request.json(body).send().await?).await
    }

    pub async fn get(&self, path: &str) -> reqwest::Result<Reply> {
        let request = self.http.get(format!("{}{path}", self.base));
        Reply::read(request.bearer_auth(&self.token).send().await?).await
    }
}

/// What is sold where, each for one euro a piece.
pub struct Shop {
    pub store: Uuid,
    pub products: Vec<Uuid>,
    /// The tills stand at these in turn; at none where there are none.
    pub registers: Vec<Uuid>,
}

/// One try to sell.
pub struct Attempt {
    pub began: Instant,
    pub took: Duration,
    /// Its status and, of a problem, the code. `None`: the connection ended without an answer.
    pub answer: Option<(u16, Option<String>)>,
}

/// What the tills know.
#[derive(Default)]
pub struct Tills {
    sent: Mutex<BTreeMap<String, Value>>,
    acknowledged: Mutex<BTreeMap<String, Value>>,
    pub attempts: Mutex<Vec<Attempt>>,
}

impl Tills {
    /// Sales that were acknowledged.
    pub fn sold(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// How often a sale was tried.
    pub fn attempts(&self) -> usize {
        self.attempts.lock().unwrap().len()
    }

    /// Sells until `done`, every sale under a key of its own.
    pub async fn sell(&self, desk: &Desk, shop: &Shop, done: &AtomicBool) {
        let products = &shop.products;
        join_all((0..TILLS).map(async |till| {
            let mut turn = till;
            while !done.load(Ordering::Relaxed) {
                turn += 1;
                let (a, b) = (
                    products[turn % products.len()],
                    products[(turn + 1) % products.len()],
                );
                let mut body = sale(shop.store, &[(a, 1), (b, 2)], 300);
                if let Some(register) = shop.registers.get(till % shop.registers.len().max(1)) {
                    body["register_id"] = register.to_string().into();
                }
                if !self.sell_one(desk, body).await {
                    tokio::time::sleep(ANNOYED).await;
                }
            }
        }))
        .await;
    }

    /// Answers whether there was an answer that settles it.
    async fn sell_one(&self, desk: &Desk, body: Value) -> bool {
        let (key, began) = (Uuid::now_v7().to_string(), Instant::now());
        self.sent.lock().unwrap().insert(key.clone(), body.clone());
        let reply = desk.post("/api/sales", &key, &body).await.ok();
        let code = |reply: &Reply| reply.body["code"].as_str().map(str::to_owned);
        self.attempts.lock().unwrap().push(Attempt {
            began,
            took: began.elapsed(),
            answer: reply.as_ref().map(|reply| (reply.status, code(reply))),
        });
        let settled = reply.as_ref().is_some_and(|reply| reply.status < 500);
        if let Some(reply) = reply.filter(|reply| reply.status == 201) {
            self.acknowledged.lock().unwrap().insert(key, reply.body);
        }
        settled
    }

    /// Waits until this many more sales were acknowledged. Fails after 60 s.
    pub async fn sell_more(&self, count: usize) {
        let (target, deadline) = (
            self.sold() + count,
            Instant::now() + Duration::from_secs(60),
        );
        while self.sold() < target {
            assert!(
                Instant::now() < deadline,
                "{} of {target} sales",
                self.sold()
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Every key without an answer leads to a sale or to a refusal that stays.
    pub async fn repeat_what_got_no_answer(&self, desk: &Desk) {
        let sent = self.sent.lock().unwrap().clone();
        for (key, body) in sent {
            if self.acknowledged.lock().unwrap().contains_key(&key) {
                continue;
            }
            let reply = desk.post("/api/sales", &key, &body).await.unwrap();
            match (reply.status, reply.body["code"].as_str()) {
                (201, _) => {
                    self.acknowledged.lock().unwrap().insert(key, reply.body);
                }
                (409, Some("insufficient-stock" | "sale-aborted")) => {}
                _ => panic!("{reply:?}"),
            }
        }
    }

    /// Each acknowledged sale is found as it was acknowledged.
    pub async fn assert_acknowledged_are_kept(&self, desk: &Desk) {
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        for (key, answer) in &acknowledged {
            let path = format!("/api/sales/{}", answer["id"].as_str().unwrap());
            let found = desk.get(&path).await.unwrap().expect(200);
            assert_eq!(
                (&found["lines"], &found["total"]),
                (&answer["lines"], &answer["total"]),
                "{key}"
            );
        }
    }
}
