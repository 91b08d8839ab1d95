//! What is remembered, and how often that helped.

use super::{Counter, Gauge, Metrics, number};

/// Counts look-ups in one cache.
#[derive(Debug, Clone)]
pub struct CacheMeter {
    /// It was remembered.
    pub hit: Counter,
    /// It was not.
    pub miss: Counter,
    /// What is remembered now; set it before each scrape.
    pub entries: Gauge,
}

impl CacheMeter {
    /// The cache of this name.
    pub fn new(metrics: &Metrics, cache: &'static str) -> Self {
        let requests = metrics.counter(
            "comptoir_cache_requests_total",
            "Look-ups: `hit`, `miss`. Caches: `tokens` (every process), `profiles` and `products` (sales)",
            ["cache", "result"],
        );
        let entries = metrics.gauge(
            "comptoir_cache_entries",
            "What is remembered now",
            ["cache"],
        );
        Self {
            hit: requests.with([cache, "hit"]),
            miss: requests.with([cache, "miss"]),
            entries: entries.with([cache]),
        }
    }

    /// Says how much is remembered.
    pub fn holds(&self, entries: u64) {
        self.entries.set(number(entries));
    }
}
