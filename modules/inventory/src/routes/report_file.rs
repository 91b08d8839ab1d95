//! Reports as CSV files: a line of names, amounts in minor units, nothing where a field is absent.

use actix_web::{HttpResponse, http::header};
use serde::Serialize;

use crate::{
    dto::{
        DeadStockReport, DeadStockRow, StockAmount, StockReportFormat, StockValueReport,
        StockValueRow,
    },
    service::exports::quote,
};

/// A report that can be written as a table.
pub(super) trait Table: Serialize {
    /// The file's name, without its ending.
    const NAME: &'static str;
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];
    /// The lines, with a cell per column.
    fn lines(&self) -> Vec<Vec<String>>;
}

/// Answers `report` in the form that was asked for.
pub(super) fn answer<T: Table>(report: &T, format: Option<StockReportFormat>) -> HttpResponse {
    match format.unwrap_or_default() {
        StockReportFormat::Json => HttpResponse::Ok().json(report),
        StockReportFormat::Csv => {
            let name = format!("attachment; filename=\"{}.csv\"", T::NAME);
            HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((header::CONTENT_DISPOSITION, name))
                .body(file(report))
        }
    }
}

fn file<T: Table>(report: &T) -> String {
    let mut text = format!("{}\r\n", T::COLUMNS.join(","));
    for line in report.lines() {
        let cells: Vec<String> = line.iter().map(|cell| quote(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn cell<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn money(amount: Option<&StockAmount>) -> [String; 2] {
    [
        cell(amount.map(|a| a.amount).as_ref()),
        cell(amount.map(|a| a.currency).as_ref()),
    ]
}

impl Table for StockValueReport {
    const NAME: &'static str = "stock-value";
    const COLUMNS: &'static [&'static str] = &[
        "category_id",
        "category",
        "products",
        "without_cost",
        "value",
        "currency",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let line = |row: &StockValueRow| {
            let mut cells = vec![
                cell(row.category_id.as_ref()),
                cell(row.category.as_ref()),
                row.products.to_string(),
                row.without_cost.to_string(),
            ];
            cells.extend(money(Some(&row.value)));
            cells
        };
        self.rows.iter().map(line).collect()
    }
}

impl Table for DeadStockReport {
    const NAME: &'static str = "dead-stock";
    const COLUMNS: &'static [&'static str] = &[
        "product_id",
        "sku",
        "name",
        "category",
        "on_hand",
        "last_sold_on",
        "value_at_cost",
        "cost_currency",
        "value_at_retail",
        "retail_currency",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let line = |row: &DeadStockRow| {
            let mut cells = vec![
                row.product_id.to_string(),
                row.sku.clone(),
                row.name.clone(),
                cell(row.category.as_ref()),
                row.on_hand.to_string(),
                cell(row.last_sold_on.as_ref()),
            ];
            cells.extend(money(row.value_at_cost.as_ref()));
            cells.extend(money(Some(&row.value_at_retail)));
            cells
        };
        self.rows.iter().map(line).collect()
    }
}
