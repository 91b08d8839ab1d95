//! What the module tells the others about accounts.

use diesel::{PgConnection, QueryResult};
use kernel::{
    call::Cx,
    ids::UserId,
    outbox::{self, Envelope, Event},
};
use serde::{Deserialize, Serialize};

use crate::repo::users::User;

/// A user was created, changed, archived or restored. Its `seq` is the user's version.
#[derive(Debug, Serialize, Deserialize)]
struct UserChangedV1 {
    user_id: UserId,
    /// `active` or `archived`.
    status: String,
}

impl Event for UserChangedV1 {
    const TYPE: &'static str = "user.changed.v1";
    const AGGREGATE: &'static str = "user";
}

/// Call it once per version, in the transaction that made the version.
pub(crate) fn user_changed(conn: &mut PgConnection, cx: &Cx, user: &User) -> QueryResult<()> {
    let status = if user.archived_at.is_some() {
        "archived"
    } else {
        "active"
    };
    let event = UserChangedV1 {
        user_id: user.id,
        status: status.to_owned(),
    };
    let envelope = Envelope::new(user.id.0, user.version, cx.actor, &event)?;
    outbox::publish(conn, &[envelope])
}
