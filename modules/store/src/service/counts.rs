//! Opens counts and reads them; what is done to one is in [`count_steps`](super::count_steps).

use std::collections::{BTreeMap, BTreeSet};

use diesel::PgConnection;
use inventory_api::{CategoryPage, ProductKey};
use kernel::{
    answers::{self, Asked, once, replay},
    audit::{self, Entry},
    auth::Scope,
    call::Cx,
    idempotency::IdempotencyKey,
    ids::{CountId, ProductId, StoreId},
    page::Limit,
    text::Text,
};
use uuid::Uuid;

use crate::{
    Store,
    domain::count::{Refusal, Sight},
    dto::{CountHead, CountScope, CountView, CreateCount, MAX_NAMED},
    error::Error,
    events,
    repo::{
        columns::CountKindText,
        count_entries::{self, EntryRow},
        count_lines::{self, SheetProduct},
        count_sheet::{self, ListedLine, Which},
        counts::{self, Count, CountFilter, CountRow, NewCount},
        levels, stores,
    },
};

/// Lines of one count at most: posting locks the level of each for as long as it takes.
const MAX_LINES: usize = 20_000;

/// A count as it is after a request, and whether that is a stored answer.
pub(crate) type Answered = answers::Answered<CountView>;

impl Store {
    pub(crate) async fn open_count(
        &self,
        cx: &Cx,
        key: &IdempotencyKey,
        body: CreateCount,
    ) -> Result<Answered, Error> {
        let request = Asked::new(key.id_for(cx.actor), &body)?;
        let (request, stored) = self
            .db
            .run(move |conn| {
                let stored = replay::<_, Error>(conn, &request)?;
                Ok::<_, Error>((request, stored))
            })
            .await?;
        if let Some(answered) = stored {
            return Ok(answered);
        }
        let products = self.products_of(cx, body.store_id, &body.scope).await?;
        if products.len() > MAX_LINES {
            return Err(Refusal::TooLarge.into());
        }
        let cx = cx.clone();
        self.db
            .transaction(move |conn| {
                once(conn, &cx, &request, |conn| {
                    open(conn, &cx, CountId(request.id), body, products)
                })
            })
            .await
    }

    /// What is to be on the sheet.
    async fn products_of(
        &self,
        cx: &Cx,
        store: StoreId,
        scope: &CountScope,
    ) -> Result<Vec<SheetProduct>, Error> {
        match scope {
            CountScope::Full {} => {
                let most = i64::try_from(MAX_LINES + 1).unwrap_or(i64::MAX);
                let stocked = self
                    .db
                    .run(move |conn| levels::stocked(conn, store, most).map_err(Error::from))
                    .await?;
                let named = self.named(cx, &stocked).await?;
                let sheet = |id| SheetProduct::or_unknown(id, named.get(&id).cloned());
                Ok(stocked.into_iter().map(sheet).collect())
            }
            CountScope::Category { category_id } => self.in_category(cx, *category_id).await,
            CountScope::Products { product_ids } => {
                check_products(product_ids)?;
                let mut named = self.named(cx, product_ids).await?;
                let sheet = |(index, id): (usize, &ProductId)| {
                    named.remove(id).ok_or_else(|| {
                        let pointer = format!("/scope/product_ids/{index}");
                        Error::invalid(&pointer, "there is no such product")
                    })
                };
                product_ids.iter().enumerate().map(sheet).collect()
            }
        }
    }

    /// The products as the catalogue describes them.
    async fn named(
        &self,
        cx: &Cx,
        products: &[ProductId],
    ) -> Result<BTreeMap<ProductId, SheetProduct>, Error> {
        let mut named = BTreeMap::new();
        for chunk in products.chunks(MAX_NAMED) {
            let keys = chunk.iter().copied().map(ProductKey::Id).collect();
            for found in self.catalog.resolve(cx, keys).await? {
                let product = found.product;
                let sheet = SheetProduct {
                    id: product.id,
                    sku: product.sku,
                    name: product.name,
                    only_stocked: false,
                };
                named.insert(product.id, sheet);
            }
        }
        Ok(named)
    }

