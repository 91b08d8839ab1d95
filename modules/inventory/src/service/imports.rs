//! CSV import: read as it arrives, written in blocks, every row accounted for, memory flat.

use std::fmt::Display;

use actix_web::web::Bytes;
use futures::{Stream, StreamExt};
use kernel::{call::Cx, money::Currency, page::Limit};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::import_block::Outcome;
use crate::{
    Inventory,
    domain::import::{
        RowProblem,
        columns::Columns,
        row::{self, Draft},
        split::{Record, Splitter, TooLong},
    },
    error::Error,
    repo::imports::{self, Import},
};

/// The largest file, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 64 * 1_048_576;
const BLOCK_ROWS: usize = 1_000;
const MAX_ERRORS: usize = 1_000;

/// How an import is to be done.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Judge every row, write nothing. Each block of 1,000 rows is judged against the catalogue
    /// as it stands, not against the rows of the blocks before it.
    pub dry_run: bool,
    /// For prices of rows without a currency. Without it an old product keeps its own currency,
    /// and a new one is priced in USD.
    pub currency: Option<Currency>,
}

/// What became of an import. `created + updated + unchanged + failed = rows`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Finds this report again.
    pub import_id: Uuid,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Rows after the header.
    pub rows: u64,
    /// Products that are new.
    pub created: u64,
    /// Products that changed.
    pub updated: u64,
    /// Rows that say what stood already.
    pub unchanged: u64,
    /// Rows with errors: nothing of them was imported.
    pub failed: u64,
    /// Why rows failed, in the order of the file; a row has one entry per cell at fault. The
    /// first 1,000.
    pub errors: Vec<RowProblem>,
    /// Whether there were more errors than are listed.
    pub errors_truncated: bool,
    /// Columns that mean nothing here.
    pub ignored_columns: Vec<String>,
}

impl Inventory {
    /// Imports a CSV file of products by SKU. A bad row fails alone, and each block of 1,000 rows
    /// is committed by itself: a file that breaks off may be imported again.
    ///
    /// # Errors
    ///
    /// When the file has no header, is too large, or breaks off, or the database does not answer.
    pub async fn import_products<S, E>(
        &self,
        cx: &Cx,
        mut csv: S,
        options: ImportOptions,
    ) -> Result<ImportReport, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Display,
    {
        let _permit = self
            .imports
            .clone()
            .try_acquire_owned()
            .map_err(|_| Error::ImportsBusy)?;
        let mut run = Run::new(self.clone(), cx.clone(), options);
        let result = run.read(&mut csv).await;
        run.close(result.is_ok()).await?;
        result.map(|()| run.report)
    }

    /// The import of this id.
    pub(crate) async fn import(&self, id: Uuid) -> Result<Import, Error> {
        self.db
            .run(move |conn| imports::find(conn, id)?.ok_or(Error::NotFound("import")))
            .await
    }

    /// One more import than `limit`, newest first.
    pub(crate) async fn imports(
        &self,
        before: Option<Uuid>,
        limit: Limit,
    ) -> Result<Vec<Import>, Error> {
        self.db
            .run(move |conn| Ok(imports::list(conn, before, limit)?))
            .await
    }
}

struct Run {
    inventory: Inventory,
    cx: Cx,
    options: ImportOptions,
    started_at: chrono::DateTime<chrono::Utc>,
    columns: Option<Columns>,
    waiting: Vec<Record>,
    report: ImportReport,
}

impl Run {
    fn new(inventory: Inventory, cx: Cx, options: ImportOptions) -> Self {
        Self {
            inventory,
            cx,
            options,
            started_at: kernel::time::now(),
            columns: None,
            waiting: Vec::new(),
            report: ImportReport {
                import_id: Uuid::now_v7(),
                dry_run: options.dry_run,
                rows: 0,
                created: 0,
                updated: 0,
                unchanged: 0,
                failed: 0,
                errors: Vec::new(),
                errors_truncated: false,
                ignored_columns: Vec::new(),
            },
        }
    }

    async fn read<S, E>(&mut self, csv: &mut S) -> Result<(), Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Display,
    {
        let (mut splitter, mut size) = (Splitter::new(), 0_usize);
        while let Some(chunk) = csv.next().await {
            let chunk = chunk.map_err(|e| Error::Upload(e.to_string()))?;
            size = size.saturating_add(chunk.len());
            if size > MAX_FILE_BYTES {
                return Err(Error::FileTooLarge);
            }
            // Even a chunk as large as the file is taken in small bites.
            for bite in chunk.chunks(65_536) {
                let mut records = Vec::new();
                let split = splitter.push(bite, &mut records);
                self.take(records).await?;
                split.map_err(too_long)?;
            }
        }
        let mut records = Vec::new();
        let split = splitter.finish(&mut records);
        self.take(records).await?;
        split.map_err(too_long)?;
        if self.columns.is_none() {
            return Err(Error::Header("The file is empty.".into()));
        }
        let last = std::mem::take(&mut self.waiting);
        self.flush(last).await
    }

