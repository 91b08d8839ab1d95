//! Makes the transfers that were approved, each once: they are noted before they are made, and
//! asked for under the same id until the store module has answered.

use kernel::{
    call::{CallError, Cx},
    money::Quantity,
};
use store_api::{NewTransfer, NewTransferLine, SourceDocument, TransferRefused, TransferStart};
use uuid::Uuid;

use super::follow::settle;
use crate::{
    Inventory,
    error::Error,
    repo::{
        replenishment,
        replenishment_transfers::{self, Planned, PlannedLine},
    },
};

/// What transfers of requests are said to come from.
pub(crate) const SOURCE_KIND: &str = "replenishment_request";
/// Transfers that are made in one go.
const AT_ONCE: i64 = 50;
/// Those who approve make their transfers themselves; what is older was left over.
const LEFT_OVER_SECONDS: f64 = 5.0;

impl Inventory {
    /// Makes what approvals have left over; answers how many there were.
    pub(crate) async fn make_planned(&self) -> Result<usize, Error> {
        let planned = self.planned(None, LEFT_OVER_SECONDS).await?;
        let count = planned.len();
        for transfer in planned {
            self.make(transfer).await?;
        }
        Ok(count)
    }

    /// Makes the transfers of one request, as far as that can be done now. `false` where some are
    /// left over.
    pub(crate) async fn make_planned_of(&self, request: Uuid) -> bool {
        let all = async {
            // A request has at most 200 lines, and so at most 200 sources.
            loop {
                let planned = self.planned(Some(request), 0.0).await?;
                if planned.is_empty() {
                    return Ok::<_, Error>(());
                }
                for transfer in planned {
                    self.make(transfer).await?;
                }
            }
        };
        match all.await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%request, %error, "approved transfers are left to be made");
                false
            }
        }
    }

    async fn planned(
        &self,
        request: Option<Uuid>,
        older_seconds: f64,
    ) -> Result<Vec<Planned>, Error> {
        self.db
            .run(move |conn| {
                replenishment_transfers::planned(conn, request, older_seconds, AT_ONCE)
                    .map_err(Error::from)
            })
            .await
    }

    /// Asks for the transfer, and notes what became of it.
    async fn make(&self, planned: Planned) -> Result<(), Error> {
        let (id, request) = (planned.transfer_id, planned.request_id);
        let cx = Cx::new(planned.decided_by);
        match self.needs.transfers.create(&cx, transfer(planned)).await {
            Ok(made) => {
                self.db
                    .run(move |conn| {
                        replenishment_transfers::made(conn, id, made.number).map_err(Error::from)
                    })
                    .await
            }
            Err(CallError::Refused(refusal)) => {
                self.db
                    .transaction(move |conn| {
                        // The request before its transfers, as everywhere.
                        replenishment::lock(conn, request)?;
                        replenishment_transfers::refuse(conn, id, &reason(&refusal))?;
                        settle(conn, &cx, request)
                    })
                    .await
            }
            Err(CallError::NoAnswer(no_answer)) => Err(no_answer.into()),
        }
    }
}

fn reason(refusal: &TransferRefused) -> String {
    tracing::warn!(%refusal, "an approved transfer was refused");
    refusal.to_string()
}

/// The same transfer however often it is asked for: its id stands for it.
fn transfer(planned: Planned) -> NewTransfer {
    let Planned {
        transfer_id,
        request_id,
        request_number,
        from_store_id,
        to_store_id,
        decided_by: _,
        lines,
    } = planned;
    let line = |line: PlannedLine| {
        let PlannedLine {
            product_id,
            sku,
            name,
            quantity,
        } = line;
        // The table allows nothing that is no quantity.
        Quantity::new(quantity).map(|quantity| NewTransferLine {
            product_id,
            sku,
            name,
            quantity,
        })
    };
    NewTransfer {
        id: transfer_id,
        from_store_id,
        to_store_id,
        lines: lines.into_iter().filter_map(line).collect(),
        note: Some(format!("Replenishment request {request_number}")),
        source: Some(SourceDocument {
            kind: SOURCE_KIND.to_owned(),
            id: request_id,
        }),
        start: TransferStart::Requested,
    }
}
