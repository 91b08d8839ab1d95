//! What the operating system says about this process, as every Prometheus client names it.

use std::fs;

use super::Metrics;

/// Parts of a second in `/proc/self/stat`: 100 on every Linux there is.
const TICKS: f64 = 100.0;

/// Describes the process before every scrape. `modules`: what runs here.
pub fn describe(metrics: &Metrics, version: &'static str, modules: String) {
    let info = metrics.gauge(
        "comptoir_build_info",
        "Always 1. `modules` is what runs here, such as `auth,sales`",
        ["version", "modules"],
    );
    info.with([version.to_owned(), modules]).set(1.0);
    let cpu = metrics.seconds(
        "process_cpu_seconds_total",
        "Processor time, as every Prometheus client names it",
        [],
    );
    let gauge = |name, help| metrics.gauge(name, help, []);
    let memory = gauge("process_resident_memory_bytes", "Memory that is in use");
    let open = gauge("process_open_fds", "Open files and connections");
    let most = gauge("process_max_fds", "How many there may be");
    let threads = gauge("process_threads", "Threads");
    let start = gauge(
        "process_start_time_seconds",
        "When it started, in seconds since 1970",
    );
    // Once: when the clock is set, the process has not started anew.
    start.set([], started_at(&stat()));
    metrics.before_scrape(move || {
        let stat = stat();
        if let Some(seconds) = cpu_seconds(&stat) {
            let counter = cpu.one();
            counter
                .inner()
                .store(seconds.to_bits(), std::sync::atomic::Ordering::Relaxed);
        }
        memory.set([], resident_bytes());
        open.set([], open_fds());
        most.set([], max_fds());
        threads.set([], number(&stat, 17));
    });
}

/// The fields of `/proc/self/stat` after the name, which may hold spaces: field 3 is the first.
fn stat() -> Vec<String> {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().map(str::to_owned).collect()
}

fn number(fields: &[String], index: usize) -> Option<f64> {
    fields.get(index)?.parse().ok()
}

/// utime and stime.
fn cpu_seconds(stat: &[String]) -> Option<f64> {
    Some((number(stat, 11)? + number(stat, 12)?) / TICKS)
}

fn started_at(stat: &[String]) -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let boot = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    let boot: f64 = boot.trim().parse().ok()?;
    Some(boot + number(stat, 19)? / TICKS)
}

fn resident_bytes() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

fn open_fds() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count).ok().map(f64::from)
}

fn max_fds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::CLASSIC;

    #[test]
    fn the_process_is_described_by_what_the_system_says() {
        let metrics = Metrics::default();
        describe(&metrics, "1.2.3", "auth".to_owned());
        let text = metrics.text(CLASSIC);
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit_once(' ').unwrap().1.parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value("process_max_fds ") >= value("process_open_fds "));
        assert!(value("process_threads ") >= 1.0);
        assert!(value("process_start_time_seconds ") > 1.6e9);
        assert!(text.contains("comptoir_build_info{version=\"1.2.3\",modules=\"auth\"} 1.0"));
    }
}
