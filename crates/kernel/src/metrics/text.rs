//! The two text formats: `OpenMetrics`, and the older one that every tool reads.

use prometheus_client::{encoding::text::encode, registry::Registry};

/// The media type of `OpenMetrics`.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The media type of the older format.
pub const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn write(registry: &Registry, format: &str) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, registry);
    let mut out = String::with_capacity(text.len());
    // In the older format a counter's full name is also its family's.
    let mut counter = None;
    let lines: Vec<&str> = text.lines().collect();
    for (n, line) in lines.iter().enumerate() {
        if format == OPEN_METRICS {
            push(&mut out, line);
            continue;
        }
        if *line == "# EOF" {
            continue;
        }
        let Some(about) = line.strip_prefix("# HELP ") else {
            match (line.strip_prefix("# TYPE "), counter) {
                (Some(_), Some(name)) => push(&mut out, &format!("# TYPE {name}_total counter")),
                _ => push(&mut out, line),
            }
            continue;
        };
        let (name, help) = about.split_once(' ').unwrap_or((about, ""));
        let is_counter = lines
            .get(n + 1)
            .is_some_and(|next| *next == format!("# TYPE {name} counter"));
        counter = is_counter.then_some(name);
        let suffix = if is_counter { "_total" } else { "" };
        push(&mut out, &format!("# HELP {name}{suffix} {help}"));
    }
    out
}

/// A series without labels needs no braces.
fn push(out: &mut String, line: &str) {
    match line.split_once("{} ") {
        Some((name, value)) if !name.contains([' ', '{']) => {
            out.push_str(name);
            out.push(' ');
            out.push_str(value);
        }
        _ => out.push_str(line),
    }
    out.push('\n');
}
