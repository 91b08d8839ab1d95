//! `/api/sales/reports/day-close`

use actix_web::{HttpResponse, get, web::Data};
use kernel::{auth::Can, extract::Query, responses::ReadProblems};

use super::report_file::{Table, answer, cell};
use crate::{
    Sales,
    domain::words::{ShiftStatus, Tender},
    dto::{Amount, DayClose, DayCloseQuery, DayShift, ShiftTax, Takings},
    permissions::ReportRead,
};

/// Close a store's day.
///
/// Per shift: float, sales, voids, returns, cash in and out, what was expected, counted and the
/// variance; what stands outside of the day's shifts; and the day as a whole by tender and tax rate,
/// to the cent what the reports of revenue and taxes say. Nothing is closed by reading it, and it
/// is never final: a sale of the day that is voided a week later leaves the day's revenue, while the
/// Z reports stay as they are, and `outside` shows the difference. `complete` says whether a shift
/// was left open.
#[utoipa::path(
    tag = "sales",
    operation_id = "get_day_close",
    security(("bearer" = [])),
    params(DayCloseQuery),
    responses(
        (status = 200, description = "The report", content((DayClose = "application/json"), (String = "text/csv"))),
        ReadProblems
    )
)]
#[get("/api/sales/reports/day-close")]
pub(crate) async fn get_day_close(
    can: Can<ReportRead>,
    query: Query<DayCloseQuery>,
    sales: Data<Sales>,
) -> Result<HttpResponse, actix_web::Error> {
    let query = query.into_inner();
    let cx = can.at(query.store_id)?;
    let report = sales.day_close(&cx, query).await?;
    Ok(answer(&report, query.format))
}

/// A line per shift, then what is outside of them, of other days, and the whole day; then a line
/// per tax rate of the day.
impl Table for DayClose {
    const NAME: &'static str = "day-close";
    const COLUMNS: &'static [&'static str] = &[
        "part",
        "register_code",
        "shift_id",
        "cashier_id",
        "status",
        "z_number",
        "opened_at",
        "closed_at",
        "currency",
        "tax_rate",
        "opening_float",
        "sales",
        "voids",
        "returns",
        "revenue",
        "tax",
        "discounts",
        "rounding",
        "cash",
        "card",
        "voucher",
        "other",
        "exchange",
        "cash_in",
        "cash_out",
        "expected",
        "counted",
        "variance",
    ];

    fn lines(&self) -> Vec<Vec<String>> {
        let part = |name: &str, takings: &Takings| {
            let mut line = self.blank(name);
            line.extend([String::new(), String::new()]);
            line.extend(sums(takings));
            line.resize(Self::COLUMNS.len(), String::new());
            line
        };
        let mut lines: Vec<_> = self.shifts.iter().map(shift).collect();
        lines.push(part("outside", &self.outside));
        lines.push(part("other_days", &self.other_days));
        let mut day = part("day", &self.day);
        day.truncate(Self::COLUMNS.len() - 5);
        day.extend([
            minor(&self.drawers.all.cash_in),
            minor(&self.drawers.all.cash_out),
            minor(&self.drawers.all.expected),
            minor(&self.drawers.counted),
            minor(&self.drawers.variance),
        ]);
        lines.push(day);
        lines.extend(self.day.taxes.iter().map(|tax| self.tax(tax)));
        lines
    }
}

impl DayClose {
    /// The cells that name a shift, empty, and the currency.
    fn blank(&self, part: &str) -> Vec<String> {
        let mut line = vec![part.to_owned()];
        line.resize(8, String::new());
        line.push(self.currency.to_string());
        line
    }

    fn tax(&self, tax: &ShiftTax) -> Vec<String> {
        let mut line = self.blank("tax");
        line.push(tax.tax_rate.to_string());
        line.resize(14, String::new());
        line.extend([minor(&tax.net), minor(&tax.tax)]);
        line.resize(Self::COLUMNS.len(), String::new());
        line
    }
}

fn shift(shift: &DayShift) -> Vec<String> {
    let report = &shift.report;
    let status = match shift.status {
        ShiftStatus::Open => "open",
        ShiftStatus::Closed => "closed",
    };
    let mut line = vec![
        "shift".to_owned(),
        report.register_code.clone(),
        report.shift_id.to_string(),
        report.cashier_id.0.to_string(),
        status.to_owned(),
        cell(shift.z_number.as_ref()),
        report.opened_at.to_rfc3339(),
        shift
            .closed_at
            .map(|at| at.to_rfc3339())
            .unwrap_or_default(),
        report.currency.to_string(),
        String::new(),
        minor(&report.drawer.opening_float),
    ];
    line.extend(sums(&report.takings));
    line.extend([
        minor(&report.drawer.cash_in),
        minor(&report.drawer.cash_out),
        minor(&report.drawer.expected),
        cell(shift.counted.map(|money| money.amount.get()).as_ref()),
        shift.variance.as_ref().map(minor).unwrap_or_default(),
    ]);
    line
}

/// From `sales` to the last tender.
fn sums(takings: &Takings) -> Vec<String> {
    let mut cells = vec![
        minor(&takings.sales.total),
        minor(&takings.voids.total),
        minor(&takings.returns.total),
        minor(&takings.revenue),
        minor(&takings.tax),
        minor(&takings.discounts),
        minor(&takings.rounding),
    ];
    cells.extend(Tender::ALL.iter().map(|tender| {
        let found = takings.tenders.iter().find(|t| t.tender == *tender);
        found.map_or_else(|| "0".to_owned(), |t| minor(&t.net))
    }));
    cells
}

fn minor(amount: &Amount) -> String {
    amount.amount.to_string()
}
