//! Streams tables from one database into another and reads them back, row by row.

use std::{io::Write, pin::pin, time::Duration};

use actix_web::web::Bytes;
use futures::{SinkExt, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;
use tokio_postgres::Transaction;

use super::{shape::Table, side::told};
use crate::operator::Failure;

/// Longest wait for the next row, either way.
const STALL: Duration = Duration::from_secs(60);
/// Longest wait for the end of a table, when foreign keys are checked.
const SETTLE: Duration = Duration::from_secs(3_600);

/// What a table holds, whatever the order of its rows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Digest {
    rows: u64,
    bytes: u64,
    /// The sum of 128 bits of each row's SHA-256.
    sum: u128,
}

impl Digest {
    /// PostgreSQL sends a row per message; the row count that it reports is held against ours.
    fn add(&mut self, row: &Bytes) {
        let mut first = [0_u8; 16];
        for (to, from) in first.iter_mut().zip(Sha256::digest(row)) {
            *to = from;
        }
        self.rows += 1;
        self.bytes += u64::try_from(row.len()).unwrap_or(u64::MAX);
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(first));
    }
}

/// Copies every table, and reads every copy back: rows and content must be the same.
pub(super) async fn tables(
    source: &Transaction<'_>,
    target: &Transaction<'_>,
    schema: &str,
    tables: Vec<Table>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    writeln!(out, "  {:<16} {:>12} {:>16}", "table", "rows", "bytes")?;
    for table in tables {
        let relation = format!("{schema}.{}", table.name);
        let sent = across(source, target, &relation, &table.columns).await?;
        let found = read(target, &relation, &table.columns).await?;
        if sent != found {
            return Err(format!("{relation}: the copy differs: {sent:?}, {found:?}").into());
        }
        // Without statistics the first hours would be planned as for empty tables.
        let analyze = format!("ANALYZE {relation}");
        let analyzed = timeout(SETTLE, target.batch_execute(&analyze)).await?;
        analyzed.map_err(told(&relation))?;
        let (name, Digest { rows, bytes, .. }) = (table.name, sent);
        writeln!(out, "  {name:<16} {rows:>12} {bytes:>16}")?;
    }
    Ok(writeln!(out)?)
}

async fn across(
    source: &Transaction<'_>,
    target: &Transaction<'_>,
    relation: &str,
    columns: &str,
) -> Result<Digest, Failure> {
    let (left, arrived) = (told(relation), told(relation));
    let rows = source
        .copy_out(&format!("COPY {relation} ({columns}) TO STDOUT"))
        .await
        .map_err(&left)?;
    let sink = target
        .copy_in::<_, Bytes>(&format!("COPY {relation} ({columns}) FROM STDIN"))
        .await
        .map_err(&arrived)?;
    let (mut rows, mut sink) = (pin!(rows), pin!(sink));
    let mut digest = Digest::default();
    while let Some(row) = timeout(STALL, rows.next()).await? {
        let row = row.map_err(&left)?;
        digest.add(&row);
        if timeout(STALL, sink.send(row)).await?.is_err() {
            // Why is in the answer to the whole.
            break;
        }
    }
    let written = timeout(SETTLE, sink.finish()).await?.map_err(&arrived)?;
    if written != digest.rows {
        return Err(format!("{relation}: sent {} rows, {written} arrived", digest.rows).into());
    }
    Ok(digest)
}

async fn read(tx: &Transaction<'_>, relation: &str, columns: &str) -> Result<Digest, Failure> {
    let told = told(relation);
    let rows = tx
        .copy_out(&format!("COPY {relation} ({columns}) TO STDOUT"))
        .await
        .map_err(&told)?;
    let (mut rows, mut digest) = (pin!(rows), Digest::default());
    while let Some(row) = timeout(STALL, rows.next()).await? {
        digest.add(&row.map_err(&told)?);
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&'static str]) -> Digest {
        let mut digest = Digest::default();
        for row in rows {
            digest.add(&Bytes::from_static(row.as_bytes()));
        }
        digest
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let whole = digest(&["1\ta\n", "2\tb\n", "2\tb\n"]);
        assert_eq!(whole, digest(&["2\tb\n", "1\ta\n", "2\tb\n"]));
        for other in [
            digest(&["1\ta\n", "2\tb\n"]),
            digest(&["1\ta\n", "1\ta\n", "2\tb\n"]),
            digest(&["1\ta\n", "2\tb\n", "2\tc\n"]),
            digest(&["1\tb\n", "2\ta\n", "2\tb\n"]),
        ] {
            assert_ne!(whole, other);
        }
    }
}
