//! How far a long command has come: bars on a terminal, a line every few seconds elsewhere.

use std::{
    io::{IsTerminal, Write},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Where progress is shown. All of it goes to standard error: standard output is for results.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    shown: Shown,
}

#[derive(Debug, Clone, Copy)]
enum Shown {
    Bars,
    Lines,
    Nowhere,
}

impl Progress {
    /// Bars on a terminal, lines elsewhere.
    pub fn start() -> Self {
        let shown = if std::io::stderr().is_terminal() {
            Shown::Bars
        } else {
            Shown::Lines
        };
        Self { shown }
    }

    /// Shows nothing, for tests.
    pub fn silent() -> Self {
        Self {
            shown: Shown::Nowhere,
        }
    }

    /// Begins a phase; `total` is how much there is to do, where that is known.
    pub(crate) fn phase(&self, name: &'static str, total: Option<usize>) -> Phase {
        let total = total.and_then(|total| u64::try_from(total).ok());
        let output = match self.shown {
            Shown::Bars => Output::Bar(bar(name, total)),
            Shown::Lines => Output::Lines(Mutex::new(Instant::now())),
            Shown::Nowhere => Output::Nothing,
        };
        Phase {
            name,
            total,
            done: AtomicU64::new(0),
            started: Instant::now(),
            output,
        }
    }
}

/// A part of the work, with its own count and time.
#[derive(Debug)]
pub(crate) struct Phase {
    name: &'static str,
    total: Option<u64>,
    done: AtomicU64,
    started: Instant,
    output: Output,
}

#[derive(Debug)]
enum Output {
    Bar(ProgressBar),
    Lines(Mutex<Instant>),
    Nothing,
}

/// What a phase took.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseTime {
    /// Its name.
    pub name: &'static str,
    /// How much was done.
    pub count: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// How much was done in a second.
    pub per_second: u64,
}

impl Phase {
    /// `more` is done.
    pub(crate) fn add(&self, more: usize) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let done = self
            .done
            .fetch_add(more, Ordering::Relaxed)
            .saturating_add(more);
        match &self.output {
            Output::Bar(bar) => bar.set_position(done),
            Output::Lines(last) => {
                let Ok(mut last) = last.try_lock() else {
                    return;
                };
                if last.elapsed() >= EVERY {
                    *last = Instant::now();
                    let of = self
                        .total
                        .map(|total| format!(" of {total}"))
                        .unwrap_or_default();
                    line(&format!("{}: {done}{of}", self.name));
                }
            }
            Output::Nothing => {}
        }
    }

    /// Ends the phase and says what it took.
    pub(crate) fn finish(self) -> PhaseTime {
        let count = self.done.load(Ordering::Relaxed);
        let elapsed = self.started.elapsed();
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let per_second = count
            .saturating_mul(1000)
            .checked_div(millis)
            .unwrap_or(count);
        let text = format!("{}: {count} in {elapsed:.1?} ({per_second}/s)", self.name);
        match self.output {
            Output::Bar(bar) => {
                bar.finish_and_clear();
                line(&text);
            }
            Output::Lines(_) => line(&text),
            Output::Nothing => {}
        }
        PhaseTime {
            name: self.name,
            count,
            millis,
            per_second,
        }
    }
}

fn bar(name: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{prefix} [{bar:30}] {pos}/{len} {per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {prefix} {pos} {per_sec}",
        ),
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style).with_prefix(name)
}

/// A terminal that is gone must not end the work.
fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
