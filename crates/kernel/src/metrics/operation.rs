//! Pieces of work by their place in the code, so that nobody has to invent names for them.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Family, Histogram, Metrics};

/// A piece of work, and how long it has its connection.
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) time: Histogram,
}

/// Those of one module. A name is made once and remembered by the path that it was made from.
pub(crate) struct Operations {
    module: &'static str,
    times: Family<Histogram, 2>,
    known: RwLock<HashMap<&'static str, Arc<Operation>>>,
}

impl Operations {
    pub(crate) fn new(metrics: &Metrics, module: &'static str) -> Self {
        let times = metrics.durations(
            "comptoir_db_operation_duration_seconds",
            "Time that one piece of work had its connection: a transaction with all its statements. `operation` is its place in the code, such as `transfers.list`, and the writer of a group commit",
            ["module", "operation"],
        );
        let known = RwLock::default();
        Self {
            module,
            times,
            known,
        }
    }

    /// The work of the closure, or the writer, whose type is called `path`.
    pub(crate) fn at(&self, path: &'static str) -> Arc<Operation> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(operation) = known.get(path) {
            return operation.clone();
        }
        drop(known);
        let name = short(path);
        let labels: [Cow<'static, str>; 2] = [self.module.into(), name.clone().into()];
        let time = self.times.with(labels);
        let operation = Arc::new(Operation { name, time });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(path, operation.clone());
        operation
    }
}

/// The last two names of a path, closures apart:
/// `sales::service::record::<impl sales::Sales>::stored::{{closure}}` is `record.stored`.
/// `<store::port::Ports as store_api::Stock>::hold` is `Stock.hold`.
fn short(path: &str) -> String {
    let of_trait = path
        .strip_prefix('<')
        .and_then(|rest| rest.split_once(" as "));
    let of_trait = of_trait.map(|(_, path)| path.replacen('>', "", 1));
    let path = of_trait.as_deref().unwrap_or(path);
    let (mut flat, mut depth, mut before) = (String::new(), 0_u32, ' ');
    for letter in path.chars() {
        match letter {
            '<' => depth += 1,
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => flat.push(letter),
            _ => {}
        }
        before = letter;
    }
    let names = flat.rsplit("::");
    let mut names = names.filter(|name| !name.is_empty() && !name.contains('{'));
    let last = names.next().unwrap_or("unknown");
    match names.next() {
        Some(place) => format!("{place}.{last}"),
        None => last.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::any::type_name;

    use super::*;

    #[test]
    fn an_operation_is_named_after_its_place_in_the_code() {
        for (path, name) in [
            (
                "sales::service::record::<impl sales::Sales>::stored::{{closure}}::{{closure}}",
                "record.stored",
            ),
            (
                "kernel::relay::Relay::run_once::{{closure}}",
                "Relay.run_once",
            ),
            (
                "<store::port::Ports as store_api::Stock>::hold::{{closure}}",
                "Stock.hold",
            ),
            ("a::b::each<fn(u8) -> u8>::{{closure}}", "b.each"),
            ("a::repo::holds::due", "holds.due"),
        ] {
            assert_eq!(short(path), name);
        }
    }

    #[test]
    fn a_closure_knows_where_it_stands() {
        fn of<F: Fn()>(_: &F) -> String {
            short(type_name::<F>())
        }
        let name = of(&|| ());
        assert_eq!(name, "tests.a_closure_knows_where_it_stands");
    }
}
