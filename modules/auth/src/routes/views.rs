//! What clients see of users, sessions and tokens.

use chrono::{DateTime, Utc};
use kernel::{
    auth::Grant,
    ids::{SessionId, UserId},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    repo::{sessions::Session, users::User},
    service::SignedIn,
};

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UserStatus {
    /// May sign in.
    Active,
    /// Kept for the sake of history.
    Archived,
}

/// A person, or a machine that signs in like one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    pub(crate) id: UserId,
    /// In lower case.
    #[schema(example = "admin@demo.comptoir.test")]
    email: String,
    #[schema(example = "Ada Lovelace")]
    name: String,
    status: UserStatus,
    /// What the user may do, where.
    grants: Vec<Grant>,
    /// Goes up with every change; the `ETag` holds it.
    pub(crate) version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User {
            id,
            email,
            name,
            archived_at,
            version,
            created_at,
            updated_at,
            grants,
        } = user;
        let status = if archived_at.is_some() {
            UserStatus::Archived
        } else {
            UserStatus::Active
        };
        Self {
            id,
            email,
            name,
            status,
            grants: grants.0,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A user's grants.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GrantsView {
    pub(crate) grants: Vec<Grant>,
}

/// The answer to a login or a refresh.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokensView {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
    /// The life of the access token, in seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// Good for one refresh. Keep it secret.
    refresh_token: String,
    user: UserView,
}

impl From<SignedIn> for TokensView {
    fn from(signed_in: SignedIn) -> Self {
        let SignedIn {
            access_token,
            expires_in,
            refresh_token,
            user,
        } = signed_in;
        Self {
            access_token,
            token_type: "Bearer",
            expires_in,
            refresh_token,
            user: user.into(),
        }
    }
}

/// One login that is still alive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    id: SessionId,
    created_at: DateTime<Utc>,
    /// The login or the last refresh.
    last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed.
    expires_at: DateTime<Utc>,
    #[schema(example = "Mozilla/5.0")]
    user_agent: Option<String>,
    #[schema(example = "192.0.2.17")]
    address: Option<String>,
    /// Whether this request was made in it.
    current: bool,
}

impl SessionView {
    pub(crate) fn new(session: Session, asking: SessionId) -> Self {
        let Session {
            id,
            user_agent,
            address,
            created_at,
            last_used_at,
            expires_at,
        } = session;
        Self {
            id,
            created_at,
            last_used_at,
            expires_at,
            user_agent,
            address,
            current: id == asking,
        }
    }
}
