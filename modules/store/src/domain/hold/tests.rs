//! The batch decision, without a database.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{
    ids::{ProductId, SaleId, StoreId, UserId},
    money::Quantity,
};
use store_api::{HoldLine, HoldRefused, HoldRequest, Oversell};

use super::{Answer, Hold, Job, Standing, decide};
use crate::domain::{
    ledger::{Ledger, Level},
    reason::HoldState,
};

struct Shop {
    store: StoreId,
    ledger: Ledger,
    standings: BTreeMap<SaleId, Standing>,
}

impl Shop {
    fn new(levels: &[(ProductId, i64)], allows: bool) -> Self {
        let store = StoreId::new();
        let rows = levels.iter().map(|(product, on_hand)| {
            let level = Level {
                on_hand: *on_hand,
                ..Level::NONE
            };
            ((store, *product), level, allows)
        });
        Self {
            store,
            ledger: Ledger::new(rows),
            standings: BTreeMap::new(),
        }
    }

    fn job(&mut self, lines: &[(ProductId, i64)]) -> Job {
        let request = HoldRequest {
            hold_id: SaleId::new(),
            store_id: self.store,
            request_hash: vec![1],
            lines: lines
                .iter()
                .map(|(product_id, quantity)| HoldLine {
                    product_id: *product_id,
                    quantity: Quantity::new(*quantity).unwrap(),
                })
                .collect(),
            occurred_at: DateTime::<Utc>::UNIX_EPOCH,
            oversell: Oversell::Refuse,
        };
        self.standings.insert(request.hold_id, Standing::Fresh);
        Job {
            actor: UserId::new(),
            request,
        }
    }

    fn decide(&mut self, jobs: &[Job]) -> Vec<Answer> {
        decide(&mut self.ledger, &mut self.standings, jobs).unwrap()
    }

    fn on_hand(&self, product: ProductId) -> i64 {
        self.ledger.level((self.store, product)).on_hand
    }
}

const TAKEN: Answer = Ok(Hold { replayed: false });
const AGAIN: Answer = Ok(Hold { replayed: true });

fn available(answer: &Answer) -> Vec<(i64, i64)> {
    match answer {
        Err(HoldRefused::Short { lines }) => {
            lines.iter().map(|l| (l.requested, l.available)).collect()
        }
        other => panic!("not short: {other:?}"),
    }
}

#[test]
fn of_two_that_want_the_last_unit_the_first_gets_it() {
    let cup = ProductId::new();
    let mut shop = Shop::new(&[(cup, 1)], false);
    let jobs = [shop.job(&[(cup, 1)]), shop.job(&[(cup, 1)])];
    let answers = shop.decide(&jobs);
    assert_eq!(answers[0], TAKEN);
    assert_eq!(available(&answers[1]), [(1, 0)]);
    assert_eq!((shop.on_hand(cup), shop.ledger.movements().len()), (0, 1));
}

#[test]
fn a_short_request_takes_nothing_and_names_every_short_line() {
    let (cup, pot, tea) = (ProductId::new(), ProductId::new(), ProductId::new());
    let mut shop = Shop::new(&[(cup, 9), (pot, 1)], false);
    let big = shop.job(&[(cup, 5), (pot, 2), (tea, 3)]);
    let small = shop.job(&[(cup, 9), (pot, 1)]);
    let answers = shop.decide(&[big, small]);
    let mut short = available(&answers[0]);
    short.sort_unstable();
    assert_eq!(short, [(2, 1), (3, 0)]);
    assert_eq!(answers[1], TAKEN);
    assert_eq!((shop.on_hand(cup), shop.on_hand(pot)), (0, 0));
}

#[test]
fn two_lines_of_one_product_are_counted_together() {
    let cup = ProductId::new();
    let mut shop = Shop::new(&[(cup, 5)], false);
    let job = shop.job(&[(cup, 3), (cup, 3)]);
    assert_eq!(available(&shop.decide(&[job])[0]), [(6, 5)]);
}

