//! What every connection is told before it is used, and what listens to its statements.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use diesel::{
    Connection, PgConnection,
    connection::{InstrumentationEvent, SimpleConnection},
    r2d2::{CustomizeConnection, Error},
};

use crate::{metrics::DbMeter, migrate::role_of};

#[derive(Clone)]
pub(super) struct Session {
    pub(super) schema: &'static str,
    pub(super) statements: Option<Arc<AtomicU64>>,
    pub(super) meter: Arc<DbMeter>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn begin(&self, conn: &mut PgConnection) -> Result<(), diesel::result::Error> {
        let (schema, role) = (self.schema, role_of(self.schema));
        conn.batch_execute(&format!(
            "SET search_path = {schema}; SET ROLE {role}; SET timezone = 'UTC'; \
             SET statement_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s'; \
             SET application_name = 'comptoir/{schema}'"
        ))?;
        let (counter, mut timed) = (self.statements.clone(), self.meter.statements());
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            timed.saw(&event);
            if let Some(counter) = &counter {
                count(counter, &event);
            }
        });
        Ok(())
    }
}

impl CustomizeConnection<PgConnection, Error> for Session {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), Error> {
        self.begin(conn).map_err(Error::QueryError)
    }
}

fn count(counter: &AtomicU64, event: &InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let control = ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"];
        if !control.iter().any(|word| text.starts_with(word)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}
