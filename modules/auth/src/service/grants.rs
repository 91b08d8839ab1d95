//! Replacing a user's grants.

use kernel::{auth::Grant, call::Cx, ids::UserId};

use super::users::{check_grants, finish, require_admin};
use crate::{
    Auth,
    error::Error,
    repo::{
        grants, sessions,
        users::{self, User},
    },
};

impl Auth {
    /// Replaces the grants and ends the user's sessions, whose tokens carry the old ones.
    pub(crate) async fn set_grants(
        &self,
        cx: &Cx,
        id: UserId,
        given: Vec<Grant>,
        expected: Option<i64>,
    ) -> Result<User, Error> {
        check_grants(&given)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                users::lock_admins(conn)?;
                let before = users::lock(conn, id)?.ok_or(Error::NoSuchUser)?;
                if !users::update(conn, id, None, None, expected)? {
                    return Err(Error::Version(before.version));
                }
                grants::replace(conn, id, &given)?;
                require_admin(conn, &before)?;
                sessions::end_all(conn, id, None)?;
                finish(conn, &cx, "user.grants-set", &before)
            })
            .await
    }
}
