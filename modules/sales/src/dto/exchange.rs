//! An exchange: what comes back, what goes out, and the one payment between them.

use chrono::{DateTime, Utc};
use kernel::{
    ids::{SaleId, StoreId},
    money::Money,
    text::Text,
    uuid::Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CreatePayment, CreateRefund, CreateReturn, CreateReturnLine, CreateSale, CreateSaleLine,
    Discount, ReturnView, SaleView,
};
use crate::domain::words::ReturnReason;

/// Goods that are exchanged for others. The cashier is the caller.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateExchange {
    /// Where; the goods that come back may be another store's.
    pub store_id: StoreId,
    /// A register of that store.
    pub register_id: Option<Uuid>,
    /// When, by the till's clock: not before the first sale, at most 5 minutes ahead. Now, unless
    /// told.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What comes back.
    pub returned: ExchangeReturn,
    /// What goes out.
    pub sold: ExchangeSale,
    /// Where more goes out than comes back: how the difference is paid. Cash may exceed it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub payments: Vec<CreatePayment>,
    /// Where more comes back than goes out: how the difference is refunded. Unless told, all of it in
    /// the tender of the first sale's largest payment.
    #[schema(max_items = 20)]
    pub refunds: Option<Vec<CreateRefund>>,
}

/// The goods of an exchange that come back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeReturn {
    /// The sale that they were sold with.
    pub sale_id: SaleId,
    /// What comes back.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateReturnLine>,
    /// Why.
    pub reason: ReturnReason,
    /// More about why.
    pub note: Option<Text<200>>,
}

/// The goods of an exchange that go out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeSale {
    /// What is sold.
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<CreateSaleLine>,
    /// A discount on all of it, split over the lines.
    pub discount: Option<Discount>,
    /// A customer's number or name, as the shop has it.
    pub customer_ref: Option<Text<100>>,
}

/// An exchange: both its documents.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExchangeView {
    /// What went out; its payment of tender `exchange` names the return.
    pub sale: SaleView,
    /// What came back.
    pub returned: ReturnView,
    /// What the customer paid in the end: the sale's total less the refund; below zero, what they got.
    pub net: Money,
}

impl CreateExchange {
    /// The sale in it.
    pub(crate) fn sale(&self) -> CreateSale {
        let ExchangeSale {
            lines,
            discount,
            customer_ref,
        } = self.sold.clone();
        CreateSale {
            store_id: self.store_id,
            register_id: self.register_id,
            occurred_at: self.occurred_at,
            customer_ref,
            lines,
            discount,
            payments: self.payments.clone(),
        }
    }

    /// The return in it.
    pub(crate) fn goods_back(&self) -> CreateReturn {
        let ExchangeReturn {
            sale_id,
            lines,
            reason,
            note,
        } = self.returned.clone();
        CreateReturn {
            sale_id,
            store_id: Some(self.store_id),
            register_id: self.register_id,
            occurred_at: self.occurred_at,
            lines,
            reason,
            note,
            refunds: self.refunds.clone(),
        }
    }
}
