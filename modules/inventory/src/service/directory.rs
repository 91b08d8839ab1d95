//! What the use cases ask about stores and products before they begin.

use std::collections::{BTreeSet, HashMap};

use kernel::{
    auth::{Principal, Role, Scope},
    call::Cx,
    ids::{ProductId, StoreId},
};
use store_api::{StoreKind, StoreProfile};

use crate::{Inventory, error::Error, repo::known};

/// The stores that were asked for, as far as they exist.
#[derive(Debug)]
pub(crate) struct KnownStores(pub(crate) HashMap<StoreId, StoreProfile>);

impl KnownStores {
    /// A store that is in use.
    ///
    /// # Errors
    ///
    /// 404 where there is none, 409 where it is archived.
    pub(crate) fn open(&self, id: StoreId) -> Result<&StoreProfile, Error> {
        match self.0.get(&id) {
            None => Err(Error::NotFound("store")),
            Some(profile) if profile.archived => Err(Error::StoreArchived),
            Some(profile) => Ok(profile),
        }
    }

    /// Whether goods can be asked of this store for `store`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for a person.
    pub(crate) fn check_source(&self, source: StoreId, store: StoreId) -> Result<(), &'static str> {
        match self.0.get(&source) {
            _ if source == store => Err("must be another store"),
            None => Err("there is no such store"),
            Some(profile) if profile.archived => Err("the store is archived"),
            Some(_) => Ok(()),
        }
    }
}

impl Inventory {
    /// Asks the store module about stores.
    pub(crate) async fn stores(
        &self,
        cx: &Cx,
        ids: impl IntoIterator<Item = StoreId>,
    ) -> Result<KnownStores, Error> {
        let ids: BTreeSet<StoreId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(KnownStores(HashMap::new()));
        }
        let asked = ids.into_iter().collect();
        let profiles = self.needs.stores.profiles(cx, asked).await?;
        Ok(KnownStores(
            profiles.into_iter().map(|p| (p.id, p)).collect(),
        ))
    }

    /// Whether the caller decides on what stores ask for: someone who manages a store of the kind
    /// logistics, or every store.
    pub(crate) async fn is_logistics(&self, cx: &Cx, principal: &Principal) -> Result<bool, Error> {
        match principal.scope(&[Role::Admin, Role::Manager]) {
            Scope::All => Ok(true),
            Scope::Only(managed) => {
                let stores = self.stores(cx, managed).await?;
                Ok(stores
                    .0
                    .values()
                    .any(|profile| profile.kind == StoreKind::Logistics && !profile.archived))
            }
        }
    }

    /// Those of these products that exist, and whether they are archived.
    pub(crate) async fn known(
        &self,
        products: Vec<ProductId>,
    ) -> Result<HashMap<ProductId, bool>, Error> {
        let found = self
            .db
            .run(move |conn| known::find(conn, &products).map_err(Error::from))
            .await?;
        Ok(found.into_iter().collect())
    }
}
