//! Carries a request out once, and keeps its answer: under the id made of its idempotency key, or
//! the one that another module chose.

use diesel::PgConnection;
use kernel::{call::Cx, idempotency::request_hash};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{error::Error, repo::requests};

/// An answer, and whether it is a stored one.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) view: T,
    pub(crate) replayed: bool,
}

/// What one request is known by.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Uuid,
    hash: Vec<u8>,
}

impl Request {
    pub(crate) fn new<T: Serialize>(id: Uuid, body: &T) -> Result<Self, Error> {
        let hash = request_hash(body)?;
        Ok(Self { id, hash })
    }
}

/// The stored answer to this request, if there is one.
pub(crate) fn replay<T: DeserializeOwned>(
    conn: &mut PgConnection,
    request: &Request,
) -> Result<Option<Answered<T>>, Error> {
    let Some(stored) = requests::find(conn, request.id)? else {
        return Ok(None);
    };
    if stored.request_hash != request.hash {
        return Err(Error::KeyReused);
    }
    let view = stored.response.map(serde_json::from_value).transpose()?;
    Ok(view.map(|view| Answered {
        view,
        replayed: true,
    }))
}

/// Does `work` once per request, and keeps its answer. Of equal requests at the same time, one
/// works and the others wait for its answer; one that was refused leaves nothing behind.
pub(crate) fn once<T: Serialize + DeserializeOwned>(
    conn: &mut PgConnection,
    cx: &Cx,
    request: &Request,
    work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
) -> Result<Answered<T>, Error> {
    if !requests::claim(conn, request.id, cx.actor, &request.hash)? {
        return replay(conn, request)?.ok_or(Error::KeyReused);
    }
    let view = work(conn)?;
    requests::answer(conn, request.id, serde_json::to_value(&view)?)?;
    Ok(Answered {
        view,
        replayed: false,
    })
}
