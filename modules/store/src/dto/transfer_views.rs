//! Transfers on the wire: what a client is shown.

use chrono::{DateTime, Utc};
use kernel::ids::{ProductId, StoreId, TransferId, UserId};
use serde::{Deserialize, Serialize};
use store_api::{SourceDocument, TransferStatus};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::transfer::{Line, ReceiptKind},
    repo::{
        transfer_receipts::ReceiptRow,
        transfers::{Transfer, TransferRow},
    },
};

/// A transfer without its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TransferHead {
    /// Its id: the document of its movements.
    pub(crate) id: TransferId,
    /// Its number, for people: 1, 2, 3 … over the chain.
    pub(crate) number: i64,
    /// Who gives.
    pub(crate) from_store_id: StoreId,
    /// Who gets.
    pub(crate) to_store_id: StoreId,
    /// Where it stands.
    pub(crate) status: TransferStatus,
    /// For those who handle it.
    pub(crate) note: Option<String>,
    /// What it comes from.
    pub(crate) source: Option<SourceDocument>,
    /// The transfer whose goods it brings back.
    pub(crate) return_of: Option<TransferId>,
    /// Why it was closed, cancelled or rejected.
    pub(crate) reason: Option<String>,
    /// Counts its changes; the `ETag`.
    pub(crate) version: i64,
    /// By whom it was made.
    pub(crate) created_by: UserId,
    /// When it was made.
    pub(crate) created_at: DateTime<Utc>,
    /// When it last changed.
    pub(crate) updated_at: DateTime<Utc>,
    /// When the source was asked.
    pub(crate) requested_at: Option<DateTime<Utc>>,
    /// When the source promised the goods.
    pub(crate) approved_at: Option<DateTime<Utc>>,
    /// When they left.
    pub(crate) dispatched_at: Option<DateTime<Utc>>,
    /// When it was received whole, closed, cancelled or rejected.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

impl From<TransferRow> for TransferHead {
    fn from(row: TransferRow) -> Self {
        let TransferRow {
            id,
            number,
            from_store_id,
            to_store_id,
            status,
            note,
            source_type,
            source_id,
            return_of,
            reason,
            version,
            created_by,
            created_at,
            updated_at,
            requested_at,
            approved_at,
            dispatched_at,
            ended_at,
        } = row;
        Self {
            id,
            number,
            from_store_id,
            to_store_id,
            status: status.0,
            note,
            source: source(source_type, source_id),
            return_of,
            reason,
            version,
            created_by,
            created_at,
            updated_at,
            requested_at,
            approved_at,
            dispatched_at,
            ended_at,
        }
    }
}

/// A CHECK keeps the two together.
pub(crate) fn source(kind: Option<String>, id: Option<Uuid>) -> Option<SourceDocument> {
    let (kind, id) = (kind?, id?);
    Some(SourceDocument { kind, id })
}

/// A transfer with its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TransferView {
    #[serde(flatten)]
    pub(crate) head: TransferHead,
    /// By product.
    pub(crate) lines: Vec<TransferLineView>,
}

impl From<Transfer> for TransferView {
    fn from(transfer: Transfer) -> Self {
        let Transfer { row, lines } = transfer;
        Self {
            head: row.into(),
            lines: lines.into_iter().map(TransferLineView::from).collect(),
        }
    }
}

/// One product of a transfer, in base units: `sent` = `received` + `damaged` + `lost` +
/// `in_transit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct TransferLineView {
    /// What.
    pub(crate) product_id: ProductId,
    /// Its SKU when the line was made.
    pub(crate) sku: String,
    /// Its name then.
    pub(crate) name: String,
    /// How much the destination asked for.
    pub(crate) requested: i64,
    /// How much of that the source promised.
    pub(crate) approved: i64,
    /// How much of that left the source.
    pub(crate) sent: i64,
    /// How much arrived, sellable.
    pub(crate) received: i64,
    /// How much arrived, but not sellable.
    pub(crate) damaged: i64,
    /// How much will not arrive.
    pub(crate) lost: i64,
    /// How much is on its way.
    pub(crate) in_transit: i64,
    /// How much of `received` goes back, or is asked to, by other transfers.
    pub(crate) returned: i64,
}

impl From<Line> for TransferLineView {
    fn from(line: Line) -> Self {
        let in_transit = line.in_transit();
        let Line {
            product_id,
            sku,
            name,
            requested,
            approved,
            sent,
            received,
            damaged,
            lost,
            returned,
        } = line;
        Self {
            product_id,
            sku,
            name,
            requested,
            approved,
            sent,
            received,
            damaged,
            lost,
            in_transit,
            returned,
        }
    }
}

/// What was said to have become of goods in transit, at one time. It is never changed itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TransferReceiptView {
    /// Its id.
    pub(crate) id: Uuid,
    /// Whether goods arrived, or were given up when the transfer was closed.
    pub(crate) kind: ReceiptKind,
    /// Who said it.
    pub(crate) actor_id: UserId,
    /// What was noted.
    pub(crate) note: Option<String>,
    /// When it was recorded.
    pub(crate) recorded_at: DateTime<Utc>,
    /// By product.
    pub(crate) lines: Vec<TransferReceiptLine>,
}

/// What became of one product, in base units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct TransferReceiptLine {
    /// What.
    pub(crate) product_id: ProductId,
    /// Arrived, sellable.
    pub(crate) received: i64,
    /// Arrived, but not sellable.
    pub(crate) damaged: i64,
    /// Will not arrive.
    pub(crate) lost: i64,
}

impl TryFrom<ReceiptRow> for TransferReceiptView {
    type Error = serde_json::Error;

    fn try_from(row: ReceiptRow) -> Result<Self, serde_json::Error> {
        let ReceiptRow {
            id,
            seq: _,
            kind,
            actor_id,
            note,
            recorded_at,
            lines,
        } = row;
        Ok(Self {
            id,
            kind: kind.0,
            actor_id,
            note,
            recorded_at,
            lines: serde_json::from_value(lines)?,
        })
    }
}
