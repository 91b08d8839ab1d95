//! What is asked of the product, and what must come of it.

use std::fmt::Debug;

use reqwest::Method;
use serde_json::Value;

use super::{offline, quotes, state::Model, world::World};
use crate::app::Reply;

/// A request, without its key.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
}

impl Call {
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body: Some(body),
        }
    }

    /// Whether it may be repeated with its key.
    pub fn is_keyed(&self) -> bool {
        let unkeyed = [offline::PATH, quotes::PATH];
        self.method == Method::POST && !unkeyed.contains(&&*self.path)
    }

    /// The same in other words, which makes it another request; `None` where it has no words.
    pub fn reworded(&self) -> Option<Self> {
        let mut call = self.clone();
        let body = call.body.as_mut()?;
        let places = [
            "/note",
            "/customer_ref",
            "/items/0/note",
            "/returned/note",
            "/label",
            "/reason",
        ];
        let place = places.into_iter().find(|p| body.pointer(p).is_some())?;
        *body.pointer_mut(place)? = "In other words".into();
        Some(call)
    }
}

/// What the model says the answer must be.
#[derive(Debug, Clone)]
pub enum Expected {
    /// A success, and what its body says at these JSON pointers.
    Done(u16, Vec<(String, Value)>),
    /// A problem of this code; nothing changes.
    Refused(u16, &'static str),
}

impl Expected {
    pub fn says(status: u16, says: &[(&str, i64)]) -> Self {
        let says = says
            .iter()
            .map(|(at, n)| ((*at).to_owned(), Value::from(*n)));
        Self::Done(status, says.collect())
    }

    /// And this, besides.
    #[must_use]
    pub fn and(self, more: Vec<(String, Value)>) -> Self {
        match self {
            Self::Done(status, says) => Self::Done(status, [says, more].concat()),
            refused @ Self::Refused(..) => refused,
        }
    }

    /// Fails where the answer is another one.
    pub fn assert(&self, deed: &dyn Deed, reply: &Reply) {
        let told = || {
            format!(
                "{deed:?}\nexpected {self:?}\nanswered {} {}",
                reply.status, reply.text
            )
        };
        match self {
            Self::Done(status, says) => {
                assert_eq!(reply.status, *status, "{}", told());
                for (pointer, value) in says {
                    assert_eq!(
                        reply.body.pointer(pointer),
                        Some(value),
                        "{pointer}: {}",
                        told()
                    );
                }
            }
            Self::Refused(status, code) => {
                let answered = (reply.status, reply.body["code"].as_str());
                assert_eq!(answered, (*status, Some(*code)), "{}", told());
            }
        }
    }
}

/// One thing that a client does, with everything it depends on but the model's state.
pub trait Deed: Debug {
    /// The request.
    fn call(&self, world: &World, model: &Model) -> Call;
    /// What must come of it now; a success changes the model.
    fn apply(&self, model: &mut Model) -> Expected;
    /// Learns from the answer what was made.
    fn made(&self, _model: &mut Model, _answer: &Value) {}
    /// As [`made`](Self::made), where it takes what was sent.
    fn sent(&self, model: &mut Model, _call: &Call, answer: &Value) {
        self.made(model, answer);
    }
}
