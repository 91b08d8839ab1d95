//! Stock of one product over the stores that the caller may see.

use kernel::{auth::Scope, call::Cx, ids::ProductId};
use store_api::StoreLevel;

use crate::{Inventory, domain::product::Product, error::Error};

impl Inventory {
    /// The product, and its level at each store in `scope` that has one.
    pub(crate) async fn stock(
        &self,
        cx: &Cx,
        scope: Scope,
        id: ProductId,
    ) -> Result<(Product, Vec<StoreLevel>), Error> {
        let product = self.product(id).await?;
        let mut levels = self
            .needs
            .levels
            .levels(cx, scope.clone(), vec![id])
            .await?;
        levels.retain(|level| level.product_id == id && scope.contains(level.store_id));
        Ok((product, levels))
    }
}
