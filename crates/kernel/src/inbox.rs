//! Consumers apply each event once and in order: per aggregate, `last + 1` and nothing else.

use std::collections::HashMap;

use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_types};
use uuid::Uuid;

use crate::{outbox::Envelope, relay::Delivery, statement};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Uuid)]
    aggregate_id: Uuid,
    #[diesel(sql_type = sql_types::BigInt)]
    last_seq: i64,
}

statement! {
    struct Lock<'a> { ids: &'a [Uuid] => sql_types::Array<sql_types::Uuid> }
    "SELECT aggregate_id, last_seq FROM inbox WHERE aggregate_id = ANY({}) \
     ORDER BY aggregate_id FOR UPDATE"
}

statement! {
    struct Advance<'a> {
        ids: &'a [Uuid] => sql_types::Array<sql_types::Uuid>,
        seqs: &'a [i64] => sql_types::Array<sql_types::BigInt>,
    }
    "INSERT INTO inbox (aggregate_id, last_seq) SELECT * FROM unnest({}, {}) \
     ON CONFLICT (aggregate_id) DO UPDATE SET last_seq = excluded.last_seq \
     WHERE inbox.last_seq = excluded.last_seq - 1"
}

/// What is to be applied now, and what became of each event of the delivery.
#[derive(Debug)]
pub struct Sorted {
    /// Indexes into the delivery; each aggregate's are in the order of `seq`, however they came.
    pub fresh: Vec<usize>,
    /// One answer per event of the delivery.
    pub outcomes: Vec<Delivery>,
}

/// Sorts a delivery into new, old and early, and remembers the new ones as applied. Call it in
/// the transaction of the effects, and apply every [`Sorted::fresh`] event in that transaction.
///
/// # Errors
///
/// As any statement. Two deliveries of the same new aggregate at once: the later one fails with a
/// serialization failure, and is delivered again.
pub fn sort(conn: &mut PgConnection, events: &[Envelope]) -> QueryResult<Sorted> {
    let mut ids: Vec<Uuid> = events.iter().map(|e| e.aggregate_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let known: Vec<Row> = Lock { ids: &ids }.get_results(conn)?;
    let before: HashMap<Uuid, i64> = known.iter().map(|r| (r.aggregate_id, r.last_seq)).collect();
    let mut last = before.clone();
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|i| events.get(*i).map(|e| (e.aggregate_id, e.seq)));
    let (mut fresh, mut outcomes) = (Vec::new(), vec![Delivery::Done; events.len()]);
    for index in order {
        let Some(event) = events.get(index) else {
            continue;
        };
        let seen = last.entry(event.aggregate_id).or_insert(0);
        if event.seq == *seen + 1 {
            *seen = event.seq;
            fresh.push(index);
        } else if let Some(outcome) = outcomes.get_mut(index)
            && event.seq > *seen
        {
            *outcome = Delivery::TooEarly;
        }
    }
    advance(conn, &before, &last)?;
    Ok(Sorted { fresh, outcomes })
}

/// Step by step, so that a concurrent delivery that was faster is noticed: then fewer rows change.
fn advance(
    conn: &mut PgConnection,
    before: &HashMap<Uuid, i64>,
    last: &HashMap<Uuid, i64>,
) -> QueryResult<()> {
    let mut step = 1;
    loop {
        let mut due: Vec<(Uuid, i64)> = last
            .iter()
            .map(|(id, seq)| (*id, before.get(id).copied().unwrap_or(0) + step, *seq))
            .filter(|(_, next, seq)| next <= seq)
            .map(|(id, next, _)| (id, next))
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        due.sort_unstable();
        let (ids, seqs): (Vec<Uuid>, Vec<i64>) = due.into_iter().unzip();
        if (Advance {
            ids: &ids,
            seqs: &seqs,
        })
        .execute(conn)?
            != ids.len()
        {
            // RollbackTransaction undoes the effects; the events are delivered again.
            return Err(diesel::result::Error::RollbackTransaction);
        }
        step += 1;
    }
}
