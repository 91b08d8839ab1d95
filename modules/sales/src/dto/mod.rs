//! What clients send and get: the API's own types, apart from rows and contracts.

mod batch;
mod create;
mod day_close;
mod exchange;
mod margin;
mod parked;
mod quote;
mod receipts;
mod reports;
mod returns;
mod sales;
mod shift_reports;
mod shifts;

pub use batch::{BatchResult, BatchSale, BatchSaleRef, BatchView, CreateBatch};
pub use create::{
    CreatePayment, CreateRefund, CreateReturn, CreateReturnLine, CreateSale, CreateSaleLine,
    CreateUnreceiptedLine, CreateUnreceiptedReturn, Discount, VoidSale,
};
pub(crate) use day_close::DayCloseQuery;
pub use day_close::{DayClose, DayDrawers, DayShift};
pub use exchange::{CreateExchange, ExchangeReturn, ExchangeSale, ExchangeView};
pub(crate) use margin::MarginQuery;
pub use margin::{MarginGroup, MarginReport, MarginRow};
pub use parked::{Basket, ParkSale, ParkedHead, ParkedQuery, ParkedView};
pub use quote::{CashDue, CreateQuote, QuoteLineView, QuoteView};
pub(crate) use receipts::{ReceiptFormat, ReceiptQuery};
pub use receipts::{ReceiptKind, ReceiptLine, ReceiptStore, ReceiptTax, ReceiptView};
pub use reports::{
    Amount, ExceptionView, ProductReport, ProductRow, RevenueGroup, RevenueReport, RevenueRow,
    TaxReport, TaxRow,
};
pub(crate) use reports::{
    ExceptionsQuery, ProductEnd, ProductOrder, ProductsQuery, ReportFormat, ReportQuery,
    RevenueQuery,
};
pub use returns::{
    LookupQuery, RefundView, ReturnHead, ReturnLineView, ReturnReasonView, ReturnView,
    ReturnableLine, ReturnableSale, ReturnsQuery,
};
pub use sales::{
    PaymentView, ReturnedLine, SaleDetail, SaleHead, SaleLineView, SaleView, SalesQuery,
};
pub use shift_reports::{
    DocumentSums, DrawerView, ShiftReport, ShiftTax, ShiftTender, Takings, XReport, ZReport,
};
pub use shifts::{
    CashMovementView, CashMovementsQuery, CashPieces, CloseShift, MoveCash, OpenShift, ShiftView,
    ShiftsQuery,
};
