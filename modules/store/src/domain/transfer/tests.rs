//! The rules, without a database.

use TransferStatus as S;

use super::*;

fn line(requested: i64, sent: i64) -> Line {
    let mut line = Line::new(ProductId::new(), "S".into(), "N".into(), requested);
    line.approved = sent;
    line.sent = sent;
    line
}

fn arrival(line: &Line, received: i64, damaged: i64, lost: i64) -> Arrival {
    Arrival {
        product_id: line.product_id,
        received,
        damaged,
        lost,
    }
}

#[test]
fn each_state_allows_what_it_should_and_nothing_else() {
    use Step as T;
    let table: [(S, &[Step]); 9] = [
        (S::Draft, &[T::Edit, T::Request, T::Cancel]),
        (S::Requested, &[T::Approve, T::Reject, T::Cancel]),
        (S::Approved, &[T::Dispatch, T::Cancel]),
        (S::InTransit, &[T::Receive, T::Close]),
        (S::PartiallyReceived, &[T::Receive, T::Close, T::Return]),
        (S::Received, &[T::Close, T::Return]),
        (S::Closed, &[T::Return]),
        (S::Cancelled, &[]),
        (S::Rejected, &[]),
    ];
    let all = [
        T::Edit,
        T::Request,
        T::Approve,
        T::Reject,
        T::Dispatch,
        T::Receive,
        T::Close,
        T::Cancel,
        T::Return,
    ];
    for (status, allowed) in table {
        for step in all {
            let may = step.check(status).is_ok();
            assert_eq!(may, allowed.contains(&step), "{status:?} {step:?}");
        }
    }
}

#[test]
fn nothing_named_is_everything_and_what_is_not_named_is_nothing() {
    let lines = [line(5, 0), line(7, 0)];
    let all = chosen(&lines, None, Of::Requested).unwrap();
    let quantities: Vec<i64> = all.iter().map(|(_, pick)| pick.quantity).collect();
    assert_eq!(quantities, [5, 7]);
    let pick = |quantity| Pick {
        product_id: lines[1].product_id,
        quantity,
    };
    assert_eq!(
        chosen(&lines, Some(&[pick(7)]), Of::Requested).unwrap(),
        [(Some(0), pick(7))]
    );
    assert_eq!(
        chosen(&lines, Some(&[pick(8)]), Of::Requested),
        Err(Refusal::TooMuch {
            of: Of::Requested,
            lines: vec![Excess {
                index: Some(0),
                product_id: lines[1].product_id,
                limit: 7
            }]
        })
    );
    assert_eq!(
        chosen(&lines, Some(&[pick(1), pick(1)]), Of::Requested),
        Err(Refusal::Repeated { index: 1 })
    );
    for nothing in [&[pick(0)][..], &[]] {
        assert_eq!(
            chosen(&lines, Some(nothing), Of::Requested),
            Err(Refusal::Nothing)
        );
    }
    assert_eq!(chosen(&lines, None, Of::Approved), Err(Refusal::Nothing));
}

#[test]
fn parts_arrive_until_nothing_is_in_transit_and_never_more() {
    let mut lines = [line(10, 10), line(4, 4)];
    let first = [arrival(&lines[0], 6, 2, 0)];
    assert_eq!(receive(&mut lines, &first), Ok(S::PartiallyReceived));
    assert_eq!(lines[0].in_transit(), 2);
    let before = lines.clone();
    for bad in [
        vec![arrival(&lines[0], 1, 1, 1)],
        vec![arrival(&lines[1], 1, 0, 0), arrival(&lines[1], 1, 0, 0)],
        vec![arrival(&lines[1], 0, 0, 0)],
        vec![arrival(&line(1, 1), 1, 0, 0)],
        vec![],
    ] {
        assert!(receive(&mut lines, &bad).is_err());
        assert_eq!(lines, before);
    }
    let rest = [arrival(&lines[0], 0, 0, 2), arrival(&lines[1], 4, 0, 0)];
    assert_eq!(receive(&mut lines, &rest), Ok(S::Received));
}

#[test]
fn what_is_missing_is_given_up_only_when_told() {
    let mut lines = [line(10, 10)];
    let some = [arrival(&lines[0], 6, 0, 0)];
    receive(&mut lines, &some).unwrap();
    assert_eq!(close(&mut lines, false), Err(Refusal::InTransit));
    let missing = close(&mut lines, true).unwrap();
    assert_eq!(missing, [arrival(&lines[0], 0, 0, 4)]);
    assert_eq!((lines[0].lost, lines[0].in_transit()), (4, 0));
    assert_eq!(close(&mut lines, false), Ok(vec![]));
}

#[test]
fn not_more_goes_back_than_came() {
    let mut lines = [line(10, 10)];
    let some = [arrival(&lines[0], 6, 4, 0)];
    receive(&mut lines, &some).unwrap();
    lines[0].returned = 4;
    let back = |quantity| Pick {
        product_id: lines[0].product_id,
        quantity,
    };
    assert!(chosen(&lines, Some(&[back(2)]), Of::Received).is_ok());
    assert!(chosen(&lines, Some(&[back(3)]), Of::Received).is_err());
}
