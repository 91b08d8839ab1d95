//! Random sequences of everything that a client can do, against a model of what must come of it.
//!
//! A run has stores and products of its own. What fails is shrunk to the fewest and simplest
//! operations that still fail, and told with the seed that brings it back: see `CONTRIBUTING.md`.

mod compare;
mod counts;
mod deed;
mod discrepancies;
mod exchanges;
mod money;
mod offline;
mod op;
mod parked;
mod quotes;
mod replenishment;
mod returns;
mod run;
mod sales;
mod shifts;
mod shrink;
mod state;
mod stock;
mod transfer_plans;
mod transfer_steps;
mod transfers;
mod unreceipted;
mod voids;
mod world;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    str::FromStr,
    time::{Duration, Instant},
};

use actix_web::rt::System;
use comptoir::process::Module;
use futures::FutureExt;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};
use uuid::Uuid;

use self::{op::Op, run::Run, shrink::Ops, state::Model};
use crate::{
    app::{TestApp, Topology},
    invariants::{ACROSS_MODULES, DISARM},
};

/// Operations of one run.
const OPS: usize = 50;
/// How long shrinking may take.
const SHRINKING: Duration = Duration::from_secs(180);
/// A database grows with every run, and with it what its checks look at.
const RUNS_OF_AN_APP: usize = 25;

/// What is asked for in the environment.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    let value = std::env::var(format!("COMPTOIR_MODEL_{name}")).ok()?;
    Some(value.parse().ok().expect(name))
}

/// The product that runs one after the other use.
struct Bench {
    system: actix_web::rt::SystemRunner,
    topology: Topology,
    app: RefCell<Option<TestApp>>,
    /// How often what was answered.
    tally: RefCell<BTreeMap<String, usize>>,
}

impl Bench {
    fn new(topology: Topology) -> Self {
        Self {
            system: System::new(),
            topology,
            app: RefCell::new(None),
            tally: RefCell::default(),
        }
    }

    /// One run and the comparison after it. What failed may leave a product that no run after it
    /// should be judged by.
    fn try_run(&self, ops: &[Op], model: Model) -> Result<(), TestCaseError> {
        let app = self.app.take();
        let attempt = async {
            let app = match app {
                Some(app) => app,
                None => TestApp::start(self.topology).await,
            };
            let run = AssertUnwindSafe(check(&app, ops, model));
            let run = run.catch_unwind().await.map(|tally| {
                for (answer, n) in tally {
                    *self.tally.borrow_mut().entry(answer).or_default() += n;
                }
            });
            let sound = AssertUnwindSafe(app.assert_invariants()).catch_unwind();
            let sound = sound.await;
            if sound.is_ok() {
                self.app.replace(Some(app));
            }
            run.and(sound)
        };
        self.system.block_on(attempt).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            TestCaseError::fail(text.unwrap_or_else(|| "it panicked".into()))
        })
    }

    /// Starts the product, which takes the longer the more tests do so at once.
    fn warm_up(&self) {
        let app = self.system.block_on(TestApp::start(self.topology));
        self.app.replace(Some(app));
    }

    /// The next run gets a product that nothing has happened to.
    fn renew(&self) {
        self.app.replace(None);
    }
}

async fn check(app: &TestApp, ops: &[Op], model: Model) -> BTreeMap<String, usize> {
    let run = Run::of(app, ops, model).await;
    let differences = compare::differences(&run).await;
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    run.tally
}

fn runner(seed: u64) -> TestRunner {
    TestRunner::new(Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        max_shrink_time: u32::try_from(SHRINKING.as_millis()).unwrap(),
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    })
}