    async fn take(&mut self, records: Vec<Record>) -> Result<(), Error> {
        for record in records {
            if self.columns.is_none() {
                self.open(&record).await?;
                continue;
            }
            self.waiting.push(record);
            if self.waiting.len() == BLOCK_ROWS {
                let block = std::mem::take(&mut self.waiting);
                self.flush(block).await?;
            }
        }
        Ok(())
    }

    async fn open(&mut self, header: &Record) -> Result<(), Error> {
        let cells = header.cells();
        let cells = cells.ok_or_else(|| Error::Header("The file is not UTF-8.".into()))?;
        let columns = Columns::parse(&cells).map_err(Error::Header)?;
        self.report.ignored_columns.clone_from(&columns.ignored);
        self.columns = Some(columns);
        let row = self.row("running")?;
        self.inventory
            .db
            .run(move |conn| Ok(imports::insert(conn, &row)?))
            .await
    }

    /// Records how it went, where there is a record to be written to.
    async fn close(&mut self, finished: bool) -> Result<(), Error> {
        if self.columns.is_none() {
            return Ok(());
        }
        let row = self.row(if finished { "finished" } else { "aborted" })?;
        let closed = self
            .inventory
            .db
            .run(move |conn| Ok(imports::update(conn, &row)?))
            .await;
        // What failed before is what the caller must hear.
        if finished { closed } else { Ok(()) }
    }

    async fn flush(&mut self, block: Vec<Record>) -> Result<(), Error> {
        let (mut drafts, mut problems) = (Vec::with_capacity(block.len()), Vec::new());
        let mut bad_rows = 0;
        for record in &block {
            match self.draft(record) {
                Ok(draft) => drafts.push(draft),
                Err(faults) => {
                    bad_rows += 1;
                    problems.extend(faults);
                }
            }
        }
        let ImportOptions { dry_run, currency } = self.options;
        let outcome = self
            .inventory
            .import_block(&self.cx, drafts, currency, dry_run)
            .await?;
        let Outcome {
            created,
            updated,
            unchanged,
            problems: refused,
        } = outcome;
        self.report.rows += count(block.len());
        self.report.created += created;
        self.report.updated += updated;
        self.report.unchanged += unchanged;
        self.report.failed += bad_rows + count(refused.len());
        problems.extend(refused);
        problems.sort_by_key(|p| p.line);
        let room = MAX_ERRORS.saturating_sub(self.report.errors.len());
        self.report.errors_truncated |= problems.len() > room;
        self.report.errors.extend(problems.into_iter().take(room));
        Ok(())
    }

    fn draft(&self, record: &Record) -> Result<Draft, Vec<RowProblem>> {
        let whole =
            |code: &str, detail: &str| vec![RowProblem::new(record.line, None, code, detail)];
        let cells = record
            .cells()
            .ok_or_else(|| whole("not-utf8", "the row is not UTF-8"))?;
        let Some(columns) = &self.columns else {
            return Err(whole("invalid", "there is no header"));
        };
        let assigned = columns.assign(&cells).ok_or_else(|| {
            let detail = format!("has {} cells, the header {}", cells.len(), columns.len());
            whole("column-count", &detail)
        })?;
        row::parse(record.line, &assigned)
    }

    fn row(&self, state: &str) -> Result<Import, Error> {
        let json = serde_json::to_value(&self.report.errors)
            .map_err(|e| diesel::result::Error::SerializationError(e.into()))?;
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Import {
            id: self.report.import_id,
            actor_id: self.cx.actor,
            dry_run: self.report.dry_run,
            state: state.to_owned(),
            rows: number(self.report.rows),
            created: number(self.report.created),
            updated: number(self.report.updated),
            unchanged: number(self.report.unchanged),
            failed: number(self.report.failed),
            errors: json,
            ignored_columns: self.report.ignored_columns.clone(),
            started_at: self.started_at,
            finished_at: (state != "running").then(kernel::time::now),
        })
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn too_long(TooLong { line }: TooLong) -> Error {
    Error::RowTooLong { line }
}
