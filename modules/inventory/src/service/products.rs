//! Products: read, list, create, change, archive, restore.

use diesel::PgConnection;
use kernel::{call::Cx, ids::ProductId, page::Limit};

use super::save::save;
use crate::{
    Inventory,
    domain::product::{self, Change, Facts, Product},
    error::Error,
    repo::{
        product_list::{self, After, Filter},
        products,
    },
};

impl Inventory {
    /// The product of this id, archived or not.
    pub(crate) async fn product(&self, id: ProductId) -> Result<Product, Error> {
        self.db
            .run(move |conn| products::find(conn, id)?.ok_or(Error::NotFound("product")))
            .await
    }

    /// One more product than `limit`, and with `count` the number of all.
    pub(crate) async fn products(
        &self,
        filter: Filter,
        after: Option<After>,
        limit: Limit,
        count: bool,
    ) -> Result<(Vec<Product>, Option<i64>), Error> {
        self.db
            .run(move |conn| {
                let (found, total) =
                    product_list::list(conn, &filter, after.as_ref(), limit, count)?;
                // A page that went empty after its cursor was given has no row to carry the total.
                if count && total.is_none() && after.is_some() {
                    let (_, total) = product_list::list(conn, &filter, None, limit, true)?;
                    return Ok((found, Some(total.unwrap_or(0))));
                }
                Ok((found, total.or(count.then_some(0))))
            })
            .await
    }

    /// A new product.
    pub(crate) async fn create_product(
        &self,
        cx: &Cx,
        id: Option<ProductId>,
        facts: Facts,
    ) -> Result<Product, Error> {
        check(&facts)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                if id.is_some() && id == facts.template_id {
                    return Err(Error::UnknownTemplate);
                }
                check_template(conn, None, &facts)?;
                let change = Change {
                    before: None,
                    after: Product::new(id.unwrap_or_default(), facts, kernel::time::now()),
                };
                save(conn, &cx, std::slice::from_ref(&change))?;
                Ok(change.after)
            })
            .await
    }

    /// Changes what `edit` changes; when that is nothing, the version stays.
    pub(crate) async fn edit_product(
        &self,
        cx: &Cx,
        id: ProductId,
        if_match: Option<i64>,
        edit: impl FnOnce(Facts) -> Result<Facts, Error> + Send + 'static,
    ) -> Result<Product, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let before = locked(conn, id, if_match)?;
                let facts = edit(before.facts.clone())?;
                if facts == before.facts {
                    return Ok(before);
                }
                check(&facts)?;
                check_template(conn, Some(&before), &facts)?;
                let after = before.changed(facts, kernel::time::now());
                write(conn, &cx, before, after)
            })
            .await
    }

    /// Takes a product off the list, or puts it back; asked for again it changes nothing.
    pub(crate) async fn archive_product(
        &self,
        cx: &Cx,
        id: ProductId,
        if_match: Option<i64>,
        archive: bool,
    ) -> Result<Product, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let before = locked(conn, id, if_match)?;
                if before.archived_at.is_some() == archive {
                    return Ok(before);
                }
                let now = kernel::time::now();
                let mut after = before.changed(before.facts.clone(), now);
                after.archived_at = archive.then_some(now);
                write(conn, &cx, before, after)
            })
            .await
    }
}

fn locked(conn: &mut PgConnection, id: ProductId, if_match: Option<i64>) -> Result<Product, Error> {
    let product = products::lock(conn, id)?.ok_or(Error::NotFound("product"))?;
    match if_match {
        Some(version) if version != product.version => Err(Error::VersionMismatch(product.version)),
        _ => Ok(product),
    }
}

fn write(
    conn: &mut PgConnection,
    cx: &Cx,
    before: Product,
    after: Product,
) -> Result<Product, Error> {
    let change = Change {
        before: Some(before),
        after,
    };
    save(conn, cx, std::slice::from_ref(&change))?;
    Ok(change.after)
}

fn check(facts: &Facts) -> Result<(), Error> {
    let errors = product::check(facts);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(errors))
    }
}

/// A template is another product, is no variant itself, and its variants are no templates.
fn check_template(
    conn: &mut PgConnection,
    before: Option<&Product>,
    facts: &Facts,
) -> Result<(), Error> {
    let Some(template_id) = facts.template_id else {
        return Ok(());
    };
    if before.is_some_and(|b| b.facts.template_id == Some(template_id)) {
        return Ok(());
    }
    if before.is_some_and(|b| b.id == template_id) {
        return Err(Error::UnknownTemplate);
    }
    let its_template = products::template_of(conn, template_id)?.ok_or(Error::UnknownTemplate)?;
    let has_variants = match before {
        Some(b) => !products::templates(conn, &[b.id])?.is_empty(),
        None => false,
    };
    if its_template.is_some() || has_variants {
        return Err(Error::NestedTemplate);
    }
    Ok(())
}
