//! Stored answers: a request is carried out once, and every repeat of it is told what it was told.
//!
//! A module that does so has a table `answers` in its schema. The id of a row is the one that
//! [`IdempotencyKey::id_for`] makes, or the one that another module chose. What has a row of its
//! own under that id, such as a sale, needs none of this.

use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    ids::UserId,
    statement,
};

/// What one request is known by.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What it was asked under, and the id of what it makes.
    pub id: Uuid,
    hash: Vec<u8>,
}

impl Asked {
    /// The request that `body` makes under `id`.
    ///
    /// # Errors
    ///
    /// When the body cannot be serialised, which none of ours can bring about.
    pub fn new<T: Serialize>(id: Uuid, body: &T) -> Result<Self, serde_json::Error> {
        let hash = request_hash(body)?;
        Ok(Self { id, hash })
    }
}

/// An answer, and whether it is a stored one.
#[derive(Debug)]
pub struct Answered<T> {
    /// As it was given first.
    pub view: T,
    /// Whether an earlier request got it.
    pub replayed: bool,
}

impl<T: Serialize> Answered<T> {
    /// 200.
    pub fn ok(&self, key: &IdempotencyKey) -> HttpResponse {
        self.with(key, HttpResponse::Ok())
    }

    /// 201, with where it is found.
    pub fn created(&self, key: &IdempotencyKey, location: String) -> HttpResponse {
        let mut response = HttpResponse::Created();
        response.insert_header((header::LOCATION, location));
        self.with(key, response)
    }

    fn with(&self, key: &IdempotencyKey, mut response: HttpResponseBuilder) -> HttpResponse {
        key.answer(&mut response, self.replayed);
        response.json(&self.view)
    }
}

/// The id was used for another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this key was used for another request")]
pub struct KeyReused;

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = sql_types::Binary)]
    request_hash: Vec<u8>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Jsonb>)]
    response: Option<Value>,
}

statement! {
    struct Find { id: Uuid => sql_types::Uuid }
    "SELECT request_hash, response FROM answers WHERE id = {}"
}

statement! {
    struct Claim<'a> {
        id: Uuid => sql_types::Uuid,
        actor: UserId => sql_types::Uuid,
        request_hash: &'a [u8] => sql_types::Binary,
    }
    "INSERT INTO answers (id, actor_id, request_hash, created_at) \
     VALUES ({}, {}, {}, statement_timestamp()) ON CONFLICT (id) DO NOTHING"
}

statement! {
    struct Answer { response: Value => sql_types::Jsonb, id: Uuid => sql_types::Uuid }
    "UPDATE answers SET response = {} WHERE id = {}"
}

/// The stored answer to this request, if there is one.
///
/// # Errors
///
/// [`KeyReused`] where the id stands for another request; as any statement otherwise.
pub fn replay<T, E>(conn: &mut PgConnection, asked: &Asked) -> Result<Option<Answered<T>>, E>
where
    T: DeserializeOwned,
    E: From<diesel::result::Error> + From<serde_json::Error> + From<KeyReused>,
{
    let find = Find { id: asked.id };
    let Some(stored) = find.get_result::<Stored>(conn).optional()? else {
        return Ok(None);
    };
    if stored.request_hash != asked.hash {
        return Err(KeyReused.into());
    }
    let view = stored.response.map(serde_json::from_value).transpose()?;
    Ok(view.map(|view| Answered {
        view,
        replayed: true,
    }))
}

/// Does `work` once per request, in the caller's transaction, and keeps its answer. Of equal
/// requests at the same time one works, and the others wait for its answer; one that was refused
/// leaves nothing behind.
///
/// # Errors
///
/// As [`replay`], and as `work`.
pub fn once<T, E>(
    conn: &mut PgConnection,
    cx: &Cx,
    asked: &Asked,
    work: impl FnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<Answered<T>, E>
where
    T: Serialize + DeserializeOwned,
    E: From<diesel::result::Error> + From<serde_json::Error> + From<KeyReused>,
{
    if !claim(conn, cx.actor, asked)? {
        return replay::<T, E>(conn, asked)?.ok_or_else(|| KeyReused.into());
    }
    let view = work(conn)?;
    let answer = Answer {
        response: serde_json::to_value(&view)?,
        id: asked.id,
    };
    answer.execute(conn)?;
    Ok(Answered {
        view,
        replayed: false,
    })
}

/// `false` when the id is taken; a transaction that is taking it now is waited for.
fn claim(conn: &mut PgConnection, actor: UserId, asked: &Asked) -> QueryResult<bool> {
    let claim = Claim {
        id: asked.id,
        actor,
        request_hash: &asked.hash,
    };
    claim.execute(conn).map(|rows| rows == 1)
}
