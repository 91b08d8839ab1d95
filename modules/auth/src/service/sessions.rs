//! Ending and listing sessions.

use kernel::{
    audit::{self, Entry},
    call::Cx,
    ids::{SessionId, UserId},
};
use serde_json::json;

use crate::{
    Auth,
    error::Error,
    repo::{
        sessions::{self, Session},
        users,
    },
};

impl Auth {
    /// Ends one session of the user.
    pub(crate) async fn end_session(&self, user: UserId, session: SessionId) -> Result<(), Error> {
        self.db
            .run(move |conn| {
                let ended = sessions::end(conn, session, Some(user))?;
                ended.then_some(()).ok_or(Error::NoSuchSession)
            })
            .await
    }

    /// Ends every session of the user.
    pub(crate) async fn end_own_sessions(&self, user: UserId) -> Result<(), Error> {
        self.db
            .run(move |conn| Ok(sessions::end_all(conn, user, None).map(drop)?))
            .await
    }

    /// Ends every session of someone else.
    pub(crate) async fn end_sessions_of(&self, cx: &Cx, user: UserId) -> Result<(), Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                users::lock(conn, user)?.ok_or(Error::NoSuchUser)?;
                let ended = sessions::end_all(conn, user, None)?;
                let after = json!({"sessions_ended": ended});
                let entry = Entry::new(&cx, "user.sessions-ended", user);
                audit::append(conn, &[entry.change(None, Some(&after))?])?;
                Ok(())
            })
            .await
    }

    /// The live sessions of a user, newest first.
    pub(crate) async fn list_sessions(
        &self,
        user: UserId,
        before: Option<SessionId>,
        size: i64,
    ) -> Result<Vec<Session>, Error> {
        self.db
            .run(move |conn| sessions::list(conn, user, before, size)?.ok_or(Error::NoSuchUser))
            .await
    }
}