/// So many runs, or as many of them as fit into the time; all that were asked for, where some were.
fn hold(topology: Topology, usual: usize, time: Duration) {
    let asked = setting("RUNS").map(|asked: usize| match topology {
        Topology::Whole => asked,
        // Starting these takes longer than what they do.
        _ => asked.div_ceil(10),
    });
    let first = setting("SEED").unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
    let ops = setting("OPS").unwrap_or(OPS);
    let bench = Bench::new(topology);
    bench.warm_up();
    let began = Instant::now();
    let mut runs = 0;
    while runs < asked.unwrap_or(usual) && (asked.is_some() || began.elapsed() < time) {
        let seed = first.wrapping_add(runs as u64);
        let run = |ops: Vec<Op>| bench.try_run(&ops, Model::default());
        if let Err(TestError::Fail(why, ops)) = runner(seed).run(&Ops(ops), run) {
            panic!(
                "{why}\n\n{ops:#?}\n\nin {topology:?}; to have it again: COMPTOIR_MODEL_SEED={seed} \
                 COMPTOIR_MODEL_RUNS=1 cargo test --test it model::"
            );
        }
        runs += 1;
        if runs % RUNS_OF_AN_APP == 0 {
            bench.renew();
        }
    }
    for (answer, n) in &*bench.tally.borrow() {
        println!("{n:6} {answer}");
    }
    println!(
        "{runs} runs of {ops} operations in {topology:?} from seed {first}: {:?}",
        began.elapsed()
    );
}

#[test]
fn whatever_happens_in_one_process_the_product_does_as_the_model() {
    hold(Topology::Whole, 24, Duration::from_secs(20));
}

#[test]
fn whatever_happens_in_four_services_the_product_does_as_the_model() {
    hold(Topology::Split, 4, Duration::from_secs(10));
}

/// The model forgets that a cancelled transfer frees what it was promised: a draft that was
/// requested, approved and cancelled is all that it takes.
#[test]
fn a_wrong_rule_is_found_and_told_in_few_words() {
    let bench = Bench::new(Topology::Whole);
    let model = Model {
        mistaken: true,
        ..Model::default()
    };
    let found = (1..100).find_map(|seed| {
        let run = |ops: Vec<Op>| bench.try_run(&ops, model.clone());
        match runner(seed).run(&Ops(30), run) {
            Err(TestError::Fail(why, ops)) => Some((why, ops)),
            _ => None,
        }
    });
    let (why, ops) = found.expect("a run in which it matters");
    assert!(why.message().contains("reserved"), "{why}");
    assert_eq!(ops.len(), 4, "{ops:#?}");
}

/// Figures that somebody could change by hand.
const FIGURES: &[&str] = &[
    "store.levels.on_hand",
    "store.levels.reserved",
    "store.levels.damaged",
    "store.levels.incoming",
    "store.movements.balance",
    "store.movements.damaged_balance",
    "store.transfer_lines.approved",
    "store.transfer_lines.sent",
    "store.transfer_lines.received",
    "store.transfer_lines.lost",
    "store.count_lines.counted",
    "sales.shifts.float_minor",
    "sales.shift_totals.sold_minor",
    "sales.sales.total_minor",
    "sales.sales.refunded_minor",
    "sales.sale_lines.total_minor",
    "sales.sale_lines.returned_quantity",
    "sales.payments.amount_minor",
    "sales.refunds.amount_minor",
    "sales.return_lines.refund_minor",
];

#[test]
fn a_difference_in_any_figure_is_found() {
    System::new().block_on(async {
        let app = TestApp::start(Topology::Whole).await;
        let mut runs = Vec::new();
        for seed in 1..=4 {
            let ops = Ops(OPS).new_tree(&mut runner(seed)).unwrap().current();
            runs.push(Run::of(&app, &ops, Model::default()).await);
        }
        // The first run that a figure is in tells.
        let differs = async || {
            for run in &runs {
                if !compare::differences(run).await.is_empty() {
                    return true;
                }
            }
            false
        };
        assert!(!differs().await);
        let db = app.db(Module::Store);
        app.eventually("every hold is consumed", async || {
            db.number("SELECT count(*) FROM store.holds WHERE state = 'held'") == 0
        })
        .await;
        // One of the stores may sell what is not there.
        for (check, sql) in ACROSS_MODULES.iter().filter(|(c, _)| !c.starts_with("I2")) {
            assert_eq!(db.number(sql), 0, "{check}");
        }
        db.execute(DISARM);
        let mut unseen = Vec::new();
        for figure in FIGURES {
            let (table, column) = figure.rsplit_once('.').unwrap();
            let add = |n: i64| format!("UPDATE {table} SET {column} = {column} + {n}");
            db.execute(&add(1));
            if !differs().await {
                unseen.push(figure);
            }
            db.execute(&add(-1));
        }
        assert!(unseen.is_empty(), "{unseen:?}");
        assert!(!differs().await);
    });
}
