//! What clients send and see of prices, promotions, taxes, reorder rules, requests, suggestions and
//! reports on stock.

pub(crate) mod prices;
pub(crate) mod promotions;
mod reorder;
mod replenishment;
mod reports;
mod suggestions;
pub(crate) mod taxes;

pub(crate) use reorder::{
    PutRule, PutRuleOf, PutRules, RuleFields, RuleOutcome, RuleProblem, RuleResult, RuleView,
    RulesView,
};
pub(crate) use replenishment::{
    ApproveRequest, CreateRequest, RejectRequest, RequestHead, RequestLine, RequestView,
    SubmitRequest,
};
pub(crate) use reports::{
    DeadStockReport, DeadStockRow, StockAmount, StockReportFormat, StockValueReport, StockValueRow,
    StockValueTotals,
};
pub(crate) use suggestions::{
    AcceptSuggestions, Figures, SuggestedSource, SuggestionReason, SuggestionView,
};

kernel::bounded_integer! {
    /// A quantity in base units that may be nothing.
    pub(crate) StockCount, 0, 1_000_000_000
}
kernel::bounded_integer! {
    /// Days on the road, 0 to 90.
    pub(crate) LeadDays, 0, 90
}
kernel::bounded_integer! {
    /// Days that stock should last, 1 to 365.
    pub(crate) CoverDays, 1, 365
}

kernel::bounded_integer! {
    /// Business days that are looked back, 1 to 365.
    pub(crate) WindowDays, 1, 365
}

kernel::bounded_integer! {
    /// Rows of a report, 1 to 10,000.
    pub(crate) ReportLimit, 1, 10_000
}

/// A day in the years 2000 to 2100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub(crate) struct Day(pub(crate) chrono::NaiveDate);

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let date = chrono::NaiveDate::deserialize(d)?;
        if (2000..=2100).contains(&chrono::Datelike::year(&date)) {
            Ok(Self(date))
        } else {
            Err(serde::de::Error::custom(
                "must lie in the years 2000 to 2100",
            ))
        }
    }
}
