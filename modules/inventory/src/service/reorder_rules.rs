//! Reorder rules: read, put one by one or many at a time, and deleted.

use std::collections::{BTreeMap, HashMap};

use diesel::PgConnection;
use kernel::{
    answers::{Answered, Asked, once, replay},
    audit::{self, Entry},
    call::Cx,
    idempotency::IdempotencyKey,
};

use crate::{
    Inventory,
    domain::reorder::Rule,
    dto::{PutRules, RuleFields, RuleOutcome, RuleProblem, RuleResult, RulesView},
    error::Error,
    repo::reorder_rules::{self, Key, RuleFilter, RuleRow},
};

/// Rules of one request at most.
const MAX_RULES: usize = 200;

impl Inventory {
    /// One more rule than the filter's limit.
    pub(crate) async fn rules(&self, filter: RuleFilter) -> Result<Vec<RuleRow>, Error> {
        self.db
            .run(move |conn| reorder_rules::list(conn, filter).map_err(Error::from))
            .await
    }

    pub(crate) async fn rule(&self, key: Key) -> Result<RuleRow, Error> {
        self.db
            .run(move |conn| reorder_rules::find(conn, key)?.ok_or(Error::NotFound("rule")))
            .await
    }

    /// Makes a rule or changes it; says which.
    pub(crate) async fn put_rule(
        &self,
        cx: &Cx,
        key: Key,
        if_match: Option<i64>,
        rule: Rule,
    ) -> Result<(RuleRow, RuleOutcome), Error> {
        let (store, product) = key;
        let stores = self
            .stores(cx, rule.source_store_id.into_iter().chain([store]))
            .await?;
        stores.open(store)?;
        if let Some(source) = rule.source_store_id {
            stores
                .check_source(source, store)
                .map_err(|detail| Error::invalid("/source_store_id", detail))?;
        }
        if !self.known(vec![product]).await?.contains_key(&product) {
            return Err(Error::NotFound("product"));
        }
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                if let Some(version) = if_match {
                    let current = reorder_rules::lock(conn, &[key])?;
                    let current = current.first().map_or(0, |row| row.version);
                    if current != version {
                        return Err(Error::VersionMismatch(current));
                    }
                }
                let put = put(conn, &cx, &BTreeMap::from([(key, rule)]))?;
                put.into_values().next().ok_or(Error::NotFound("rule"))
            })
            .await
    }

    /// Puts many rules; one that is refused does not concern the others.
    pub(crate) async fn put_rules(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: PutRules,
    ) -> Result<Answered<RulesView>, Error> {
        if !(1..=MAX_RULES).contains(&body.rules.len()) {
            return Err(Error::invalid("/rules", "must be 1 to 200 rules"));
        }
        let asked = Asked::new(key.id_for(cx.actor), &body)?;
        let (asked, stored) = self
            .db
            .run(move |conn| {
                let stored = replay::<_, Error>(conn, &asked)?;
                Ok::<_, Error>((asked, stored))
            })
            .await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        let (good, refused) = self.sort(cx, &body).await?;
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &asked, |conn| {
                    let rules = good.values().map(|f| ((f.store_id, f.product_id), f.rule));
                    let put = put(conn, &cx, &rules.collect())?;
                    Ok(answer(&body, &put, &refused))
                })
            })
            .await
    }

    /// The rules that can be put, and what is wrong with the others, by their place.
    async fn sort(
        &self,
        cx: &Cx,
        body: &PutRules,
    ) -> Result<(BTreeMap<usize, RuleFields>, BTreeMap<usize, RuleProblem>), Error> {
        let named = body.rules.iter();
        let stores = named.flat_map(|r| r.source_store_id.into_iter().chain([r.store_id]));
        let stores = self.stores(cx, stores).await?;
        let products = self
            .known(body.rules.iter().map(|r| r.product_id).collect())
            .await?;
        let (mut good, mut refused) = (BTreeMap::new(), BTreeMap::new());
        let mut seen: HashMap<Key, usize> = HashMap::new();
        for (place, rule) in body.rules.iter().enumerate() {
            let problem = |pointer: &str, detail: &str| RuleProblem {
                pointer: format!("/rules/{place}{pointer}"),
                detail: detail.to_owned(),
            };
            let fields = match rule.fields() {
                Ok(fields) => fields,
                Err(Error::Invalid(errors)) => {
                    if let Some(error) = errors.first() {
                        refused.insert(place, problem(&error.pointer, &error.detail));
                    }
                    continue;
                }
                Err(other) => return Err(other),
            };
            stores.open(fields.store_id)?;
            let source = fields.rule.source_store_id;
            let source = source.map_or(Ok(()), |s| stores.check_source(s, fields.store_id));
            let found = if seen
                .insert((fields.store_id, fields.product_id), place)
                .is_some()
            {
                Err((
                    "/product_id",
                    "has a rule at this store already in this request",
                ))
            } else if !products.contains_key(&fields.product_id) {
                Err(("/product_id", "there is no such product"))
            } else {
                source.map_err(|detail| ("/source_store_id", detail))
            };
            match found {
                Ok(()) => drop(good.insert(place, fields)),
                Err((pointer, detail)) => drop(refused.insert(place, problem(pointer, detail))),
            }
        }
        Ok((good, refused))
    }

    /// Deletes a rule.
    pub(crate) async fn delete_rule(
        &self,
        cx: &Cx,
        key: Key,
        if_match: Option<i64>,
    ) -> Result<(), Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                let rows = reorder_rules::lock(conn, &[key])?;
                let row = rows.first().ok_or(Error::NotFound("rule"))?;
                if if_match.is_some_and(|version| version != row.version) {
                    return Err(Error::VersionMismatch(row.version));
                }
                reorder_rules::delete(conn, key, row.version)?;
                let entry = Entry::new(&cx, "reorder_rule.delete", row.id).at(row.store_id);
                audit::append(conn, &[entry.change(Some(row), None)?])?;
                Ok(())
            })
            .await
    }
}

