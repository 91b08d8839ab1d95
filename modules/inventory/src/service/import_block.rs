//! One block of an import: what stands is read and locked, a plan is made, the plan is written.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use diesel::PgConnection;
use kernel::{
    audit::{self, Entry},
    call::Cx,
    money::Currency,
};

use super::save::save;
use crate::{
    Inventory,
    domain::import::{
        RowProblem,
        plan::{self, Known, MissingCategory, Plan},
        row::Draft,
    },
    error::Error,
    repo::{
        barcodes,
        categories::{self, Category},
        products, taxes,
    },
};

/// How often a block is tried when others change the same products meanwhile.
const TRIES: usize = 3;

/// What became of the rows of a block.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) problems: Vec<RowProblem>,
}

impl Inventory {
    /// Imports rows in one transaction. When someone else
    /// takes a SKU or barcode at the same moment, the block is tried again, at last row by row.
    pub(super) async fn import_block(
        &self,
        cx: &Cx,
        drafts: Vec<Draft>,
        currency: Option<Currency>,
        dry_run: bool,
    ) -> Result<Outcome, Error> {
        let drafts = Arc::new(drafts);
        for _ in 0..TRIES {
            match self.try_block(cx, drafts.clone(), currency, dry_run).await {
                Err(error) if is_race(&error) => {
                    tracing::debug!(%error, "a block of an import is tried again");
                }
                result => return result,
            }
        }
        let mut sum = Outcome::default();
        for draft in drafts.iter() {
            let alone = Arc::new(vec![draft.clone()]);
            match self.try_block(cx, alone, currency, dry_run).await {
                Ok(one) => {
                    sum.created += one.created;
                    sum.updated += one.updated;
                    sum.unchanged += one.unchanged;
                    sum.problems.extend(one.problems);
                }
                Err(error) if is_race(&error) => {
                    sum.problems
                        .push(RowProblem::new(draft.line, None, "conflict", &error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(sum)
    }

    async fn try_block(
        &self,
        cx: &Cx,
        drafts: Arc<Vec<Draft>>,
        currency: Option<Currency>,
        dry_run: bool,
    ) -> Result<Outcome, Error> {
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                products::by_index_only(conn)?;
                let known = read(conn, &drafts, dry_run)?;
                let plan = plan::plan(&drafts, known, currency, kernel::time::now());
                if !dry_run {
                    insert_categories(conn, &cx, &plan.categories)?;
                    save(conn, &cx, &plan.changes)?;
                }
                Ok(outcome(plan))
            })
            .await
    }
}

fn is_race(error: &Error) -> bool {
    matches!(
        error,
        Error::SkuTaken
            | Error::BarcodeTaken
            | Error::CategoryTaken
            | Error::UnknownCategory
            | Error::VersionMismatch(_)
    )
}

fn outcome(plan: Plan) -> Outcome {
    Outcome {
        created: plan.created,
        updated: plan.updated,
        unchanged: plan.unchanged,
        problems: plan.problems,
    }
}

/// What stands of everything that the rows name; products are locked.
fn read(conn: &mut PgConnection, drafts: &[Draft], dry_run: bool) -> Result<Known, Error> {
    let templates = drafts
        .iter()
        .filter_map(|d| d.template_sku.as_ref()?.as_ref());
    let skus: HashSet<&str> = drafts
        .iter()
        .map(|d| d.sku.as_str())
        .chain(templates.map(String::as_str))
        .collect();
    let skus: Vec<&str> = skus.into_iter().collect();
    let categories = read_categories(conn, drafts, dry_run)?;
    let named: Vec<&str> = drafts
        .iter()
        .flat_map(|d| d.barcodes.iter().flatten())
        .map(String::as_str)
        .collect();
    let mut known = Known {
        categories,
        ..Known::default()
    };
    // Barcodes before products: a product that is committed in between is then seen with its
    // barcodes, and not its barcodes without it.
    if !named.is_empty() {
        known.barcodes.extend(barcodes::owners(conn, &named)?);
    }
    let products = products::lock_by_sku(conn, &skus)?;
    for product in &products {
        let own = product.facts.barcodes.iter().cloned();
        known.barcodes.extend(own.map(|code| (code, product.id)));
    }
    if drafts
        .iter()
        .any(|d| matches!(d.template_sku, Some(Some(_))))
    {
        let ids: Vec<_> = products.iter().map(|p| p.id).collect();
        known.templates.extend(products::templates(conn, &ids)?);
    }
    let classes: HashSet<&str> = drafts
        .iter()
        .filter_map(|d| d.tax_class.as_ref()?.as_deref())
        .collect();
    if !classes.is_empty() {
        let named: Vec<&str> = classes.into_iter().collect();
        known
            .tax_classes
            .extend(taxes::known_classes(conn, &named)?);
    }
    known.products = products
        .into_iter()
        .map(|p| (p.facts.sku.clone(), p))
        .collect();
    Ok(known)
}

/// The categories on the rows' paths. When some are missing the tree is locked, and read again,
/// because they are about to be created.
fn read_categories(
    conn: &mut PgConnection,
    drafts: &[Draft],
    dry_run: bool,
) -> Result<HashMap<String, uuid::Uuid>, Error> {
    let named = drafts.iter().filter_map(|d| d.category.as_ref()?.as_ref());
    let paths: HashSet<String> = named
        .flat_map(|path| path.levels().into_iter().map(|(path, _)| path))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    if paths.is_empty() {
        return Ok(HashMap::new());
    }
    let found = categories::by_paths(conn, &paths)?;
    if found.len() == paths.len() || dry_run {
        return Ok(found.into_iter().collect());
    }
    categories::lock_tree(conn)?;
    Ok(categories::by_paths(conn, &paths)?.into_iter().collect())
}

fn insert_categories(
    conn: &mut PgConnection,
    cx: &Cx,
    missing: &[MissingCategory],
) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let now = kernel::time::now();
    let mut rows = Vec::with_capacity(missing.len());
    let mut entries = Vec::with_capacity(missing.len());
    for category in missing {
        let MissingCategory {
            id,
            parent_id,
            name,
            path,
            depth,
        } = category.clone();
        let row = Category {
            id,
            parent_id,
            name,
            path,
            depth: i32::try_from(depth).unwrap_or(i32::MAX),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        entries.push(Entry::new(cx, "category.create", id).change(None, Some(&row))?);
        rows.push(row);
    }
    categories::insert(conn, &rows)?;
    audit::append(conn, &entries)?;
    Ok(())
}
