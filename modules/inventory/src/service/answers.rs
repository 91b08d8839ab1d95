//! Each request once: its id is claimed first, its answer kept.

use diesel::PgConnection;
use kernel::{call::Cx, idempotency::request_hash};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{error::Error, repo::answers};

/// An answer, and whether it is a stored one.
#[derive(Debug)]
pub(crate) struct Answered<T> {
    pub(crate) view: T,
    pub(crate) replayed: bool,
}

/// What one request is known by.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) id: Uuid,
    hash: Vec<u8>,
}

impl Asked {
    pub(crate) fn new<T: Serialize>(id: Uuid, body: &T) -> Result<Self, Error> {
        let hash = request_hash(body)?;
        Ok(Self { id, hash })
    }
}

/// The stored answer to this request, if there is one.
pub(crate) fn replay<T: DeserializeOwned>(
    conn: &mut PgConnection,
    asked: &Asked,
) -> Result<Option<Answered<T>>, Error> {
    let Some(stored) = answers::find(conn, asked.id)? else {
        return Ok(None);
    };
    if stored.request_hash != asked.hash {
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
    asked: &Asked,
    work: impl FnOnce(&mut PgConnection) -> Result<T, Error>,
) -> Result<Answered<T>, Error> {
    if !answers::claim(conn, asked.id, cx.actor, &asked.hash)? {
        return replay(conn, asked)?.ok_or(Error::KeyReused);
    }
    let view = work(conn)?;
    answers::answer(conn, asked.id, serde_json::to_value(&view)?)?;
    Ok(Answered {
        view,
        replayed: false,
    })
}
