//! The header of an import: which column stands where.

use super::row::Cells;

/// Every column that an import knows and an export writes, in the order of the export.
pub(crate) const NAMES: [&str; 13] = [
    "sku",
    "name",
    "unit",
    "barcodes",
    "category",
    "price",
    "currency",
    "price_per",
    "tax_rate",
    "tax_class",
    "cost",
    "template_sku",
    "attributes",
];

/// Where each known column stands.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    places: Vec<Option<&'static str>>,
    /// Columns that mean nothing here.
    pub(crate) ignored: Vec<String>,
}

impl Columns {
    /// Reads the header. The error is for a person.
    pub(crate) fn parse(header: &[&str]) -> Result<Self, String> {
        let mut columns = Self {
            places: Vec::with_capacity(header.len()),
            ignored: Vec::new(),
        };
        for raw in header {
            let written = raw.trim_start_matches('\u{feff}').to_ascii_lowercase();
            let wanted = if written == "barcode" {
                "barcodes"
            } else {
                &written
            };
            let known = NAMES.into_iter().find(|name| *name == wanted);
            if known.is_some() && columns.places.contains(&known) {
                return Err(format!("The column `{wanted}` stands in the header twice."));
            }
            if known.is_none() {
                columns.ignored.push(
                    (*raw)
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(100)
                        .collect(),
                );
            }
            columns.places.push(known);
        }
        let missing: Vec<&str> = ["sku", "name"]
            .into_iter()
            .filter(|name| !columns.places.contains(&Some(name)))
            .collect();
        if missing.is_empty() {
            Ok(columns)
        } else {
            let missing = missing.join("`, `");
            Err(format!(
                "The first line must name the columns; it lacks `{missing}`."
            ))
        }
    }

    /// The cells of one record by column. `None` when their number is not the header's.
    pub(crate) fn assign<'a>(&self, cells: &[&'a str]) -> Option<Cells<'a>> {
        (cells.len() == self.places.len()).then(|| {
            let placed = self.places.iter().zip(cells);
            Cells(
                placed
                    .filter_map(|(name, cell)| name.map(|n| (n, *cell)))
                    .collect(),
            )
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_columns_are_named_and_known_ones_stand_anywhere() {
        let columns = Columns::parse(&["Brand", "NAME", "barcode", "sku"]).unwrap();
        assert_eq!(columns.ignored, ["Brand"]);
        let cells = columns.assign(&["b", "n", "1", "s"]).unwrap();
        assert_eq!(cells.get("sku"), Some("s"));
        assert_eq!(cells.get("barcodes"), Some("1"));
        assert_eq!(cells.get("price"), None);
        assert!(columns.assign(&["b"]).is_none());
    }

    #[test]
    fn a_header_needs_sku_and_name_once() {
        assert!(Columns::parse(&["sku"]).unwrap_err().contains("`name`"));
        assert!(Columns::parse(&["sku", "name", "SKU"]).is_err());
        assert!(Columns::parse(&["sku", "name", "barcode", "barcodes"]).is_err());
    }
}
