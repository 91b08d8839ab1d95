//! One run: each operation is done to the product and to the model, and the answers compared.

use std::{collections::BTreeMap, rc::Rc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    deed::{Call, Deed},
    discrepancies,
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
    /// How often what was answered.
    pub tally: BTreeMap<String, usize>,
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
            tally: BTreeMap::new(),
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
        if matches!(op, Op::Resolve(_)) {
            self.look_up_discrepancies().await;
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
        *self.tally.entry(answer_of(call, &reply)).or_default() += 1;
        deed.apply(&mut self.model).assert(&**deed, &reply);
        if reply.status >= 300 {
            return None;
        }
        assert!(!reply.headers.contains_key("idempotent-replayed"));
        deed.sent(&mut self.model, call, &reply.body);
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

    async fn look_up_discrepancies(&mut self) {
        for discrepancy in self
            .model
            .discrepancies
            .iter_mut()
            .filter(|d| d.id.is_nil())
        {
            let (shop, item) = discrepancy.key;
            let (shop, item) = (self.world.shop(shop), self.world.item(item));
            let path = format!(
                "{}?store_id={shop}&product_id={item}&limit=200",
                discrepancies::PATH
            );
            let page = self.app.get(&path).await.expect(200);
            let mut rows = page["items"].as_array().unwrap().iter();
            let row = rows.find(|row| row["seq"] == discrepancy.seq);
            let row = row.unwrap_or_else(|| panic!("no {discrepancy:?}"));
            discrepancy.id = row["id"].as_str().unwrap().parse().unwrap();
        }
    }

    async fn remember(&mut self) {
        self.settle().await;
        self.before = (Utc::now(), self.model.clone());
    }
}

/// What was asked, without ids, and what was answered.
fn answer_of(call: &Call, reply: &Reply) -> String {
    let words = call
        .path
        .split('/')
        .filter(|part| part.parse::<Uuid>().is_err());
    let path = words.skip(2).collect::<Vec<_>>().join("/");
    let code = reply.body["code"].as_str().unwrap_or_default();
    format!("{path} {} {code}", reply.status)
}
