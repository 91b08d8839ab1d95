//! What an operator asks of the modules that are compiled in: accounts, and whether all is well.

use async_trait::async_trait;
#[cfg(feature = "auth")]
use kernel::auth::Grant;
#[cfg(feature = "auth")]
use secrecy::SecretString;

#[cfg(feature = "auth")]
use crate::operator::Accounts;
use crate::operator::Failure;
#[cfg(any(feature = "store", feature = "inventory", feature = "sales"))]
use crate::operator::{Check, Checks};

#[cfg(feature = "auth")]
#[async_trait]
impl Accounts for auth::Auth {
    async fn ensure_admin(
        &self,
        email: &str,
        password: Option<SecretString>,
    ) -> Result<Option<SecretString>, Failure> {
        Ok(self.ensure_admin(email, password).await?)
    }

    async fn create_user(
        &self,
        email: &str,
        name: &str,
        password: SecretString,
        grants: Vec<Grant>,
    ) -> Result<(), Failure> {
        let (email, name) = (email.to_owned(), name.to_owned());
        Ok(self
            .create_user(auth::NewUserSpec {
                email,
                name,
                password,
                grants,
            })
            .await
            .map(drop)?)
    }

    async fn token_for(&self, email: &str) -> Result<String, Failure> {
        Ok(self.token_for(email).await?)
    }
}

#[cfg(feature = "store")]
#[async_trait]
impl Checks for store::Store {
    async fn run(&self) -> Result<Vec<Check>, Failure> {
        let found = self.integrity().await?.checks;
        Ok(found
            .into_iter()
            .map(|c| Check {
                title: format!("{} {}", c.id, c.title),
                violations: c.violations,
            })
            .collect())
    }
}

#[cfg(feature = "sales")]
#[async_trait]
impl Checks for sales::Sales {
    async fn run(&self) -> Result<Vec<Check>, Failure> {
        let found = self.integrity().await?.checks;
        Ok(found
            .into_iter()
            .map(|c| Check {
                title: c.invariant,
                violations: c.broken,
            })
            .collect())
    }
}

#[cfg(feature = "inventory")]
#[async_trait]
impl Checks for inventory::Inventory {
    async fn run(&self) -> Result<Vec<Check>, Failure> {
        let found = self.integrity().await?;
        Ok(found
            .into_iter()
            .map(|c| Check {
                title: c.title.to_owned(),
                violations: c.violations,
            })
            .collect())
    }
}
