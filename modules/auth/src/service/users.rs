//! Making, changing, archiving and restoring users. Each change is audited and published.

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    auth::Grant,
    call::Cx,
    ids::UserId,
};
use serde_json::{Value, json};

use crate::{
    Auth,
    crypto::hasher::PEPPER_VERSION,
    domain::{
        email::Email,
        grants::{MAX_GRANTS, duplicate, is_admin_everywhere},
        password::Password,
    },
    error::Error,
    events,
    repo::{
        grants, sessions,
        users::{self, Filter, Insert, Listed, User},
    },
};

/// A user to be made.
pub(crate) struct NewUser {
    /// `None` makes one.
    pub(crate) id: Option<UserId>,
    pub(crate) email: Email,
    pub(crate) name: String,
    pub(crate) password: Password,
    pub(crate) grants: Vec<Grant>,
}

/// What is to be changed; `None` is left as it is.
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    pub(crate) email: Option<Email>,
    /// The version that the caller believes to be current.
    pub(crate) expected: Option<i64>,
}

impl Auth {
    /// One user.
    pub(crate) async fn find_user(&self, id: UserId) -> Result<User, Error> {
        self.db
            .run(move |conn| users::find(conn, id)?.ok_or(Error::NoSuchUser))
            .await
    }

    /// A page of users, in order of creation.
    pub(crate) async fn list_users(&self, filter: Filter, size: i64) -> Result<Vec<Listed>, Error> {
        self.db
            .run(move |conn| Ok(users::list(conn, &filter, size)?))
            .await
    }

    /// Makes a user.
    pub(crate) async fn create(&self, cx: &Cx, new: NewUser) -> Result<User, Error> {
        let NewUser {
            id,
            email,
            name,
            password,
            grants,
        } = new;
        check_grants(&grants)?;
        let hash = self.hash_new(password, email.as_str(), &name).await?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                insert(
                    conn,
                    &cx,
                    id.unwrap_or_default(),
                    &email,
                    &name,
                    &hash,
                    &grants,
                )
            })
            .await
    }

    /// Changes name and address.
    pub(crate) async fn update(
        &self,
        cx: &Cx,
        id: UserId,
        changes: Changes,
    ) -> Result<User, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let Changes {
                    name,
                    email,
                    expected,
                } = &changes;
                let before = users::lock(conn, id)?.ok_or(Error::NoSuchUser)?;
                if name.is_none() && email.is_none() {
                    return unchanged(before, *expected);
                }
                let email = email.as_ref().map(Email::as_str);
                if !users::update(conn, id, name.as_deref(), email, *expected)? {
                    return Err(Error::Version(before.version));
                }
                finish(conn, &cx, "user.updated", &before)
            })
            .await
    }

    /// Archives a user and ends their sessions. Archiving twice changes nothing.
    pub(crate) async fn archive(&self, cx: &Cx, id: UserId) -> Result<User, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                users::lock_admins(conn)?;
                let before = users::lock(conn, id)?.ok_or(Error::NoSuchUser)?;
                if !users::set_archived(conn, id, true)? {
                    return Ok(before);
                }
                require_admin(conn, &before)?;
                sessions::end_all(conn, id, None)?;
                finish(conn, &cx, "user.archived", &before)
            })
            .await
    }

    /// Takes a user back, who signs in again with their old password.
    pub(crate) async fn restore(&self, cx: &Cx, id: UserId) -> Result<User, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let before = users::lock(conn, id)?.ok_or(Error::NoSuchUser)?;
                if !users::set_archived(conn, id, false)? {
                    return Ok(before);
                }
                finish(conn, &cx, "user.restored", &before)
            })
            .await
    }
}

/// Inserts a user with everything that belongs to it.
pub(super) fn insert(
    conn: &mut PgConnection,
    cx: &Cx,
    id: UserId,
    email: &Email,
    name: &str,
    password_hash: &str,
    given: &[Grant],
) -> Result<User, Error> {
    let now = kernel::time::now();
    let row = Insert {
        id,
        email: email.as_str(),
        name,
        password_hash,
        pepper_version: PEPPER_VERSION,
        now,
    };
    users::insert(conn, row)?;
    grants::replace(conn, id, given)?;
    let user = users::find(conn, id)?.ok_or(Error::NoSuchUser)?;
    let entry = Entry::new(cx, "user.created", id).change(None, Some(&snapshot(&user)))?;
    audit::append(conn, &[entry])?;
    events::user_changed(conn, cx, &user)?;
    Ok(user)
}

/// Refuses grants that no user may have.
pub(super) fn check_grants(given: &[Grant]) -> Result<(), Error> {
    if given.len() > MAX_GRANTS {
        return Err(Error::TooManyGrants);
    }
    duplicate(given).map_or(Ok(()), |at| Err(Error::DuplicateGrant(at)))
}

/// Call it after the change, under [`users::lock_admins`]: an error rolls the change back.
pub(super) fn require_admin(conn: &mut PgConnection, before: &User) -> Result<(), Error> {
    let was_admin = before.archived_at.is_none() && is_admin_everywhere(&before.grants.0);
    if was_admin && !users::admin_remains(conn)? {
        return Err(Error::LastAdmin);
    }
    Ok(())
}

/// Reads the user as they are now, and records and publishes the change.
pub(super) fn finish(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: &User,
) -> Result<User, Error> {
    let user = users::find(conn, before.id)?.ok_or(Error::NoSuchUser)?;
    let (old, new) = (snapshot(before), snapshot(&user));
    let entry = Entry::new(cx, action, user.id).change(Some(&old), Some(&new))?;
    audit::append(conn, &[entry])?;
    events::user_changed(conn, cx, &user)?;
    Ok(user)
}

fn unchanged(user: User, expected: Option<i64>) -> Result<User, Error> {
    match expected {
        Some(version) if version != user.version => Err(Error::Version(user.version)),
        _ => Ok(user),
    }
}

/// A user in the audit trail.
fn snapshot(user: &User) -> Value {
    let User {
        id: _,
        email,
        name,
        archived_at,
        version,
        created_at: _,
        updated_at: _,
        grants,
    } = user;
    json!({
        "email": email, "name": name, "archived_at": archived_at, "version": version, "grants": grants.0,
    })
}
