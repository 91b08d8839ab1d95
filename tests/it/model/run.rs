//! One run: each operation is done to the product and to the model, and the answers compared.

use std::rc::Rc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    deed::{Call, Deed},
    op::Op,
    state::Model,
    stock,
    world::World,
};
use crate::app::{Reply, TestApp};

/// Units of everything everywhere, before anything happens.
const OPENING: i64 = 30;

/// A request that was made, and its answer if it was a success.
struct Past {
    deed: Rc<dyn Deed>,
    call: Call,
    key: String,
    answer: Option<Reply>,
}

/// What is known of a run.
pub struct Run<'a> {
    pub app: &'a TestApp,
    pub world: World,
    pub model: Model,
    /// The model as it was at some moment.
    pub before: (DateTime<Utc>, Model),
    past: Vec<Past>,
}

impl<'a> Run<'a> {
    /// Does everything; fails where an answer is not the model's.
    pub async fn of(app: &'a TestApp, ops: &[Op], model: Model) -> Self {
        let mut run = Self {
            app,
            world: World::open(app).await,
            model,
            before: Default::default(),
            past: Vec::new(),
        };
        run.attempt(Rc::new(stock::opening(OPENING))).await;
        let (first, second) = ops.split_at(ops.len() / 2);
        for op in first {
            run.step(op).await;
        }
        run.remember().await;
        for op in second {
            run.step(op).await;
        }
        run.settle().await;
        run
    }

    async fn step(&mut self, op: &Op) {
        if op.sees_stock() {
            self.settle().await;
        }
        match op {
            Op::Again { past, reworded } => self.again(past % self.past.len(), *reworded).await,
            _ => {
                if let Some(deed) = op.aim(&self.model) {
                    self.attempt(deed).await;
                }
            }
        }
    }

    async fn attempt(&mut self, deed: Rc<dyn Deed>) {
        let call = deed.call(&self.world, &self.model);
        let key = Uuid::now_v7().to_string();
        let answer = self.send(&deed, &call, &key).await;
        if call.is_keyed() {
            self.past.push(Past {
                deed,
                call,
                key,
                answer,
            });
        }
    }

    /// Asks the product and the model; answers what the product said, if that was a success.
    async fn send(&mut self, deed: &Rc<dyn Deed>, call: &Call, key: &str) -> Option<Reply> {
        let reply = self.request(call, key).await;
        deed.apply(&mut self.model).assert(&**deed, &reply);
        if reply.status >= 300 {
            return None;
        }
        assert!(!reply.headers.contains_key("idempotent-replayed"));
        deed.made(&mut self.model, &reply.body);
        Some(reply)
    }

    async fn request(&self, call: &Call, key: &str) -> Reply {
        let Call { method, path, body } = call;
        let key = call.is_keyed().then_some(key);
        let app = self.app;
        app.send(method.clone(), path, &app.admin, key, body.as_ref())
            .await
    }

    /// A success is answered again, and its key is of no use for anything else; what was refused
    /// left nothing behind, so that it is decided anew.
    async fn again(&mut self, past: usize, reworded: bool) {
        let Past {
            deed,
            call,
            key,
            answer,
        } = &self.past[past];
        let reworded = call.reworded().filter(|_| reworded);
        if let Some(first) = answer {
            let again = self.request(reworded.as_ref().unwrap_or(call), key).await;
            if reworded.is_some() {
                again.expect_problem(422, "idempotency-key-reused");
            } else {
                assert_eq!((again.status, &again.text), (first.status, &first.text));
                assert_eq!(again.headers["idempotent-replayed"], "true", "{deed:?}");
            }
            return;
        }
        let (deed, key) = (deed.clone(), key.clone());
        let call = reworded.unwrap_or_else(|| call.clone());
        let answer = self.send(&deed, &call, &key).await;
        let past = &mut self.past[past];
        (past.call, past.answer) = (call, answer);
    }

    /// Waits until the store has heard of what is recorded.
    async fn settle(&mut self) {
        for (shop, item) in std::mem::take(&mut self.model.late) {
            let path = format!(
                "/api/stocks/{}/{}",
                self.world.shop(shop),
                self.world.item(item)
            );
            let version = self.model.level((shop, item)).version;
            let heard = async || self.app.get(&path).await.expect(200)["version"] == version;
            self.app
                .eventually("what the store should hear of", heard)
                .await;
        }
    }

    async fn remember(&mut self) {
        self.settle().await;
        self.before = (Utc::now(), self.model.clone());
    }
}
