//! Reports as CSV files: a line of names, amounts in minor units, nothing where a field is absent.

use actix_web::{HttpResponse, http::header};
use serde::Serialize;

use crate::dto::{
    Amount, MarginReport, MarginRow, ProductReport, ProductRow, ReportFormat, RevenueReport,
    RevenueRow, TaxReport, TaxRow,
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
pub(super) fn answer<T: Table>(report: &T, format: Option<ReportFormat>) -> HttpResponse {
    match format.unwrap_or_default() {
        ReportFormat::Json => HttpResponse::Ok().json(report),
        ReportFormat::Csv => {
            let name = format!("attachment; filename=\"{}.csv\"", T::NAME);
            HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((header::CONTENT_DISPOSITION, name))
                .body(file(report))
        }
    }
}

fn file<T: Table>(report: &T) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing to memory does not fail, and every line has a cell per column.
    let _ = writer.write_record(T::COLUMNS);
    for line in report.lines() {
        let _ = writer.write_record(line);
    }
    writer.into_inner().unwrap_or_default()
}

pub(super) fn cell<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

impl Table for RevenueReport {
    const NAME: &'static str = "revenue";
    const COLUMNS: &'static [&'static str] = &[
        "store_id",
        "business_date",
        "hour",
        "cashier_id",
        "category_id",
        "product_id",
        "sku",
        "name",
        "tender",
        "currency",
        "sales",
        "returns",
        "gross",
        "refunds",
        "net",
        "tax",
        "rounding",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let amount = |amount: Option<Amount>| {
            amount.map_or_else(String::new, |amount| amount.amount.to_string())
        };
        let line = |row: &RevenueRow| {
            vec![
                cell(row.store_id.as_ref()),
                cell(row.business_date.as_ref()),
                cell(row.hour.as_ref()),
                cell(row.cashier_id.as_ref()),
                cell(row.category_id.as_ref()),
                cell(row.product_id.as_ref()),
                cell(row.sku.as_ref()),
                cell(row.name.as_ref()),
                row.tender
                    .map(|t| t.as_str().to_owned())
                    .unwrap_or_default(),
                row.currency.to_string(),
                row.sales.to_string(),
                row.returns.to_string(),
                row.gross.amount.to_string(),
                row.refunds.amount.to_string(),
                row.net.amount.to_string(),
                amount(row.tax),
                amount(row.rounding),
            ]
        };
        self.rows.iter().map(line).collect()
    }
}

impl Table for MarginReport {
    const NAME: &'static str = "margin";
    const COLUMNS: &'static [&'static str] = &[
        "store_id",
        "business_date",
        "category_id",
        "product_id",
        "sku",
        "name",
        "currency",
        "revenue",
        "cost",
        "margin",
        "uncosted_lines",
        "uncosted_revenue",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let line = |row: &MarginRow| {
            vec![
                cell(row.store_id.as_ref()),
                cell(row.business_date.as_ref()),
                cell(row.category_id.as_ref()),
                cell(row.product_id.as_ref()),
                cell(row.sku.as_ref()),
                cell(row.name.as_ref()),
                row.currency.to_string(),
                row.revenue.amount.to_string(),
                row.cost.amount.to_string(),
                row.margin.amount.to_string(),
                row.uncosted_lines.to_string(),
                row.uncosted_revenue.amount.to_string(),
            ]
        };
        self.rows.iter().map(line).collect()
    }
}

impl Table for TaxReport {
    const NAME: &'static str = "taxes";
    const COLUMNS: &'static [&'static str] = &[
        "tax_rate",
        "currency",
        "sold",
        "sold_tax",
        "returned",
        "returned_tax",
        "tax",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let line = |row: &TaxRow| {
            vec![
                row.tax_rate.to_string(),
                row.currency.to_string(),
                row.sold.amount.to_string(),
                row.sold_tax.amount.to_string(),
                row.returned.amount.to_string(),
                row.returned_tax.amount.to_string(),
                row.tax.amount.to_string(),
            ]
        };
        self.rows.iter().map(line).collect()
    }
}

impl Table for ProductReport {
    const NAME: &'static str = "products";
    const COLUMNS: &'static [&'static str] = &[
        "product_id",
        "sku",
        "name",
        "quantity",
        "currency",
        "revenue",
        "last_sold_on",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let line = |row: &ProductRow| {
            vec![
                row.product_id.to_string(),
                row.sku.clone(),
                row.name.clone(),
                row.quantity.to_string(),
                row.revenue.currency.to_string(),
                row.revenue.amount.to_string(),
                cell(row.last_sold_on.as_ref()),
            ]
        };
        self.rows.iter().map(line).collect()
    }
}
