//! Parking a basket, and handing it out exactly once.

use chrono::{DateTime, Days, TimeDelta, TimeZone, Utc};
use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::{IdempotencyKey, request_hash},
    page::{self, Page},
    problem::Problem,
    uuid::Uuid,
};
use store_api::StoreProfile;

use super::{validate, views};
use crate::{
    Sales,
    domain::words::ParkedState,
    dto::{ParkSale, ParkedHead, ParkedQuery, ParkedView},
    error::{Conflict, Error},
    repo::parked::{self, Ending, Parked, Place},
};

/// How long a basket that expired is kept, so that a repeated request still gets its answer.
const KEPT: TimeDelta = TimeDelta::days(1);
/// How many are cleared away in one go.
const CLEARED: i64 = 500;

/// A basket, and whether an earlier request with this key had done what was asked.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) basket: ParkedView,
    pub(crate) replayed: bool,
}

impl Sales {
    /// Puts a basket aside, once per key. The caller answers for who may sell at the store.
    pub(crate) async fn park(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: ParkSale,
    ) -> Result<Done, Error> {
        let now = kernel::time::now();
        validate::sale(&body.sale(), now).map_err(|e| e.under("/basket"))?;
        let id = key.id_for(cx.actor);
        let hash = request_hash(&body).map_err(|e| Problem::internal(&e))?;
        if let Some(done) = self.parked_by(id, &hash).await? {
            return Ok(done);
        }
        let store = self.directory.profile(cx, body.store_id).await?;
        let store = self.check_register(cx, store, body.register_id).await?;
        if store.archived {
            return Err(Error::StoreArchived);
        }
        let new = Parked {
            id,
            store_id: body.store_id,
            register_id: body.register_id,
            state: ParkedState::Parked,
            label: body.label.map(kernel::text::Text::into_string),
            line_count: i32::try_from(body.basket.lines.len()).unwrap_or(i32::MAX),
            basket: serde_json::to_value(&body.basket).map_err(|e| Problem::internal(&e))?,
            request_hash: hash.clone(),
            parked_by: cx.actor,
            parked_at: now,
            expires_at: end_of_next_day(&store, now),
            ended_by: None,
            ended_at: None,
            end_id: None,
        };
        let (cx, row) = (cx.clone(), new.clone());
        let parked = self
            .db
            .transaction(move |conn| {
                let free = parked::insert(conn, &row)?;
                if free {
                    tell(conn, &cx, "basket.park", &row)?;
                }
                Ok::<_, Error>(free)
            })
            .await?;
        if parked {
            return Ok(Done {
                basket: views::parked(new)?,
                replayed: false,
            });
        }
        // Another try of this request was faster.
        let done = self.parked_by(id, &hash).await?;
        done.ok_or(Error::NotFound("parked basket"))
    }

    /// As it was parked, whatever became of it since: a repeat answers as the first request did.
    async fn parked_by(&self, id: Uuid, hash: &[u8]) -> Result<Option<Done>, Error> {
        let found = self
            .db
            .run(move |conn| parked::find(conn, id, None).map_err(Error::from))
            .await?;
        match found {
            None => Ok(None),
            Some(row) if row.request_hash == hash => Ok(Some(Done {
                basket: views::parked(Parked {
                    state: ParkedState::Parked,
                    ended_by: None,
                    ended_at: None,
                    end_id: None,
                    ..row
                })?,
                replayed: true,
            })),
            Some(_) => Err(Error::KeyReused),
        }
    }

