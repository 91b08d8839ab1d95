//! The close of a store's day, from one snapshot.

use std::collections::BTreeMap;

use kernel::{call::Cx, money::Currency};

use super::{
    shift_reports::{amount, drawer, drawer_view, report, takings},
    shifts::shift_view,
    validate,
};
use crate::{
    Sales,
    domain::{drawer::Drawer, words::ShiftStatus},
    dto::{DayClose, DayCloseQuery, DayDrawers, DayShift},
    error::Error,
    repo::{
        day_close::{self, DaySums},
        shift_totals::Total,
        shifts::{self, Shift},
    },
};

/// Shifts in one report at most.
const MAX_SHIFTS: u8 = 200;

impl Sales {
    /// The close of a day of the store.
    pub(crate) async fn day_close(&self, cx: &Cx, query: DayCloseQuery) -> Result<DayClose, Error> {
        let DayCloseQuery {
            store_id,
            date,
            format: _,
        } = query;
        validate::dates(Some(date), None)?;
        let currency = self.directory.profile(cx, store_id).await?.currency;
        let (shifts, open, sums) = self
            .db
            .run(move |conn| {
                // Sales go on meanwhile: all of it has to be seen at one time.
                let mut snapshot = conn.build_transaction().read_only().repeatable_read();
                snapshot.run(|conn| {
                    let shifts = shifts::of_day(conn, store_id, date)?;
                    let open = shifts::left_open(conn, store_id, date, MAX_SHIFTS.into())?;
                    let sums = day_close::sums(conn, store_id, date, currency)?;
                    Ok::<_, Error>((shifts, open, sums))
                })
            })
            .await?;
        let DaySums {
            day,
            outside,
            other_days,
            shifts: totals,
        } = sums;
        let mut of_shift: BTreeMap<_, Vec<Total>> = BTreeMap::new();
        for (shift, total) in totals {
            of_shift.entry(shift).or_default().push(total);
        }
        let with_totals: Vec<(Shift, i64, Vec<Total>)> = shifts
            .into_iter()
            .filter(|(shift, _)| shift.currency == currency)
            .map(|(shift, last)| {
                let totals = of_shift.remove(&shift.id).unwrap_or_default();
                (shift, last, totals)
            })
            .collect();
        Ok(DayClose {
            store_id,
            date,
            currency,
            complete: open.is_empty(),
            open_shifts: open.into_iter().map(shift_view).collect(),
            drawers: drawers(&with_totals, currency),
            shifts: with_totals
                .iter()
                .take(MAX_SHIFTS.into())
                .map(|(shift, last, totals)| day_shift(shift, totals, *last))
                .collect(),
            outside: takings(&outside, currency),
            other_days: takings(&other_days, currency),
            day: takings(&day, currency),
        })
    }
}

fn day_shift(shift: &Shift, totals: &[Total], last_receipt: i64) -> DayShift {
    let view = shift_view(shift.clone());
    let last_receipt = shift.last_receipt.unwrap_or(last_receipt);
    DayShift {
        status: view.status,
        closed_at: view.closed_at,
        closed_by: view.closed_by,
        z_number: view.z_number,
        counted: view.counted,
        variance: view.variance,
        report: report(shift, totals, last_receipt),
    }
}

fn drawers(shifts: &[(Shift, i64, Vec<Total>)], currency: Currency) -> DayDrawers {
    let mut all = Drawer::default();
    let (mut counted, mut variance) = (0_i64, 0_i64);
    for (shift, _, totals) in shifts {
        all = all.and(drawer(shift, totals));
        if let (ShiftStatus::Closed, Some(found), Some(expected)) =
            (shift.state, shift.counted_minor, shift.expected_minor)
        {
            counted = counted.saturating_add(found.get());
            variance = variance.saturating_add(found.get().saturating_sub(expected));
        }
    }
    DayDrawers {
        all: drawer_view(all, currency),
        counted: amount(counted, currency),
        variance: amount(variance, currency),
    }
}
