//! Replenishment requests on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{
    ids::{ProductId, StoreId, TransferId, UserId},
    money::Quantity,
    text::Text,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Day, StockCount};
use crate::{
    domain::replenishment::{RequestStatus, SupplyStatus},
    repo::replenishment::{LineRow, Request, RequestRow, SupplyLine, SupplyRow},
};

/// A store asks for goods.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateRequest {
    /// Who asks: one of your stores.
    pub(crate) store_id: StoreId,
    /// 1 to 200, one per product.
    #[schema(min_items = 1, max_items = 200)]
    pub(crate) lines: Vec<RequestLine>,
    /// For those who decide.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    pub(crate) note: Option<Text<500>>,
    /// By when the goods are needed.
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub(crate) needed_by: Option<Day>,
    /// Whether the store wants to look over it first: then logistics sees it once it is submitted.
    #[serde(default)]
    pub(crate) draft: bool,
}

/// A product and how much of it is wanted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestLine {
    /// What.
    pub(crate) product_id: ProductId,
    /// How much, in base units.
    pub(crate) quantity: Quantity,
    /// Of whom; without it, the best source is found when the request is approved.
    #[serde(default)]
    pub(crate) source_store_id: Option<StoreId>,
}

/// Nothing more is to be said.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct SubmitRequest {}

/// What is approved.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveRequest {
    /// Without it, all that was requested; a product that it does not name is left out.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub(crate) lines: Option<Vec<ApprovedLine>>,
}

/// How much of a product is approved, and who gives it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovedLine {
    /// What.
    pub(crate) product_id: ProductId,
    /// How much, in base units: at most what was requested, and may be nothing.
    pub(crate) quantity: StockCount,
    /// Who gives it; without it the source that the request names, or the best one there is.
    #[serde(default)]
    pub(crate) source_store_id: Option<StoreId>,
}

/// Why a request is not approved.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectRequest {
    /// For the store that asked.
    pub(crate) reason: Text<500>,
}

/// A request without its lines.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RequestHead {
    pub(crate) id: Uuid,
    /// For people; without gaps.
    pub(crate) number: i64,
    /// Who asks.
    pub(crate) store_id: StoreId,
    pub(crate) status: RequestStatus,
    pub(crate) note: Option<String>,
    pub(crate) needed_by: Option<NaiveDate>,
    /// Why it was rejected.
    pub(crate) reason: Option<String>,
    /// Goes up with every change; the `ETag`.
    pub(crate) version: i64,
    pub(crate) created_by: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    /// When logistics was asked.
    pub(crate) requested_at: Option<DateTime<Utc>>,
    /// Who approved or rejected it.
    pub(crate) decided_by: Option<UserId>,
    pub(crate) decided_at: Option<DateTime<Utc>>,
    /// When nothing more was to come of it.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl From<RequestRow> for RequestHead {
    fn from(row: RequestRow) -> Self {
        let RequestRow {
            id,
            number,
            store_id,
            status,
            note,
            needed_by,
            reason,
            version,
            created_by,
            created_at,
            updated_at,
            requested_at,
            decided_by,
            decided_at,
            ended_at,
        } = row;
        Self {
            id,
            number,
            store_id,
            status: status.0,
            note,
            needed_by,
            reason,
            version,
            created_by,
            created_at,
            updated_at,
            requested_at,
            decided_by,
            decided_at,
            ended_at,
        }
    }
}

/// A request, and what has become of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RequestView {
    #[serde(flatten)]
    pub(crate) head: RequestHead,
    /// By product.
    pub(crate) lines: Vec<RequestLineView>,
    /// The transfers that its approval made, one per source.
    pub(crate) transfers: Vec<RequestTransferView>,
}

/// One product of a request, in base units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RequestLineView {
    product_id: ProductId,
    sku: String,
    name: String,
    /// How much is wanted.
    quantity: i64,
    /// Of whom, where the store named someone.
    source_store_id: Option<StoreId>,
    /// How much is approved; `null` until that is decided.
    approved: Option<i64>,
    /// How much has arrived, sellable.
    received: i64,
    /// How much has arrived broken.
    damaged: i64,
    /// How much will not arrive.
    lost: i64,
}

/// A transfer of a request, as it last was heard of.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RequestTransferView {
    /// Its id, under `/api/stocks/transfers`.
    transfer_id: TransferId,
    /// Its number; `null` until it is known to be made.
    number: Option<i64>,
    /// Who gives.
    from_store_id: StoreId,
    status: SupplyStatus,
    /// Why it was refused.
    reason: Option<String>,
    /// By product.
    lines: Vec<RequestTransferLineView>,
}

/// One product of such a transfer, in base units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct RequestTransferLineView {
    product_id: ProductId,
    /// What was approved of this source.
    quantity: i64,
    sent: i64,
    received: i64,
    damaged: i64,
    lost: i64,
}

impl From<Request> for RequestView {
    fn from(request: Request) -> Self {
        let Request {
            row,
            lines,
            transfers,
        } = request;
        let arrived = |product: ProductId, of: fn(&SupplyLine) -> i64| {
            let lines = transfers.iter().flat_map(|t| &t.lines);
            lines
                .filter(|line| line.product_id == product)
                .map(of)
                .sum::<i64>()
        };
        let lines = lines.into_iter().map(|line| {
            let LineRow {
                product_id,
                sku,
                name,
                quantity,
                source_store_id,
                approved,
            } = line;
            RequestLineView {
                product_id,
                sku,
                name,
                quantity,
                source_store_id,
                approved,
                received: arrived(product_id, |l| l.received),
                damaged: arrived(product_id, |l| l.damaged),
                lost: arrived(product_id, |l| l.lost),
            }
        });
        Self {
            head: row.into(),
            lines: lines.collect(),
            transfers: transfers.iter().cloned().map(Into::into).collect(),
        }
    }
}

impl From<SupplyRow> for RequestTransferView {
    fn from(row: SupplyRow) -> Self {
        let SupplyRow {
            transfer_id,
            from_store_id,
            number,
            status,
            reason,
            lines,
        } = row;
        let line = |line: SupplyLine| {
            let SupplyLine {
                product_id,
                quantity,
                sent,
                received,
                damaged,
                lost,
            } = line;
            RequestTransferLineView {
                product_id,
                quantity,
                sent,
                received,
                damaged,
                lost,
            }
        };
        Self {
            transfer_id,
            number,
            from_store_id,
            status,
            reason,
            lines: lines.into_iter().map(line).collect(),
        }
    }
}
