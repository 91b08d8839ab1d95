//! What is done to a transfer, from its request to its end: each step once per key, under the
//! transfer's row lock.

use diesel::PgConnection;
use kernel::{
    answers::{Asked, once},
    call::Cx,
    idempotency::IdempotencyKey,
    ids::TransferId,
    text::Text,
};
use serde::Serialize;
use store_api::{TransferStart, TransferStatus};

use super::{
    transfer_stock,
    transfers::{Answered, Opening, change, check_lines, check_stores, open},
};
use crate::{
    Store,
    domain::transfer::{self, Arrival, Line, Of, Pick, ReceiptKind, Step, chosen},
    dto::{
        CloseTransfer, ReceiveTransfer, ReturnTransfer, StopTransfer, TransferPicks, TransferView,
    },
    error::Error,
    repo::{
        columns::{Receipt, Status},
        transfer_receipts::{self, NewReceipt},
        transfers::{self, Transfer},
    },
};

impl Store {
    /// The one way a step is done: once, to a transfer that is locked and stands where it may be.
    async fn step<B, F>(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        step: Step,
        body: B,
        work: F,
    ) -> Result<Answered, Error>
    where
        B: Serialize + Send + 'static,
        F: FnOnce(&mut PgConnection, &Cx, &Asked, B, &mut Transfer) -> Result<(), Error>
            + Send
            + 'static,
    {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    let before = transfers::lock(conn, id)?.ok_or(Error::NotFound("transfer"))?;
                    step.check(before.row.status.0)?;
                    let mut after = before.clone();
                    work(conn, &cx, &request, body, &mut after)?;
                    change(conn, &cx, step, before, &mut after)?;
                    Ok(after.into())
                })
            })
            .await
    }

    pub(crate) async fn request_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
    ) -> Result<Answered, Error> {
        self.step(
            cx,
            key,
            id,
            Step::Request,
            (),
            |conn, _, _, (), transfer| {
                check_stores(conn, transfer.row.from_store_id, transfer.row.to_store_id)?;
                transfer.row.status = Status(TransferStatus::Requested);
                transfer.row.requested_at = Some(kernel::time::now());
                Ok(())
            },
        )
        .await
    }

    /// Promises the goods, or as many as `body` says.
    pub(crate) async fn approve_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: TransferPicks,
    ) -> Result<Answered, Error> {
        self.step(
            cx,
            key,
            id,
            Step::Approve,
            body,
            |conn, _, _, body, transfer| {
                check_stores(conn, transfer.row.from_store_id, transfer.row.to_store_id)?;
                let picks = chosen(&transfer.lines, body.picks().as_deref(), Of::Requested)?;
                set(&mut transfer.lines, &picks, |line, quantity| {
                    line.approved = quantity;
                });
                transfer_stock::reserve(conn, transfer, &picks)?;
                transfer.row.status = Status(TransferStatus::Approved);
                transfer.row.approved_at = Some(kernel::time::now());
                Ok(())
            },
        )
        .await
    }

    pub(crate) async fn reject_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: StopTransfer,
    ) -> Result<Answered, Error> {
        self.step(
            cx,
            key,
            id,
            Step::Reject,
            body,
            |_, _, _, body, transfer| {
                end(transfer, TransferStatus::Rejected, Some(body.reason));
                Ok(())
            },
        )
        .await
    }

    /// Sends what was promised, or as much of it as `body` says.
    pub(crate) async fn dispatch_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: TransferPicks,
    ) -> Result<Answered, Error> {
        self.step(
            cx,
            key,
            id,
            Step::Dispatch,
            body,
            |conn, cx, _, body, transfer| {
                check_stores(conn, transfer.row.from_store_id, transfer.row.to_store_id)?;
                let picks = chosen(&transfer.lines, body.picks().as_deref(), Of::Approved)?;
                set(&mut transfer.lines, &picks, |line, quantity| {
                    line.sent = quantity;
                });
                transfer_stock::send(conn, cx, transfer, &picks)?;
                transfer.row.status = Status(TransferStatus::InTransit);
                transfer.row.dispatched_at = Some(kernel::time::now());
                Ok(())
            },
        )
        .await
    }

    /// Takes in what arrived, and counts what is broken or will not arrive.
    pub(crate) async fn receive_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: ReceiveTransfer,
    ) -> Result<Answered, Error> {
        let step = Step::Receive;
        self.step(
            cx,
            key,
            id,
            step,
            body,
            |conn, cx, request, body, transfer| {
                let arrivals: Vec<Arrival> = body.lines.into_iter().map(Arrival::from).collect();
                let status = transfer::receive(&mut transfer.lines, &arrivals)?;
                let note = body.note.as_ref().map(Text::as_str);
                transfer_stock::take_in(conn, cx, transfer, &arrivals, note)?;
                record(
                    conn,
                    cx,
                    request,
                    transfer,
                    ReceiptKind::Receipt,
                    note,
                    &arrivals,
                )?;
                if status == TransferStatus::Received {
                    end(transfer, status, None);
                } else {
                    transfer.row.status = Status(status);
                }
                Ok(())
            },
        )
        .await
    }

    /// Ends a transfer; what is still in transit is lost, if `body` says so.
    pub(crate) async fn close_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: CloseTransfer,
    ) -> Result<Answered, Error> {
        self.step(
            cx,
            key,
            id,
            Step::Close,
            body,
            |conn, cx, request, body, transfer| {
                let missing = transfer::close(&mut transfer.lines, body.write_off)?;
                if !missing.is_empty() {
                    let note = Some(body.reason.as_str());
                    transfer_stock::take_in(conn, cx, transfer, &missing, note)?;
                    record(
                        conn,
                        cx,
                        request,
                        transfer,
                        ReceiptKind::WriteOff,
                        note,
                        &missing,
                    )?;
                }
                end(transfer, TransferStatus::Closed, Some(body.reason));
                Ok(())
            },
        )
        .await
    }

    pub(crate) async fn cancel_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: StopTransfer,
    ) -> Result<Answered, Error> {
        self.step(
            cx,
            key,
            id,
            Step::Cancel,
            body,
            |conn, _, _, body, transfer| {
                if transfer.row.status.0 == TransferStatus::Approved {
                    transfer_stock::release(conn, transfer)?;
                }
                end(transfer, TransferStatus::Cancelled, Some(body.reason));
                Ok(())
            },
        )
        .await
    }

    /// Asks for a transfer in the other direction, of goods that this one brought.
    pub(crate) async fn return_transfer(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        id: TransferId,
        body: ReturnTransfer,
    ) -> Result<Answered, Error> {
        check_lines(body.lines.iter().map(|line| line.product_id))?;
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    // The lock keeps two returns from counting the same goods.
                    let original = transfers::lock(conn, id)?.ok_or(Error::NotFound("transfer"))?;
                    Step::Return.check(original.row.status.0)?;
                    let opening = back(&request, &original, body)?;
                    open(conn, &cx, &opening).map(TransferView::from)
                })
            })
            .await
    }
}

