//! Figures and what they move, without a database.

use chrono::DateTime;
use kernel::ids::{StoreId, UserId};

use super::*;
use crate::domain::{
    ledger::{Cause, Change, Level},
    reason::MovementReason,
};

/// A shelf, its books, and the line of a count of it.
struct Shop {
    key: Key,
    ledger: Ledger,
    line: Line,
}

impl Shop {
    fn new(books: i64) -> Self {
        let key = (StoreId::new(), ProductId::new());
        let level = Level {
            on_hand: books,
            version: 1,
            ..Level::NONE
        };
        let sheet = Seen {
            version: 1,
            on_hand: books,
        };
        let line = Line {
            product_id: key.1,
            sku: "A".into(),
            name: "A".into(),
            sheet,
            pass: 1,
            awaits_recount: false,
            entries: 0,
            figure: None,
            posted: None,
        };
        Self {
            key,
            ledger: Ledger::new([(key, level, false)]),
            line,
        }
    }

    fn moves(&mut self, on_hand: i64) {
        let cause = Cause {
            reason: MovementReason::Sale,
            document_id: uuid::Uuid::nil(),
            actor: UserId::new(),
            occurred_at: DateTime::UNIX_EPOCH,
            note: None,
        };
        let change = Change {
            on_hand,
            damaged: 0,
        };
        self.ledger.post(self.key, change, &cause).unwrap();
    }

    fn counts(&mut self, mode: EntryMode, quantity: i64) {
        let level = self.ledger.level(self.key);
        let seen = Seen {
            version: level.version,
            on_hand: level.on_hand,
        };
        self.line.enter(mode, quantity, seen).unwrap();
    }

    /// What the books say after posting.
    fn posted(&mut self, uncounted: Uncounted) -> Result<i64, Refusal> {
        let key = self.key;
        let lines = std::slice::from_mut(&mut self.line);
        settle(lines, uncounted, &self.ledger, |_| key)?;
        let on_hand = self.ledger.level(self.key).on_hand;
        Ok(on_hand + self.line.posted.unwrap())
    }
}

use EntryMode::{Add, Set};

#[test]
fn what_is_sold_after_a_line_was_counted_is_sold_of_what_was_counted() {
    let mut shop = Shop::new(10);
    shop.counts(Set, 7);
    shop.moves(-4);
    shop.moves(12);
    assert_eq!(shop.posted(Uncounted::Keep), Ok(7 - 4 + 12));
    assert_eq!(shop.line.posted, Some(-3));
}

#[test]
fn an_entry_that_adds_tells_of_the_moment_when_the_figure_began() {
    // Ten are there, as the books say: six on the shelf, of which two are sold, four behind.
    let mut shop = Shop::new(10);
    shop.counts(Add, 6);
    shop.moves(-2);
    shop.counts(Add, 4);
    assert_eq!(shop.line.figure.unwrap().variance(), 0);
    assert!(shop.line.figure.unwrap().moved());
    assert_eq!(shop.posted(Uncounted::Keep), Ok(8));
}

#[test]
fn an_entry_that_sets_and_the_first_of_a_recount_begin_anew() {
    for again in [false, true] {
        let mut shop = Shop::new(10);
        shop.counts(Add, 6);
        shop.moves(-2);
        if again {
            shop.line.awaits_recount = true;
            shop.counts(Add, 8);
            assert!(!shop.line.awaits_recount);
        } else {
            shop.counts(Set, 8);
        }
        let figure = shop.line.figure.unwrap();
        assert_eq!((figure.counted, figure.variance()), (8, 0));
        assert!(!figure.moved());
        shop.counts(Add, 1);
        assert_eq!(shop.posted(Uncounted::Keep), Ok(9));
    }
}

#[test]
fn more_sold_since_than_was_counted_is_a_miscount_and_named() {
    let mut shop = Shop::new(10);
    shop.counts(Set, 3);
    shop.moves(-8);
    let outsold = Outsold {
        product_id: shop.key.1,
        sku: "A".into(),
        counted: 3,
        left_since: 8,
    };
    assert_eq!(
        shop.posted(Uncounted::Keep),
        Err(Refusal::Outsold(vec![outsold]))
    );
    shop.counts(Set, 2);
    assert_eq!(shop.posted(Uncounted::Keep), Ok(2));
}

#[test]
fn what_nobody_counted_stays_or_goes_but_what_came_since_stays() {
    for (books, moved, zero) in [(5, 0, 0), (5, -2, 0), (5, 10, 10), (-3, 0, 0), (-3, 5, 5)] {
        let mut shop = Shop::new(books);
        if moved != 0 {
            shop.moves(moved);
        }
        assert_eq!(shop.posted(Uncounted::Keep), Ok(books + moved));
        assert_eq!(shop.posted(Uncounted::Zero), Ok(zero), "{books} {moved}");
    }
    assert!(!Shop::new(0).line.moves(Uncounted::Zero));
    assert!(!Shop::new(5).line.moves(Uncounted::Keep));
}

#[test]
fn a_figure_has_a_largest_value() {
    let mut shop = Shop::new(0);
    shop.counts(Add, MAX_FIGURE);
    let seen = shop.line.sheet;
    assert_eq!(shop.line.enter(Add, 1, seen), None);
}

#[test]
fn each_state_allows_what_follows_it() {
    use CountStatus as S;
    let allowed = |step: Step| {
        [S::Open, S::Counting, S::Recounting, S::Posted, S::Cancelled]
            .map(|status| step.check(status).is_ok())
    };
    assert_eq!(allowed(Step::Enter), [true, true, true, false, false]);
    assert_eq!(allowed(Step::Recount), [false, true, true, false, false]);
    assert_eq!(allowed(Step::Post), [false, true, false, false, false]);
    assert_eq!(allowed(Step::Cancel), [true, true, true, false, false]);
}

#[test]
fn a_blind_count_shows_judges_what_was_found_and_nobody_what_is_sought() {
    use CountStatus as S;
    for (blind, status, counter, judge, sought) in [
        (false, S::Counting, true, true, true),
        (true, S::Counting, false, true, false),
        (true, S::Recounting, false, true, false),
        (true, S::Posted, true, true, true),
    ] {
        assert_eq!(Sight::Counter.shows_found(blind, status), counter);
        assert_eq!(Sight::Judge.shows_found(blind, status), judge);
        assert_eq!(Sight::shows_sought(blind, status), sought);
    }
}
