//! The one way in which products change: row, barcodes, history of the cost, audit and event together.

use std::collections::HashSet;

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    outbox,
};

use crate::{
    domain::product::{Change, Product},
    error::Error,
    events,
    repo::{barcodes, costs, products},
};

/// Writes `changes`, each of another product. The rows of changed products must be locked.
pub(crate) fn save(conn: &mut PgConnection, cx: &Cx, changes: &[Change]) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let after: Vec<&Product> = changes.iter().map(|c| &c.after).collect();
    let written = products::save(conn, &after)?;
    if let (Some(first), true) = (changes.first(), written != changes.len()) {
        return Err(match first.before {
            None => Error::IdTaken,
            Some(_) => Error::VersionMismatch(first.after.version),
        });
    }
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for Change { before, after } in changes {
        let old = before.as_ref().map_or(&[][..], |b| &b.facts.barcodes);
        let (old_set, new_set): (HashSet<&String>, HashSet<&String>) =
            (old.iter().collect(), after.facts.barcodes.iter().collect());
        removed.extend(old_set.difference(&new_set).map(|b| b.as_str()));
        added.extend(new_set.difference(&old_set).map(|b| (b.as_str(), after.id)));
    }
    costs::note(conn, changes)?;
    // Everyone takes barcodes in the same order, so that two blocks cannot wait for each other.
    added.sort_unstable();
    barcodes::replace(conn, &removed, &added)?;
    let mut entries = Vec::with_capacity(changes.len());
    let mut published = Vec::with_capacity(changes.len());
    for Change { before, after } in changes {
        let action = action(before.as_ref(), after);
        let entry = Entry::new(cx, action, after.id);
        entries.push(entry.change(before.as_ref(), Some(after))?);
        published.push(events::product_changed(cx, after)?);
    }
    audit::append(conn, &entries)?;
    outbox::publish(conn, &published)?;
    Ok(())
}

fn action(before: Option<&Product>, after: &Product) -> &'static str {
    match before.map(|b| b.archived_at.is_some()) {
        None => "product.create",
        Some(false) if after.archived_at.is_some() => "product.archive",
        Some(true) if after.archived_at.is_none() => "product.restore",
        Some(_) => "product.update",
    }
}
