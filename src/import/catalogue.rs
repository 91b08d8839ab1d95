//! Brings the chain's products in through the catalogue's own CSV import, transformed while it is
//! sent, and learns their ids.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use futures::stream;
use reqwest::Body;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    ImportOptions,
    files::{Table, field},
};
use crate::{
    client::Api,
    operator::Failure,
    progress::{PhaseTime, Progress},
};

/// Ids by SKU.
pub(super) type Products = HashMap<String, Uuid>;

/// The file of products.
const NAME: &str = "products.csv.gz";
/// Bytes that are sent at once.
const CHUNK: usize = 1 << 16;

/// What the catalogue made of the file. Its lines are those of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductsReport {
    /// Rows in the file.
    pub rows: i64,
    /// New products.
    pub created: i64,
    /// Products that were there and differed.
    pub updated: i64,
    /// Products that were there.
    pub unchanged: i64,
    /// Rows that were refused.
    pub failed: i64,
    /// The first refused rows.
    pub errors: Vec<ProductError>,
}

/// A row that the catalogue refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductError {
    /// In the file; the header is line 1.
    pub line: i64,
    /// The column at fault, where one is.
    pub column: Option<String>,
    /// Stable, for a program.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// Sends the file of products.
pub(super) async fn load(
    api: &Api,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<(ProductsReport, PhaseTime), Failure> {
    // A file that cannot be opened is said here, not by a server that got half a body.
    Columns::find(&Table::open(&options.data, NAME)?)?;
    let phase = progress.phase("products", None);
    let path = format!(
        "/api/inventory/imports/products?dry_run=false&currency={}",
        options.currency
    );
    let report: ProductsReport = api
        .upload(&path, "text/csv", || body(options.data.clone()))
        .await?;
    phase.add(usize::try_from(report.rows).unwrap_or(0));
    Ok((report, phase.finish()))
}

/// The ids of all products, archived ones too: the API says so when one cannot be sold.
pub(super) async fn ids(api: &Api, progress: &Progress) -> Result<(Products, PhaseTime), Failure> {
    #[derive(Deserialize)]
    struct Known {
        id: Uuid,
        sku: String,
    }
    let phase = progress.phase("product ids", None);
    let mut products = Products::new();
    api.each(
        "/api/inventory/products?status=all&limit=200",
        |product: Known| {
            phase.add(1);
            products.insert(product.sku, product.id);
        },
    )
    .await?;
    Ok((products, phase.finish()))
}

/// A body that is made by a thread of its own while it is sent.
fn body(folder: PathBuf) -> Body {
    let (sender, mut receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces {
            sender,
            piece: Vec::new(),
        };
        if let Err(failure) = transform(&folder, &mut pieces) {
            // Ends the request: half a file must not pass for a whole one.
            let _ = pieces
                .sender
                .blocking_send(Err(std::io::Error::other(failure)));
        }
    });
    Body::wrap_stream(stream::poll_fn(move |cx| receiver.poll_recv(cx)))
}

type Piece = Result<Vec<u8>, std::io::Error>;

/// Sends what is written to it, a piece at a time.
struct Pieces {
    sender: mpsc::Sender<Piece>,
    piece: Vec<u8>,
}

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        self.sender
            .blocking_send(Ok(piece))
            .map_err(std::io::Error::other)
    }
}

/// Where the columns stand.
struct Columns {
    sku: usize,
    name: usize,
    department: usize,
    category: usize,
    price: usize,
    attributes: [(&'static str, usize); 3],
}

impl Columns {
    fn find(table: &Table) -> Result<Self, Failure> {
        let attribute = |name| Ok::<_, Failure>((name, table.column(name)?));
        Ok(Self {
            sku: table.column("sku")?,
            name: table.column("name")?,
            department: table.column("department")?,
            category: table.column("category")?,
            price: table.column("price")?,
            attributes: [
                attribute("brand")?,
                attribute("manufacturer_id")?,
                attribute("package_size")?,
            ],
        })
    }
}

fn transform(folder: &Path, out: &mut Pieces) -> Result<(), Failure> {
    let mut table = Table::open(folder, NAME)?;
    let columns = Columns::find(&table)?;
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record([
        "sku",
        "name",
        "unit",
        "category",
        "price",
        "tax_rate",
        "attributes",
    ])?;
    for record in table.reader.records() {
        let record = record?;
        let text = |column| field(&record, column);
        let category = category(text(columns.department), text(columns.category));
        let attributes = attributes(
            columns
                .attributes
                .map(|(name, column)| (name, text(column))),
        )?;
        csv.write_record([
            text(columns.sku),
            text(columns.name),
            "each",
            &category,
            text(columns.price),
            "0",
            &attributes,
        ])?;
    }
    csv.flush()?;
    Ok(())
}

/// The path in the tree, where a slash would begin another level: names get a hyphen instead.
fn category(department: &str, category: &str) -> String {
    let names = [department, category].map(|name| name.replace('/', "-"));
    names
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// A JSON object of what is there; nothing where nothing is.
fn attributes(all: [(&str, &str); 3]) -> Result<String, serde_json::Error> {
    let given: Map<String, serde_json::Value> = all
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    if given.is_empty() {
        Ok(String::new())
    } else {
        serde_json::to_string(&given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_a_path_of_two_names() {
        assert_eq!(category("GROCERY", "FRZN ICE"), "GROCERY/FRZN ICE");
        assert_eq!(
            category("GROCERY", "ICE CREAM/MILK/SHERBTS"),
            "GROCERY/ICE CREAM-MILK-SHERBTS"
        );
        assert_eq!(category("FUEL", ""), "FUEL");
        assert_eq!(category("", ""), "");
    }

    #[test]
    fn empty_attributes_are_left_out() {
        let all = |size| {
            attributes([
                ("brand", "National"),
                ("manufacturer_id", "2"),
                ("package_size", size),
            ])
            .unwrap()
        };
        assert_eq!(
            all("22 LB"),
            r#"{"brand":"National","manufacturer_id":"2","package_size":"22 LB"}"#
        );
        assert_eq!(all(""), r#"{"brand":"National","manufacturer_id":"2"}"#);
        assert_eq!(attributes([("a", ""), ("b", ""), ("c", "")]).unwrap(), "");
    }
}
