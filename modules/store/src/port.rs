//! The contracts [`Stock`], [`Stores`], [`Levels`], [`Transfers`] and the events of the sales module,
//! answered from this process.

use std::{io, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{
    answers::{Asked, once},
    auth::Scope,
    batch::{Writer, WriterOptions},
    call::{CallError, Cx, NoAnswer},
    db::{Db, DbError},
    ids::{ProductId, StoreId},
    outbox::Envelope,
    problem::Problem,
    relay::{Delivery, Subscriber},
};
use store_api::{
    Hold, HoldRefused, HoldRequest, Levels, NewTransfer, PastLevel, Stock, StoreLevel,
    StoreProfile, Stores, TransferRef, TransferRefused, Transfers,
};

use crate::{
    domain::{
        hold::{Answer, Job},
        reason::HoldState,
        transfer::Line,
    },
    dto::TransferView,
    error::Error,
    repo::{levels, past_levels, profiles},
    service::{
        deliver, hold,
        meter::{HoldMeter, SettledMeter},
        transfers::{Answered, Opening, check_lines, open},
    },
};

/// Holds in one transaction at most.
const MAX_BATCH: usize = 64;
/// Levels of one store in one answer at most.
const MAX_LEVELS: i64 = 1_000;
const MAX_PAST_LEVELS: i64 = 10_000;

/// When a hold's transaction is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldCommit {
    /// Once it is on disk.
    Durable,
    /// Before: only where the sale that follows is committed to the same write-ahead log, which
    /// makes the hold durable with it.
    Deferred,
}

/// What the module offers to the others. Needs nothing but its own database.
pub struct Ports {
    db: Db,
    holds: Writer<Job, Answer>,
    settled: SettledMeter,
}

impl Ports {
    /// Starts the writers of holds; they end when the ports are dropped.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started.
    pub fn new(db: Db, commit: HoldCommit) -> io::Result<Arc<Self>> {
        // A durable commit waits for the disk, and a second thread works meanwhile. A deferred one
        // does not wait: one thread then makes larger groups of what arrives.
        let threads = match commit {
            HoldCommit::Durable => 2,
            HoldCommit::Deferred => 1,
        };
        let options = WriterOptions {
            name: "holds",
            threads,
            max_batch: MAX_BATCH,
        };
        let deferred = commit == HoldCommit::Deferred;
        let meter = HoldMeter::new(db.metrics());
        let holds = Writer::start(
            options,
            &db,
            move |conn, jobs: &[Job]| hold::write(conn, deferred, jobs),
            move |_, answer| meter.answered(answer),
        )?;
        Ok(Arc::new(Self {
            settled: SettledMeter::new(db.metrics(), "event"),
            db,
            holds,
        }))
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports")
            .field("holds", &self.holds)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Stock for Ports {
    async fn hold(&self, cx: &Cx, request: HoldRequest) -> Result<Hold, CallError<HoldRefused>> {
        let no_answer = |reason: String| NoAnswer::new("stock", "hold", reason);
        let job = Job {
            actor: cx.actor,
            request,
        };
        match tokio::time::timeout(cx.remaining(), self.holds.submit(job)).await {
            Ok(Ok(answer)) => answer.map_err(CallError::Refused),
            Ok(Err(error)) => Err(no_answer(error.to_string()).into()),
            Err(_late) => Err(no_answer("the deadline has passed".to_owned()).into()),
        }
    }
}

#[async_trait]
impl Stores for Ports {
    async fn profiles(&self, _: &Cx, ids: Vec<StoreId>) -> Result<Vec<StoreProfile>, NoAnswer> {
        self.db
            .run(move |conn| profiles::find(conn, &ids).map_err(DbError::from))
            .await
            .map_err(|e| NoAnswer::new("stores", "profiles", e))
    }
}

#[async_trait]
impl Levels for Ports {
    async fn levels(
        &self,
        _: &Cx,
        scope: Scope,
        products: Vec<ProductId>,
    ) -> Result<Vec<StoreLevel>, NoAnswer> {
        self.db
            .run(move |conn| levels::of_products(conn, &scope, &products).map_err(DbError::from))
            .await
            .map_err(|e| NoAnswer::new("levels", "levels", e))
    }

    async fn levels_at(
        &self,
        _: &Cx,
        store: StoreId,
        before: DateTime<Utc>,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<PastLevel>, NoAnswer> {
        let limit = limit.clamp(0, MAX_PAST_LEVELS);
        self.db
            .run(move |conn| {
                past_levels::of_store(conn, store, before, after, limit).map_err(DbError::from)
            })
            .await
            .map_err(|e| NoAnswer::new("levels", "levels_at", e))
    }

    async fn levels_of_store(
        &self,
        _: &Cx,
        store: StoreId,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<StoreLevel>, NoAnswer> {
        let limit = limit.clamp(0, MAX_LEVELS);
        self.db
            .run(move |conn| levels::of_store(conn, store, after, limit).map_err(DbError::from))
            .await
            .map_err(|e| NoAnswer::new("levels", "levels_of_store", e))
    }
}

#[async_trait]
impl Transfers for Ports {
    async fn create(
        &self,
        cx: &Cx,
        transfer: NewTransfer,
    ) -> Result<TransferRef, CallError<TransferRefused>> {
        let cx = cx.clone();
        let made: Result<Answered, Error> = self
            .db
            .transaction(move |conn| {
                check_lines(transfer.lines.iter().map(|line| line.product_id))?;
                let request = Asked::new(transfer.id.0, &transfer)?;
                let opening = opening(transfer);
                once(conn, &cx, &request, |conn| {
                    open(conn, &cx, &opening).map(TransferView::from)
                })
            })
            .await;
        match made {
            Ok(Answered { view, replayed }) => Ok(TransferRef {
                id: view.head.id,
                number: view.head.number,
                replayed,
            }),
            Err(error) => Err(not_made(&error)),
        }
    }
}

fn opening(transfer: NewTransfer) -> Opening {
    let NewTransfer {
        id,
        from_store_id,
        to_store_id,
        lines,
        note,
        source,
        start,
    } = transfer;
    let mut lines: Vec<Line> = lines
        .into_iter()
        .map(|line| Line::new(line.product_id, line.sku, line.name, line.quantity.get()))
        .collect();
    lines.sort_by_key(|line| line.product_id);
    Opening {
        id,
        from_store_id,
        to_store_id,
        lines,
        note,
        source,
        return_of: None,
        start,
    }
}

fn not_made(error: &Error) -> CallError<TransferRefused> {
    let refused = match error {
        Error::KeyReused => TransferRefused::KeyReused,
        Error::StoreArchived | Error::UnknownStore { .. } => TransferRefused::UnknownStore,
        Error::Invalid { pointer, detail } => TransferRefused::Invalid {
            detail: format!("{pointer}: {detail}"),
        },
        other => {
            let no_answer = NoAnswer::new("transfers", "create", Problem::from(other));
            return CallError::NoAnswer(no_answer);
        }
    };
    CallError::Refused(refused)
}

#[async_trait]
impl Subscriber for Ports {
    async fn deliver(&self, _: &Cx, events: Vec<Envelope>) -> Result<Vec<Delivery>, NoAnswer> {
        let settled = self.settled.clone();
        let applied = self
            .db
            .transaction_then(
                move |conn| deliver::apply(conn, events).map_err(DbError::from),
                move |applied| settled.settled(HoldState::Consumed, applied.consumed),
            )
            .await
            .map_err(|e: DbError| NoAnswer::new("events", "deliver", e))?;
        Ok(applied.outcomes)
    }
}