#[test]
fn a_store_that_allows_it_sells_below_zero() {
    let cup = ProductId::new();
    let mut shop = Shop::new(&[(cup, 1)], true);
    let jobs = [shop.job(&[(cup, 2)]), shop.job(&[(cup, 2)])];
    assert_eq!(shop.decide(&jobs), [TAKEN, TAKEN]);
    assert_eq!(shop.on_hand(cup), -3);
    assert!(shop.ledger.movements().iter().all(|m| m.may_go_negative));
}

#[test]
fn what_happened_is_recorded_whatever_the_books_and_the_store_say() {
    let (cup, pot) = (ProductId::new(), ProductId::new());
    let mut shop = Shop::new(&[(cup, 5), (pot, 1)], false);
    let mut sold = shop.job(&[(cup, 2), (pot, 4)]);
    sold.request.oversell = Oversell::Record;
    let asked = shop.job(&[(pot, 1)]);
    let answers = shop.decide(&[sold, asked]);
    assert_eq!(answers[0], TAKEN);
    assert_eq!(available(&answers[1]), [(1, 0)]);
    assert_eq!((shop.on_hand(cup), shop.on_hand(pot)), (3, -3));
    let movements = shop.ledger.movements();
    let oversold: Vec<_> = movements
        .iter()
        .map(|m| (m.key.1, m.oversells(), m.may_go_negative))
        .collect();
    assert!(oversold.contains(&(cup, false, false)) && oversold.contains(&(pot, true, true)));
}

#[test]
fn a_refusal_stands_in_nobody_s_way_not_even_in_its_own_batch() {
    let cup = ProductId::new();
    let mut shop = Shop::new(&[(cup, 1)], false);
    let asked = shop.job(&[(cup, 2)]);
    let mut sold = asked.clone();
    sold.request.oversell = Oversell::Record;
    let answers = shop.decide(&[asked.clone(), sold, asked]);
    assert_eq!(available(&answers[0]), [(2, 1)]);
    assert_eq!(answers[1..], [TAKEN, AGAIN]);
    assert_eq!(shop.on_hand(cup), -1);
}

#[test]
fn a_request_of_an_older_peer_refuses() {
    let mut shop = Shop::new(&[], false);
    let mut json = serde_json::to_value(shop.job(&[]).request).unwrap();
    json.as_object_mut().unwrap().remove("oversell").unwrap();
    let parsed: HoldRequest = serde_json::from_value(json).unwrap();
    assert_eq!(parsed.oversell, Oversell::Refuse);
}

#[test]
fn a_repeat_in_the_same_batch_takes_nothing_more() {
    let cup = ProductId::new();
    let mut shop = Shop::new(&[(cup, 5)], false);
    let job = shop.job(&[(cup, 2)]);
    let mut other = job.clone();
    other.request.request_hash = vec![2];
    let answers = shop.decide(&[job.clone(), job, other]);
    assert_eq!(answers, [TAKEN, AGAIN, Err(HoldRefused::KeyReused)]);
    assert_eq!(shop.on_hand(cup), 3);
}

#[test]
fn a_hold_that_stands_is_answered_as_it_stands() {
    let cup = ProductId::new();
    let mut shop = Shop::new(&[(cup, 5)], false);
    let job = shop.job(&[(cup, 2)]);
    for (state, hash, expected) in [
        (HoldState::Held, 1, AGAIN),
        (HoldState::Consumed, 1, AGAIN),
        (HoldState::Released, 1, Err(HoldRefused::Released)),
        (HoldState::Held, 2, Err(HoldRefused::KeyReused)),
    ] {
        let known = Standing::Known {
            hash: vec![hash],
            state,
        };
        shop.standings.insert(job.request.hold_id, known);
        assert_eq!(shop.decide(std::slice::from_ref(&job)), [expected]);
    }
    shop.standings.insert(job.request.hold_id, Standing::Closed);
    let answers = shop.decide(std::slice::from_ref(&job));
    assert_eq!(answers, [Err(HoldRefused::UnknownStore)]);
    assert_eq!(shop.on_hand(cup), 5);
}
