//! Requests that open or change a shift: each is carried out once, and its answer is kept.

use diesel::PgConnection;
use kernel::{
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    problem::Problem,
    uuid::Uuid,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{error::Error, repo::shift_requests};

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
    pub(crate) fn new<T: Serialize>(
        cx: &Cx,
        key: &IdempotencyKey,
        body: &T,
    ) -> Result<Self, Error> {
        let id = key.id_for(cx.actor);
        let hash = request_hash(body).map_err(|e| Problem::internal(&e))?;
        Ok(Self { id, hash })
    }
}

/// The stored answer to this request, if there is one.
pub(crate) fn replay<T: DeserializeOwned>(
    conn: &mut PgConnection,
    request: &Request,
) -> Result<Option<Answered<T>>, Error> {
    let Some(stored) = shift_requests::find(conn, request.id)? else {
        return Ok(None);
    };
    if stored.request_hash != request.hash {
        return Err(Error::KeyReused);
    }
    let view = stored.response.map(serde_json::from_value).transpose();
    let view = view.map_err(|e| Problem::internal(&e))?;
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
    if !shift_requests::claim(conn, request.id, cx.actor, &request.hash)? {
        return replay(conn, request)?.ok_or(Error::KeyReused);
    }
    let view = work(conn)?;
    let response = serde_json::to_value(&view).map_err(|e| Problem::internal(&e))?;
    shift_requests::answer(conn, request.id, response)?;
    Ok(Answered {
        view,
        replayed: false,
    })
}