    /// Products that are archived are counted where there still are some.
    async fn in_category(&self, cx: &Cx, category_id: Uuid) -> Result<Vec<SheetProduct>, Error> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = CategoryPage { category_id, after };
            let Some(found) = self.catalog.in_category(cx, page).await? else {
                let detail = "there is no such category";
                return Err(Error::invalid("/scope/category_id", detail));
            };
            let last = found.last().map(|product| product.id);
            all.extend(found.into_iter().map(|product| SheetProduct {
                id: product.id,
                sku: product.sku,
                name: product.name,
                only_stocked: product.archived,
            }));
            match last {
                Some(id) if all.len() <= MAX_LINES => after = Some(id),
                _ => return Ok(all),
            }
        }
    }

    /// A count of a store in `scope`.
    pub(crate) async fn count(&self, id: CountId, scope: Scope) -> Result<Count, Error> {
        self.db
            .run(move |conn| counts::find(conn, id, &scope)?.ok_or(Error::NotFound("count")))
            .await
    }

    pub(crate) async fn counts(&self, filter: CountFilter) -> Result<Vec<CountRow>, Error> {
        self.db
            .run(move |conn| counts::list(conn, filter).map_err(Error::from))
            .await
    }

    /// Only where there are none is it asked whether there is such a count.
    pub(crate) async fn count_lines(
        &self,
        id: CountId,
        scope: Scope,
        which: Option<Which>,
        after: Option<(String, ProductId)>,
        limit: Limit,
    ) -> Result<Vec<ListedLine>, Error> {
        self.db
            .run(move |conn| {
                let lines = count_sheet::list(conn, id, &scope, which, after.as_ref(), limit)?;
                if lines.is_empty() {
                    counts::find(conn, id, &scope)?.ok_or(Error::NotFound("count"))?;
                }
                Ok(lines)
            })
            .await
    }

    /// Only where there are none is it asked whether there is such a count.
    pub(crate) async fn count_entries(
        &self,
        id: CountId,
        scope: Scope,
        product: Option<ProductId>,
        after: Option<(ProductId, i64)>,
        limit: Limit,
    ) -> Result<Vec<EntryRow>, Error> {
        self.db
            .run(move |conn| {
                let entries = count_entries::list(conn, id, &scope, product, after, limit)?;
                if entries.is_empty() {
                    counts::find(conn, id, &scope)?.ok_or(Error::NotFound("count"))?;
                }
                Ok(entries)
            })
            .await
    }
}

/// 1 to 500, no product twice.
fn check_products(products: &[ProductId]) -> Result<(), Error> {
    if !(1..=MAX_NAMED).contains(&products.len()) {
        return Err(Error::invalid(
            "/scope/product_ids",
            "must be 1 to 500 products",
        ));
    }
    let mut seen = BTreeSet::new();
    match products.iter().position(|product| !seen.insert(product)) {
        None => Ok(()),
        Some(index) => {
            let pointer = format!("/scope/product_ids/{index}");
            Err(Error::invalid(&pointer, "is named twice"))
        }
    }
}

/// Makes a count of a store that is in use, under the store's lock: of two that would cover the same
/// product at once, one is refused.
fn open(
    conn: &mut PgConnection,
    cx: &Cx,
    id: CountId,
    body: CreateCount,
    products: Vec<SheetProduct>,
) -> Result<CountView, Error> {
    let CreateCount {
        store_id,
        scope,
        blind,
        note,
    } = body;
    let pointer = "/store_id";
    let store = stores::lock(conn, store_id)?.ok_or(Error::UnknownStore { pointer })?;
    if store.archived_at.is_some() {
        return Err(Error::StoreArchived);
    }
    let full = matches!(scope, CountScope::Full {});
    let covered: Vec<ProductId> = products.iter().map(|product| product.id).collect();
    if let Some(number) = counts::covering(conn, store_id, full, &covered)? {
        return Err(Refusal::Covered { number }.into());
    }
    let note = note.map(Text::into_string);
    let new = NewCount {
        id,
        store_id,
        kind: CountKindText(scope.kind()),
        category_id: scope.category_id(),
        blind,
        note: note.as_deref(),
        actor: cx.actor,
        at: kernel::time::now(),
    };
    counts::insert(conn, &new)?;
    let lines = count_lines::add(conn, store_id, id, products)?;
    if lines == 0 && !full {
        let detail = "has no products that could be counted";
        return Err(Error::invalid("/scope/category_id", detail));
    }
    told(conn, cx, "count.open", None, id)
}

/// The one way a count is told of: noted in the trail, published where it begins or ends, and read
/// for the answer, as those see it who may do this.
pub(super) fn told(
    conn: &mut PgConnection,
    cx: &Cx,
    action: &'static str,
    before: Option<CountRow>,
    id: CountId,
) -> Result<CountView, Error> {
    let count = counts::find(conn, id, &Scope::All)?.ok_or(Error::NotFound("count"))?;
    events::count_changed(conn, &count, cx.actor)?;
    let store = count.head.store_id;
    let view = CountView::new(count, Sight::Judge);
    let before = before
        .map(|row| serde_json::to_value(CountHead::from(row)))
        .transpose()?;
    let after = serde_json::to_value(&view)?;
    let entry = Entry::new(cx, action, id).at(store);
    audit::append(conn, &[entry.change(before.as_ref(), Some(&after))?])?;
    Ok(view)
}
