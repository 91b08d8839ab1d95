//! The auth guard: a permission is part of the handler's signature, and without it there is no
//! caller context to pass on.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    call::Cx,
    context,
    ids::{SessionId, StoreId, UserId},
    problem::Problem,
    token::Verifier,
};

/// What a person may do. Which permissions a role has is said beside each permission.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the chain: may do everything.
    Admin,
    /// Runs a store.
    Manager,
    /// Sells at a till.
    Cashier,
    /// Handles the stock of a store.
    Clerk,
    /// Reads everything, changes nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Manager,
        Self::Cashier,
        Self::Clerk,
        Self::Auditor,
    ];

    /// The name in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Cashier => "cashier",
            Self::Clerk => "clerk",
            Self::Auditor => "auditor",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A role at one store, or at every store where `store_id` is `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What the person may do there.
    pub role: Role,
    /// Where; `null` is every store, and has to be said: a field that was forgotten must not be
    /// the widest grant there is.
    #[serde(deserialize_with = "required")]
    #[schema(required = true)]
    pub store_id: Option<StoreId>,
}

fn required<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<StoreId>, D::Error> {
    Option::deserialize(d)
}

/// Who is calling, as their access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The user.
    pub user_id: UserId,
    /// The login that the token belongs to.
    pub session_id: SessionId,
    /// Roles and stores.
    pub grants: Vec<Grant>,
}

/// The stores that a caller may see with some permission; part of every list's query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Every store.
    All,
    /// These stores only; sorted, without repeats.
    Only(Vec<StoreId>),
}

impl Scope {
    /// Whether `store` is inside.
    pub fn contains(&self, store: StoreId) -> bool {
        match self {
            Self::All => true,
            Self::Only(stores) => stores.contains(&store),
        }
    }

    /// For a query: `NULL` (every store) or the array of stores.
    pub fn as_filter(&self) -> Option<Vec<StoreId>> {
        match self {
            Self::All => None,
            Self::Only(stores) => Some(stores.clone()),
        }
    }
}

impl Principal {
    /// The stores where one of `roles` is held.
    pub fn scope(&self, roles: &[Role]) -> Scope {
        let mut stores = Vec::new();
        for grant in self.grants.iter().filter(|g| roles.contains(&g.role)) {
            match grant.store_id {
                None => return Scope::All,
                Some(store) => stores.push(store),
            }
        }
        stores.sort_unstable();
        stores.dedup();
        Scope::Only(stores)
    }

    /// Whether one of `roles` is held at `store` (or everywhere).
    pub fn holds(&self, roles: &[Role], store: StoreId) -> bool {
        self.grants
            .iter()
            .any(|g| roles.contains(&g.role) && g.store_id.is_none_or(|s| s == store))
    }
}

/// Names one permission and the roles that have it. Declare with [`permission!`](crate::permission).
pub trait Permission: 'static {
    /// For example `sale:write`.
    const NAME: &'static str;
    /// Who has it.
    const ROLES: &'static [Role];
}

/// Declares permissions: `permission! { /// Record a sale. pub(crate) SaleWrite = "sale:write" [Admin, Manager, Cashier] }`.
#[macro_export]
macro_rules! permission {
    ($($(#[$meta:meta])* $vis:vis $name:ident = $text:literal [$($role:ident),* $(,)?])*) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name;
        impl $crate::auth::Permission for $name {
            const NAME: &'static str = $text;
            const ROLES: &'static [$crate::auth::Role] = &[$($crate::auth::Role::$role),*];
        }
    )*};
}

permission! {
    /// Anyone who is signed in, whatever their role: for what concerns only themselves.
    pub SignedIn = "signed-in" [Admin, Manager, Cashier, Clerk, Auditor]
}

/// Proof that the caller holds `P` somewhere. Ask it for a [`Cx`] at a store, or everywhere.
///
/// Put it first in a handler's arguments, so that 401 and 403 come before any 400.
#[derive(Debug)]
pub struct Can<P> {
    principal: Arc<Principal>,
    permission: PhantomData<P>,
}

impl<P: Permission> Can<P> {
    /// The caller's context at `store`.
    ///
    /// # Errors
    ///
    /// 404 where the caller cannot see the store at all; 403 where their role there lacks `P`.
    pub fn at(&self, store: StoreId) -> Result<Cx, Problem> {
        if self.principal.holds(P::ROLES, store) {
            Ok(self.cx())
        } else if self.principal.holds(&Role::ALL, store) {
            Err(forbidden::<P>())
        } else {
            Err(Problem::not_found("store"))
        }
    }

    /// The caller's context for what concerns the whole chain: users, catalogue, new stores.
    ///
    /// # Errors
    ///
    /// 403 unless `P` is held at every store.
    pub fn everywhere(&self) -> Result<Cx, Problem> {
        match self.scope() {
            Scope::All => Ok(self.cx()),
            Scope::Only(_) => Err(forbidden::<P>()),
        }
    }

    /// The stores where the caller holds `P`.
    pub fn scope(&self) -> Scope {
        self.principal.scope(P::ROLES)
    }

    /// The caller's context with [`scope`](Self::scope), for reads that filter by store.
    pub fn scoped(&self) -> (Cx, Scope) {
        (self.cx(), self.scope())
    }

    /// Who is calling.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether the caller also holds `Q` at `store`: for what a role may see or do beyond `P`.
    pub fn also<Q: Permission>(&self, store: StoreId) -> bool {
        self.principal.holds(Q::ROLES, store)
    }

    fn cx(&self) -> Cx {
        Cx::new(self.principal.user_id)
    }
}

impl Can<SignedIn> {
    /// The caller's context for what concerns only themselves.
    pub fn own(&self) -> Cx {
        self.cx()
    }
}

fn forbidden<P: Permission>() -> Problem {
    let roles: Vec<_> = P::ROLES.iter().map(|r| r.as_str()).collect();
    let detail = format!(
        "This needs `{}`, which these roles have: {}.",
        P::NAME,
        roles.join(", ")
    );
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}

fn unauthenticated() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthenticated",
        "Send a valid access token as `Authorization: Bearer …`: POST /api/auth/login gives one.",
    )
}

