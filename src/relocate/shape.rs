//! What a schema is made of, as far as copying it goes; and what of it cannot be copied.

use tokio_postgres::{Error, Transaction};

use crate::operator::Failure;

/// A table, with what is needed to copy it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// Those that are stored and not computed, as SQL lists them.
    pub(super) columns: String,
    /// With their types, to compare.
    types: String,
    /// Tables of the schema that its foreign keys point to.
    parents: Vec<String>,
}

/// The tables of a schema by name, without the list of migrations.
pub(super) async fn of(tx: &Transaction<'_>, schema: &str) -> Result<Vec<Table>, Error> {
    let rows = tx
        .query(
            "SELECT c.relname::text, \
                 string_agg(quote_ident(attname), ', ' ORDER BY attname) FILTER (WHERE attgenerated = ''), \
                 string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attgenerated), ', ' ORDER BY attname), \
                 ARRAY(SELECT DISTINCT parent.relname::text FROM pg_constraint k \
                     JOIN pg_class parent ON parent.oid = k.confrelid \
                     WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid ORDER BY 1) \
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped \
             WHERE nspname = $1 AND relkind = 'r' AND relname <> '__diesel_schema_migrations' \
             GROUP BY c.oid, c.relname ORDER BY c.relname",
            &[&schema],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Table {
                name: row.try_get(0)?,
                columns: row.try_get(1)?,
                types: row.try_get(2)?,
                parents: row.try_get(3)?,
            })
        })
        .collect()
}

/// Refuses what no migration of ours makes, and what copying rows would therefore lose.
pub(super) async fn refuse_strange(
    tx: &Transaction<'_>,
    schema: &str,
    place: &str,
) -> Result<(), Failure> {
    let row = tx
        .query_one(
            "SELECT string_agg(what, ', ') FROM ( \
                 SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'm' THEN 'materialized view' \
                     WHEN 'p' THEN 'partitioned table' ELSE 'foreign table' END || ' ' || relname \
                     FROM pg_class WHERE relnamespace = $1::text::regnamespace AND relkind IN ('S', 'm', 'p', 'f') \
                 UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid \
                     WHERE relnamespace = $1::text::regnamespace AND NOT tgisinternal \
                 UNION ALL SELECT 'row security of ' || relname FROM pg_class \
                     WHERE relnamespace = $1::text::regnamespace AND relrowsecurity \
                 UNION ALL SELECT 'inheritance of ' || relname FROM pg_class \
                     WHERE relnamespace = $1::text::regnamespace AND relkind = 'r' \
                     AND oid IN (SELECT inhrelid FROM pg_inherits UNION SELECT inhparent FROM pg_inherits) \
                 UNION ALL SELECT 'unvalidated constraint ' || conname FROM pg_constraint \
                     WHERE connamespace = $1::text::regnamespace AND NOT convalidated \
                 UNION ALL SELECT 'foreign key ' || conname || ' to another schema' FROM pg_constraint k \
                     JOIN pg_class parent ON parent.oid = k.confrelid \
                     WHERE connamespace = $1::text::regnamespace AND parent.relnamespace <> connamespace \
             ) strange(what)",
            &[&schema],
        )
        .await
        .map_err(super::side::told(place))?;
    match row.try_get::<_, Option<String>>(0)? {
        None => Ok(()),
        Some(strange) => Err(format!(
            "{place}: {schema} holds what `comptoir move` does not know how to move: {strange}"
        )
        .into()),
    }
}

/// Parents before children, so that every foreign key finds what it points to.
pub(super) fn in_order(mut tables: Vec<Table>) -> Result<Vec<Table>, Failure> {
    let mut ordered: Vec<Table> = Vec::new();
    while !tables.is_empty() {
        let is_next =
            |table: &Table| (table.parents.iter()).all(|p| ordered.iter().any(|t| t.name == *p));
        let (next, rest): (Vec<_>, Vec<_>) = tables.into_iter().partition(is_next);
        if next.is_empty() {
            let names: Vec<_> = rest.into_iter().map(|table| table.name).collect();
            return Err(format!("foreign keys in a circle: {}", names.join(", ")).into());
        }
        ordered.extend(next);
        tables = rest;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, parents: &[&str]) -> Table {
        Table {
            name: name.into(),
            columns: "id".into(),
            types: "id uuid".into(),
            parents: parents.iter().map(|p| (*p).to_owned()).collect(),
        }
    }

    #[test]
    fn parents_come_first() {
        let tables = vec![
            table("lines", &["sales"]),
            table("refunds", &["returns"]),
            table("returns", &["lines", "sales"]),
            table("sales", &[]),
        ];
        let names: Vec<_> = in_order(tables)
            .unwrap()
            .into_iter()
            .map(|t| t.name)
            .collect();
        assert_eq!(names, ["sales", "lines", "returns", "refunds"]);
    }

    #[test]
    fn a_circle_is_refused() {
        let tables = vec![table("a", &["b"]), table("b", &["a"]), table("c", &[])];
        assert!(in_order(tables).unwrap_err().to_string().ends_with("a, b"));
    }
}