/// The one way in which rules change: made first, then locked in the order of their keys, changed
/// and noted.
fn put(
    conn: &mut PgConnection,
    cx: &Cx,
    rules: &BTreeMap<Key, Rule>,
) -> Result<BTreeMap<Key, (RuleRow, RuleOutcome)>, Error> {
    let now = kernel::time::now();
    let new = |(key, rule): (&Key, &Rule)| RuleRow::new(*key, *rule, now);
    let wanted: Vec<RuleRow> = rules.iter().map(new).collect();
    let made = reorder_rules::insert_missing(conn, &wanted, now)?;
    let mut done: BTreeMap<Key, (RuleRow, RuleOutcome)> = made
        .into_iter()
        .map(|row| (row.key(), (row, RuleOutcome::Created)))
        .collect();
    let mut entries = Vec::with_capacity(rules.len());
    for (row, _) in done.values() {
        let entry = Entry::new(cx, "reorder_rule.create", row.id).at(row.store_id);
        entries.push(entry.change(None, Some(row))?);
    }
    let there: Vec<Key> = rules
        .keys()
        .copied()
        .filter(|k| !done.contains_key(k))
        .collect();
    let mut changed = Vec::new();
    for before in reorder_rules::lock(conn, &there)? {
        let key = before.key();
        match rules.get(&key) {
            Some(rule) if *rule != before.rule() => {
                let after = RuleRow {
                    id: before.id,
                    version: before.version + 1,
                    created_at: before.created_at,
                    ..RuleRow::new(key, *rule, now)
                };
                let entry = Entry::new(cx, "reorder_rule.update", before.id).at(before.store_id);
                entries.push(entry.change(Some(&before), Some(&after))?);
                changed.push(after);
            }
            _ => drop(done.insert(key, (before, RuleOutcome::Unchanged))),
        }
    }
    if reorder_rules::update(conn, &changed, now)? != changed.len() {
        return Err(diesel::result::Error::RollbackTransaction.into());
    }
    done.extend(
        changed
            .into_iter()
            .map(|row| (row.key(), (row, RuleOutcome::Updated))),
    );
    audit::append(conn, &entries)?;
    Ok(done)
}

fn answer(
    body: &PutRules,
    put: &BTreeMap<Key, (RuleRow, RuleOutcome)>,
    refused: &BTreeMap<usize, RuleProblem>,
) -> RulesView {
    let result = |(place, rule): (usize, &crate::dto::PutRuleOf)| {
        let (store_id, product_id) = (rule.store_id, rule.product_id);
        let error = refused.get(&place).cloned();
        let stands = put.get(&(store_id, product_id)).filter(|_| error.is_none());
        RuleResult {
            store_id,
            product_id,
            status: stands.map_or(RuleOutcome::Refused, |(_, outcome)| *outcome),
            version: stands.map(|(row, _)| row.version),
            error,
        }
    };
    RulesView {
        results: body.rules.iter().enumerate().map(result).collect(),
    }
}
