//! CSV export: pages are read while the answer is being sent, so that memory stays flat.

use actix_web::web::Bytes;
use futures::{Stream, stream};
use kernel::{db::Db, ids::ProductId};
use uuid::Uuid;

use crate::{
    Inventory,
    domain::{decimal, import::columns::NAMES, product::Product},
    error::Error,
    repo::{
        export::{self, Exported},
        product_list::Status,
    },
};

const PAGE_ROWS: i64 = 1_000;

/// What to export.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExportOptions {
    pub(crate) status: Status,
    /// With everything below it.
    pub(crate) category_id: Option<Uuid>,
    /// Whether the file has the column `cost`.
    pub(crate) with_cost: bool,
}

impl Inventory {
    /// The file in parts. The first part is read at once, so that a database that does not answer
    /// is still a proper error.
    pub(crate) async fn export_products(
        &self,
        options: ExportOptions,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + use<>, Error> {
        let mut export = Export {
            db: self.db.clone(),
            options,
            after: Some((false, ProductId(Uuid::nil()))),
        };
        let header: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| options.with_cost || *name != "cost")
            .collect();
        let mut first = format!("{}\r\n", header.join(","));
        first.push_str(&export.next().await?);
        let first = stream::once(async move { Ok(Bytes::from(first)) });
        let rest = stream::try_unfold(export, |mut export| async move {
            if export.after.is_none() {
                return Ok(None);
            }
            let part = export.next().await?;
            Ok(Some((Bytes::from(part), export)))
        });
        Ok(stream::StreamExt::chain(first, rest))
    }
}

struct Export {
    db: Db,
    options: ExportOptions,
    /// Whether variants are being exported, and the last product; `None` at the end.
    after: Option<(bool, ProductId)>,
}

impl Export {
    async fn next(&mut self) -> Result<String, Error> {
        let Some((variants, after)) = self.after else {
            return Ok(String::new());
        };
        let ExportOptions {
            status,
            category_id,
            with_cost,
        } = self.options;
        let page = self
            .db
            .run(move |conn| {
                let page = export::page(conn, variants, after, status, category_id, PAGE_ROWS)?;
                Ok::<_, Error>(page)
            })
            .await?;
        let full = i64::try_from(page.len()).is_ok_and(|n| n == PAGE_ROWS);
        self.after = match page.last() {
            Some(last) if full => Some((variants, last.product.id)),
            _ if !variants => Some((true, ProductId(Uuid::nil()))),
            _ => None,
        };
        let mut text = String::new();
        for line in &page {
            push_line(&mut text, line, with_cost)?;
        }
        Ok(text)
    }
}

fn push_line(text: &mut String, line: &Exported, with_cost: bool) -> Result<(), Error> {
    let Exported {
        product: Product { facts, .. },
        category_path,
        template_sku,
    } = line;
    let exponent = facts.price.currency.exponent();
    let attributes = if facts.attributes.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&facts.attributes)
            .map_err(|e| diesel::result::Error::SerializationError(e.into()))?
    };
    let cost = facts
        .cost_minor
        .map(|c| decimal::format(c.get(), exponent, true));
    let mut cells = vec![
        facts.sku.clone(),
        facts.name.clone(),
        facts.unit.as_str().to_owned(),
        facts.barcodes.join("|"),
        category_path.clone().unwrap_or_default(),
        decimal::format(facts.price.amount.get(), exponent, true),
        facts.price.currency.to_string(),
        facts.price_per.to_string(),
        decimal::format(facts.tax_rate.get(), 2, false),
        facts.tax_class.clone().unwrap_or_default(),
    ];
    cells.extend(with_cost.then(|| cost.unwrap_or_default()));
    cells.extend([template_sku.clone().unwrap_or_default(), attributes]);
    let quoted: Vec<String> = cells.iter().map(|cell| quote(cell)).collect();
    text.push_str(&quoted.join(","));
    text.push_str("\r\n");
    Ok(())
}

/// RFC 4180. What a spreadsheet might take for a formula is quoted too, but never changed: the
/// file must import again as it is.
pub(crate) fn quote(cell: &str) -> String {
    let special = cell.contains([',', '"', '\n', '\r']) || cell.starts_with(['=', '+', '-', '@']);
    if special {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn cells_are_quoted_but_never_changed() {
        assert_eq!(quote("plain"), "plain");
        assert_eq!(quote("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(quote("=1+1"), "\"=1+1\"");
    }
}
