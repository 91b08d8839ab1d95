//! Moves a module's data to another database, so that at no moment two copies accept a write.
//!
//! Four commits, in this order: the target is made anew and closed; the copy is whole; the source
//! is closed; the target is opened. Killed before the third, the source is in force as if nothing
//! had been tried; killed after it, the same command opens the target.

mod copy;
mod shape;
mod side;

use std::io::Write;

use chrono::Utc;
use kernel::{
    fence::{self, Closed, Mark},
    migrate,
};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Transaction;
use uuid::Uuid;

use self::side::Side;
use crate::{operator::Failure, process::Module};

/// What is to go where.
#[derive(Debug, Clone)]
pub struct Move {
    /// Whose data.
    pub module: Module,
    /// The database that it is in.
    pub source: SecretString,
    /// The database that it is to be in.
    pub target: SecretString,
}

impl Move {
    /// Refuses while a process works as this module in either database. The move would be safe all
    /// the same, but that process would get no answer from then on.
    ///
    /// # Errors
    ///
    /// How many connections from where; or a database cannot be reached.
    pub async fn refuse_company(&self) -> Result<(), Failure> {
        for url in [&self.source, &self.target] {
            let side = Side::connect(url, self.module).await?;
            let alone = side.refuse_company().await;
            side.end().await;
            alone?;
        }
        Ok(())
    }

    /// Moves the data, and says on `out` what was copied.
    ///
    /// # Errors
    ///
    /// In a sentence for the terminal. The source is then in force, or, where only the last step
    /// is missing, neither: run it again.
    pub async fn run(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let mut from = Side::connect(&self.source, self.module).await?;
        let mut to = Side::connect(&self.target, self.module).await?;
        let moved = self.take_steps(&mut from, &mut to, out).await;
        from.end().await;
        to.end().await;
        moved
    }

    async fn take_steps(
        &self,
        from: &mut Side,
        to: &mut Side,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let (module, schema) = (self.module, self.module.name());
        if from.database == to.database {
            return Err(format!("{module} is in {} already", from.place).into());
        }
        from.take_turn().await?;
        to.take_turn().await?;
        writeln!(out, "{module}: from {} to {}\n", from.place, to.place)?;
        if let Some(mark) = from.mark().await? {
            return self.resume(mark, to.mark().await?, out);
        }
        let migrations = module
            .migrations()
            .ok_or_else(|| format!("this binary has no {module} module"))?;
        if !migrate::is_current(self.source.expose_secret(), schema, &migrations)? {
            return Err(format!(
                "{} is not at the migrations of this binary: run `comptoir migrate up` there first",
                from.place
            )
            .into());
        }
        let by = Uuid::now_v7();
        let arriving = Mark::Arriving {
            from: from.place.clone(),
            by,
        };
        let target = self.target.expose_secret();
        migrate::receive(target, schema, migrations, &arriving)
            .map_err(|e| format!("{}: {e}", to.place))?;
        let moved = Mark::Moved {
            to: to.place.clone(),
            at: Utc::now(),
            by,
        };
        self.copy_and_close(from, to, &moved, out).await?;
        self.admit(by, out)
    }

    /// The source is closed: either the last step is missing, or there is nothing to move.
    fn resume(&self, here: Mark, there: Option<Mark>, out: &mut dyn Write) -> Result<(), Failure> {
        match (&here, there) {
            (Mark::Moved { by, .. }, Some(Mark::Arriving { by: arrived, .. }))
                if *by == arrived =>
            {
                writeln!(out, "The copy is whole already: it was not opened yet.")?;
                self.admit(*by, out)
            }
            _ => Err(Box::new(Closed {
                schema: self.module.name().into(),
                mark: here,
            })),
        }
    }

    fn admit(&self, by: Uuid, out: &mut dyn Write) -> Result<(), Failure> {
        migrate::admit(self.target.expose_secret(), self.module.name(), by)?;
        Ok(writeln!(
            out,
            "The old copy is closed, and the new one is in force."
        )?)
    }

    async fn copy_and_close(
        &self,
        from: &mut Side,
        to: &mut Side,
        moved: &Mark,
        out: &mut dyn Write,
    ) -> Result<(), Failure> {
        let schema = self.module.name();
        let (from_place, to_place) = (from.place.clone(), to.place.clone());
        let (told_there, told_here) = (side::told(&to_place), side::told(&from_place));
        let source = from.client.transaction().await.map_err(&told_here)?;
        let target = to.client.transaction().await.map_err(&told_there)?;
        let tables = shape::of(&source, schema).await.map_err(&told_here)?;
        shape::refuse_strange(&source, schema, &from_place).await?;
        lock(&source, schema, &tables, &from_place).await?;
        let (locked, there) = (
            shape::of(&source, schema).await.map_err(&told_here)?,
            shape::of(&target, schema).await.map_err(&told_there)?,
        );
        if locked != tables || there != tables {
            return Err(format!("the tables of {schema} differ between the two databases").into());
        }
        copy::tables(&source, &target, schema, shape::in_order(tables)?, out).await?;
        target.commit().await.map_err(&told_there)?;
        close(source, schema, moved, &from_place).await
    }
}

/// Keeps writers out of every table at once, while readers go on.
async fn lock(
    source: &Transaction<'_>,
    schema: &str,
    tables: &[shape::Table],
    place: &str,
) -> Result<(), Failure> {
    let names: Vec<String> = tables
        .iter()
        .map(|t| format!("{schema}.{}", t.name))
        .collect();
    let lock = format!(
        "LOCK TABLE {}, {schema}.__diesel_schema_migrations IN EXCLUSIVE MODE",
        names.join(", ")
    );
    source.batch_execute(&lock).await.map_err(|error| {
        let said = side::told(place)(error);
        format!("{schema} is being written to: stop its processes and try again ({said})").into()
    })
}

/// Under the lock of migrations, so that a process that starts now either waits and is refused, or
/// was there before and gets no answer from then on.
async fn close(
    source: Transaction<'_>,
    schema: &str,
    moved: &Mark,
    place: &str,
) -> Result<(), Failure> {
    let told = side::told(place);
    let turn = format!("SELECT pg_advisory_xact_lock({})", migrate::LOCK);
    source.batch_execute(&turn).await.map_err(&told)?;
    source
        .batch_execute(&fence::close(schema, moved))
        .await
        .map_err(&told)?;
    let open = source
        .query_one(&fence::still_open(schema), &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(&told)?;
    if open {
        let role = migrate::role_of(schema);
        return Err(format!(
            "{place}: {role} keeps rights on {schema} that did not come from comptoir: revoke them"
        )
        .into());
    }
    source.commit().await.map_err(&told)
}