impl<P: Permission> FromRequest for Can<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(check::<P>(req))
    }
}

fn check<P: Permission>(req: &HttpRequest) -> Result<Can<P>, Problem> {
    let principal = authenticate(req)?;
    // A signed-in user without any grant may still change their own password.
    let holds = principal.grants.iter().any(|g| P::ROLES.contains(&g.role));
    if !holds && P::NAME != SignedIn::NAME {
        return Err(forbidden::<P>());
    }
    Ok(Can {
        principal,
        permission: PhantomData,
    })
}

fn authenticate(req: &HttpRequest) -> Result<Arc<Principal>, Problem> {
    let header = req
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    let token = header
        .and_then(|v| v.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(unauthenticated)?;
    let verifier = req
        .app_data::<web::Data<Verifier>>()
        .ok_or_else(unauthenticated)?;
    let principal = verifier.verify(token).ok_or_else(unauthenticated)?;
    context::is_made_by(principal.user_id);
    Ok(principal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_all_stores_only_with_a_grant_everywhere() {
        let (a, b) = (StoreId::new(), StoreId::new());
        let mut principal = Principal {
            user_id: UserId::new(),
            session_id: SessionId::new(),
            grants: vec![
                Grant {
                    role: Role::Manager,
                    store_id: Some(a),
                },
                Grant {
                    role: Role::Cashier,
                    store_id: Some(b),
                },
            ],
        };
        assert_eq!(principal.scope(&[Role::Manager]), Scope::Only(vec![a]));
        assert!(principal.holds(&[Role::Cashier], b) && !principal.holds(&[Role::Cashier], a));
        principal.grants.push(Grant {
            role: Role::Auditor,
            store_id: None,
        });
        assert_eq!(principal.scope(&[Role::Auditor]), Scope::All);
        assert_eq!(principal.scope(&[Role::Manager]), Scope::Only(vec![a]));
    }
}