    /// What waits to be resumed in the stores in `scope`, newest first.
    pub(crate) async fn parked(
        &self,
        scope: &Scope,
        query: ParkedQuery,
    ) -> Result<Page<ParkedHead>, Error> {
        let ParkedQuery {
            store_id,
            limit,
            cursor,
        } = query;
        let after: Option<Place> = page::after(cursor.as_ref())?;
        if after.is_some_and(|place| !validate::is_plausible(place.parked_at)) {
            let detail = "is not one that this list gave: start again without it";
            return Err(Error::invalid("cursor", detail));
        }
        let (stores, limit, now) = (
            scope.as_filter(),
            limit.unwrap_or_default(),
            kernel::time::now(),
        );
        let rows = self
            .db
            .run(move |conn| {
                parked::list(conn, stores, store_id, now, after, limit.plus_one())
                    .map_err(Error::from)
            })
            .await?;
        let key = |row: &Parked| Place {
            parked_at: row.parked_at,
            id: row.id,
        };
        Ok(Page::build(rows, limit, key, |row| {
            views::parked_head(&row)
        }))
    }

    /// One basket, if it is in `scope`, whatever became of it.
    pub(crate) async fn parked_by_id(&self, id: Uuid, scope: &Scope) -> Result<Parked, Error> {
        let stores = scope.as_filter();
        self.db
            .run(move |conn| parked::find(conn, id, stores).map_err(Error::from))
            .await?
            .ok_or(Error::NotFound("parked basket"))
    }

    /// Resumes or discards a basket: once, and for the same key again with the same answer.
    pub(crate) async fn end_parked(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: Uuid,
        state: ParkedState,
    ) -> Result<Done, Error> {
        let ending = Ending {
            state,
            by: cx.actor,
            at: kernel::time::now(),
            end_id: key.id_for(cx.actor),
        };
        let cx = cx.clone();
        self.db
            .transaction(move |conn| end(conn, &cx, id, ending))
            .await
    }

    /// Clears away what expired; answers whether there may be more.
    pub(crate) async fn clear_parked(&self) -> Result<bool, Error> {
        let before = kernel::time::now() - KEPT;
        let cleared = self
            .db
            .run(move |conn| parked::clear(conn, before, CLEARED).map_err(Error::from))
            .await?;
        Ok(i64::try_from(cleared).unwrap_or(CLEARED) >= CLEARED)
    }
}

fn end(conn: &mut PgConnection, cx: &Cx, id: Uuid, ending: Ending) -> Result<Done, Error> {
    if let Some(row) = parked::end(conn, id, ending)? {
        let action = match ending.state {
            ParkedState::Discarded => "basket.discard",
            ParkedState::Parked | ParkedState::Resumed => "basket.resume",
        };
        tell(conn, cx, action, &row)?;
        return Ok(Done {
            basket: views::parked(row)?,
            replayed: false,
        });
    }
    let row = parked::find(conn, id, None)?.ok_or(Error::NotFound("parked basket"))?;
    match row.state {
        _ if row.end_id == Some(ending.end_id) => Ok(Done {
            basket: views::parked(row)?,
            replayed: true,
        }),
        ParkedState::Resumed => Err(Conflict::BasketResumed.into()),
        ParkedState::Discarded => Err(Conflict::BasketDiscarded.into()),
        ParkedState::Parked => Err(Conflict::BasketExpired.into()),
    }
}

fn tell(conn: &mut PgConnection, cx: &Cx, action: &'static str, row: &Parked) -> Result<(), Error> {
    let after =
        serde_json::json!({"status": row.state, "line_count": row.line_count, "label": row.label});
    let entry = Entry::new(cx, action, row.id).at(row.store_id);
    audit::append(conn, &[entry.change(None, Some(&after))?])?;
    Ok(())
}

/// When the store's next business day is over.
fn end_of_next_day(store: &StoreProfile, now: DateTime<Utc>) -> DateTime<Utc> {
    let day = store.business_date(now);
    let turns = day.checked_add_days(Days::new(2)).unwrap_or(day);
    let local = turns.and_time(store.day_cutoff);
    // A clock that is put forward may leave that moment out; a day more or less does no harm.
    let zoned = store.timezone.from_local_datetime(&local).earliest();
    zoned.map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}
