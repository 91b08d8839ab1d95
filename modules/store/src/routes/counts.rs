//! `/api/stocks/counts`: opened and read; `count_steps` moves them on.

use actix_web::{HttpResponse, get, post, web::Data};
use chrono::{DateTime, Utc};
use kernel::{
    auth::{Can, Permission},
    extract::{Json, Path, Query},
    idempotency::{IdempotencyHeader, IdempotencyKey},
    ids::{CountId, ProductId, StoreId},
    page::{self, Cursor, Limit, Page},
    responses::{ReadProblems, WriteProblems},
};
use serde::Deserialize;
use store_api::{CountKind, CountStatus};
use utoipa::IntoParams;

use super::narrow;
use crate::{
    Store,
    domain::count::Sight,
    dto::{CountEntryView, CountHead, CountLineView, CountView, CreateCount},
    error::Error,
    permissions::{CountJudge, CountRead, CountWrite},
    repo::{
        columns::{CountKindText, CountStatusText},
        count_sheet::{ListedLine, Which},
        counts::CountFilter,
    },
};

/// What the caller may see at that store of a blind count.
pub(super) fn sight<P: Permission>(can: &Can<P>, store: StoreId) -> Sight {
    if can.also::<CountJudge>(store) {
        Sight::Judge
    } else {
        Sight::Counter
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListCounts {
    /// Only at this store.
    store_id: Option<StoreId>,
    /// Only those that stand there.
    status: Option<CountStatus>,
    /// Only those that cover so much.
    kind: Option<CountKind>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List the counts of the stores that you may see.
#[utoipa::path(
    tag = "counts",
    operation_id = "list_counts",
    description = "The newest first, without their lines and sums.",
    security(("bearer" = [])),
    params(ListCounts),
    responses((status = 200, description = "A page of counts", body = Page<CountHead>), ReadProblems)
)]
#[get("/api/stocks/counts")]
pub(crate) async fn list_counts(
    can: Can<CountRead>,
    query: Query<ListCounts>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let after: Option<(DateTime<Utc>, CountId)> = page::after(query.cursor.as_ref())?;
    let rows = store
        .counts(CountFilter {
            scope: narrow(&can, query.store_id)?,
            status: query.status.map(CountStatusText),
            kind: query.kind.map(CountKindText),
            after,
            limit,
        })
        .await?;
    let page = Page::build(rows, limit, |row| (row.opened_at, row.id), CountHead::from);
    Ok(HttpResponse::Ok().json(page))
}

/// Open a count.
#[utoipa::path(
    tag = "counts",
    operation_id = "open_count",
    description = "Of the whole store, of a category with all below it, or of the products that \
        are named. Selling goes on. Only one open count at a time covers a product of a store: \
        409 `count-open` names the other. A full count starts with what the store has; whatever \
        else is found is added to its sheet. Only what is sellable is counted, not what is damaged. \
        A `blind` one does not show what the books say to \
        those who count.",
    security(("bearer" = [])),
    params(IdempotencyHeader),
    request_body(content = CreateCount, example = json!({
        "store_id": "0198c0de-0000-7000-8000-000000000003",
        "scope": {"kind": "category", "category_id": "0198c0de-0000-7000-8000-000000000201"},
        "blind": true,
        "note": "Before the market on Saturday"
    })),
    responses((status = 201, description = "The open count", body = CountView), WriteProblems)
)]
#[post("/api/stocks/counts")]
pub(crate) async fn open_count(
    can: Can<CountWrite>,
    key: IdempotencyKey,
    body: Json<CreateCount>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let body = body.into_inner();
    let cx = can.at(body.store_id)?;
    let answered = store.open_count(&cx, &key, body).await?;
    let location = format!("/api/stocks/counts/{}", answered.view.head.id);
    Ok(answered.created(&key, location))
}

/// Read a count.
#[utoipa::path(
    tag = "counts",
    operation_id = "get_count",
    description = "With sums over its lines.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "4150fcd7-13a3-5459-b420-62ee7911c26a")),
    responses((status = 200, description = "The count", body = CountView), ReadProblems)
)]
#[get("/api/stocks/counts/{id}")]
pub(crate) async fn get_count(
    can: Can<CountRead>,
    id: Path<CountId>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let count = store.count(id.into_inner(), can.scope()).await?;
    let sight = sight(&can, count.head.store_id);
    Ok(HttpResponse::Ok().json(CountView::new(count, sight)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListCountLines {
    /// Only these.
    #[param(inline)]
    which: Option<Which>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List the lines of a count.
#[utoipa::path(
    tag = "counts",
    operation_id = "list_count_lines",
    description = "The sheet, by SKU. Of a blind count that is not over, nobody sees what is \
        expected of a line that has no figure yet, and those who count not of any: to them \
        `which=deviating` is a 403.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "4150fcd7-13a3-5459-b420-62ee7911c26a"), ListCountLines),
    responses((status = 200, description = "A page of lines", body = Page<CountLineView>), ReadProblems)
)]
#[get("/api/stocks/counts/{id}/lines")]
pub(crate) async fn list_count_lines(
    can: Can<CountRead>,
    id: Path<CountId>,
    query: Query<ListCountLines>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let after: Option<(String, ProductId)> = page::after(query.cursor.as_ref())?;
    let id = id.into_inner();
    if query.which == Some(Which::Deviating) {
        // Asked of the count and not of what is found: that nothing deviates tells as much.
        let row = store.count(id, can.scope()).await?.head;
        if !sight(&can, row.store_id).shows_found(row.blind, row.status.0) {
            return Err(Error::CountBlind);
        }
    }
    let lines = store
        .count_lines(id, can.scope(), query.which, after, limit)
        .await?;
    let key = |listed: &ListedLine| (listed.line.sku.clone(), listed.line.product_id);
    let page = Page::build(lines, limit, key, |listed| {
        let sight = sight(&can, listed.store_id);
        CountLineView::new(listed.line, listed.blind, listed.status.0, sight)
    });
    Ok(HttpResponse::Ok().json(page))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListCountEntries {
    /// Only of this product.
    product_id: Option<ProductId>,
    /// Items on a page.
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// List what was entered in a count.
#[utoipa::path(
    tag = "counts",
    operation_id = "list_count_entries",
    description = "Who entered what, by product and in order. Entries are never changed.",
    security(("bearer" = [])),
    params(("id" = CountId, Path, description = "The count", example = "4150fcd7-13a3-5459-b420-62ee7911c26a"), ListCountEntries),
    responses((status = 200, description = "A page of entries", body = Page<CountEntryView>), ReadProblems)
)]
#[get("/api/stocks/counts/{id}/entries")]
pub(crate) async fn list_count_entries(
    can: Can<CountRead>,
    id: Path<CountId>,
    query: Query<ListCountEntries>,
    store: Data<Store>,
) -> Result<HttpResponse, Error> {
    let query = query.into_inner();
    let limit = query.limit.unwrap_or_default();
    let after: Option<(ProductId, i64)> = page::after(query.cursor.as_ref())?;
    let rows = store
        .count_entries(id.into_inner(), can.scope(), query.product_id, after, limit)
        .await?;
    let page = Page::build(
        rows,
        limit,
        |row| (row.product_id, row.seq),
        |row| {
            let sight = sight(&can, row.store_id);
            CountEntryView::new(&row, sight)
        },
    );
    Ok(HttpResponse::Ok().json(page))
}
