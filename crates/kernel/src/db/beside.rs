//! One connection beside the pool, for what must be seen while the pool is exhausted.

use std::{any::type_name, fmt, sync::Arc};

use diesel::{Connection, PgConnection};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::{Db, DbError, Failure, session::Session};
use crate::trace::Here;

/// It is opened when it is first needed, and anew after it failed.
#[derive(Clone)]
pub(super) struct Beside {
    url: SecretString,
    session: Session,
    kept: Arc<Mutex<Option<PgConnection>>>,
}

impl Beside {
    pub(super) fn new(url: SecretString, session: Session) -> Self {
        let kept = Arc::default();
        Self { url, session, kept }
    }

    fn open(&self) -> Result<PgConnection, DbError> {
        let mut conn = PgConnection::establish(self.url.expose_secret())?;
        self.session.begin(&mut conn)?;
        Ok(conn)
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Beside").field(&self.session).finish()
    }
}

impl Db {
    /// As [`run`](Self::run), on the one connection that is not the pool's: one after the other, and
    /// only what looks at the database itself.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, and what `work` answers.
    pub async fn run_beside<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Failure + Send + 'static,
    {
        let mut kept = self.beside.kept.clone().lock_owned().await;
        let (db, here) = (self.clone(), Here::now());
        let on_it = move || {
            let opened = kept.take().map_or_else(|| db.beside.open(), Ok);
            let mut conn = opened.inspect_err(|error| db.meter.not_done(error))?;
            let result = db.on(&mut conn, type_name::<F>(), work);
            if result.is_ok() {
                *kept = Some(conn);
            }
            result
        };
        tokio::task::spawn_blocking(move || here.enter(on_it))
            .await
            .map_err(|_| DbError::Panicked)?
    }
}