/// Sets a quantity of the lines that were picked.
fn set(lines: &mut [Line], picks: &[(Option<usize>, Pick)], of: impl Fn(&mut Line, i64)) {
    for line in lines {
        let picked = picks.iter().find(|(_, p)| p.product_id == line.product_id);
        if let Some((_, pick)) = picked {
            of(line, pick.quantity);
        }
    }
}

fn end(transfer: &mut Transfer, status: TransferStatus, reason: Option<Text<500>>) {
    transfer.row.status = Status(status);
    transfer.row.ended_at.get_or_insert_with(kernel::time::now);
    if let Some(reason) = reason {
        transfer.row.reason = Some(reason.into_string());
    }
}

fn record(
    conn: &mut PgConnection,
    cx: &Cx,
    request: &Asked,
    transfer: &Transfer,
    kind: ReceiptKind,
    note: Option<&str>,
    lines: &[Arrival],
) -> Result<(), Error> {
    let receipt = NewReceipt {
        id: request.id,
        transfer_id: transfer.row.id,
        seq: transfer.row.version + 1,
        kind: Receipt(kind),
        actor: cx.actor,
        note,
        at: kernel::time::now(),
        lines,
    };
    Ok(transfer_receipts::insert(conn, &receipt)?)
}

/// The transfer that brings back what `body` names of `original`.
fn back(request: &Asked, original: &Transfer, body: ReturnTransfer) -> Result<Opening, Error> {
    let picks: Vec<Pick> = body.lines.into_iter().map(Pick::from).collect();
    let picks = chosen(&original.lines, Some(&picks), Of::Received)?;
    let named = |line: &&Line| picks.iter().find(|(_, p)| p.product_id == line.product_id);
    let lines = original.lines.iter().filter_map(|line| {
        let (_, pick) = named(&line)?;
        let (sku, name) = (line.sku.clone(), line.name.clone());
        Some(Line::new(line.product_id, sku, name, pick.quantity))
    });
    Ok(Opening {
        id: TransferId(request.id),
        from_store_id: original.row.to_store_id,
        to_store_id: original.row.from_store_id,
        lines: lines.collect(),
        note: Some(body.reason.into_string()),
        source: None,
        return_of: Some(original.row.id),
        start: TransferStart::Requested,
    })
}
