//! What the command line asks of the modules that run here, without a token: whoever can start
//! the binary on the database is its operator.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kernel::{
    audit,
    auth::Grant,
    db::{Db, DbError},
};
use secrecy::SecretString;

use crate::process::Module;

/// Why an operator's wish failed, for the terminal.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Accounts, where auth runs here.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes the first admin if there is no user at all. Answers a password that was made up.
    async fn ensure_admin(
        &self,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<Option<SecretString>, Failure>;
    /// Makes a user; one with this e-mail address is left as it is.
    async fn create_user(
        &self,
        email: &str,
        name: &str,
        password: SecretString,
        grants: Vec<Grant>,
    ) -> Result<(), Failure>;
    /// A short access token for this user.
    async fn token_for(&self, email: &str) -> Result<String, Failure>;
}

/// One invariant and how often it is violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What must hold, with its number in the sale protocol.
    pub title: String,
    /// How often it does not.
    pub violations: i64,
}

/// Invariants of one module's data.
#[async_trait]
pub trait Checks: Send + Sync {
    /// Runs every check.
    async fn run(&self) -> Result<Vec<Check>, Failure>;
}

/// The audit trail of any module, which all keep in the same way.
pub struct AuditTrail {
    /// Whose.
    pub module: Module,
    /// Where.
    pub db: Db,
}

#[async_trait]
impl Checks for AuditTrail {
    async fn run(&self) -> Result<Vec<Check>, Failure> {
        let count = |conn: &mut _| audit::count_broken(conn).map_err(DbError::from);
        Ok(vec![Check {
            title: format!(
                "AUDIT no row of {}'s trail was changed or removed",
                self.module
            ),
            violations: self.db.run(count).await?,
        }])
    }
}

/// The operator's side of the local modules.
#[derive(Clone, Default)]
pub struct Operator {
    /// `None` where auth runs elsewhere.
    pub accounts: Option<Arc<dyn Accounts>>,
    /// One per local module that has invariants.
    pub checks: Vec<Arc<dyn Checks>>,
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator")
            .field("checks", &self.checks.len())
            .finish_non_exhaustive()
    }
}
