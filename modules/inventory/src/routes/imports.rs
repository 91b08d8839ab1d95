//! `/api/inventory/imports`

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{ConnectionType, header},
    post,
    web::{Bytes, Data, Payload},
};
use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use kernel::{
    auth::Can,
    call::Cx,
    db::DbError,
    extract::{Path, Query, discard},
    ids::UserId,
    money::Currency,
    page::{Cursor, Limit, Page, after},
    problem::Problem,
    responses::{ReadProblems, WriteProblems},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    Inventory, RowProblem,
    error::Error,
    permissions::{CatalogWrite, ImportRead},
    repo::imports::Import,
    service::imports::{ImportOptions, ImportReport, MAX_FILE_BYTES},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportQuery {
    /// Judge every row, write nothing.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
    /// For prices of rows without a currency. Without it an old product keeps its own currency,
    /// and a new one is priced in USD.
    #[param(value_type = Option<Currency>, example = "USD")]
    currency: Option<Currency>,
}

/// Import products from a CSV file.
///
/// The first line names the columns: `sku` and `name`, and any of `unit` (each, g, ml), `barcodes`
/// (separated by `|`), `category` (a path such as `GROCERY/FRZN ICE`; what is missing of it is
/// created), `price` and `cost` (decimals in major units, such as 3.49), `currency`, `price_per`,
/// `tax_rate` (a percentage such as 19 or 5.5), `tax_class` (one that there is), `template_sku`,
/// `attributes` (a JSON object of texts). Other columns are ignored and named in the answer.
///
/// Products are found by SKU, and created where there is none. A column that is not there leaves
/// what stands; an empty cell of `barcodes`, `category`, `tax_class`, `cost`, `template_sku` or
/// `attributes` clears it; other empty cells leave what stands. A row that changes nothing writes nothing. A
/// bad row fails alone, with its line and the reason. Blocks of 1,000 rows are committed by
/// themselves, so that a file that broke off can be sent again. A dry run judges each block
/// against the catalogue as it stands, not against the rows of earlier blocks.
#[utoipa::path(
    tag = "imports",
    operation_id = "import_products",
    security(("bearer" = [])),
    params(ImportQuery),
    request_body(
        content = String,
        content_type = "text/csv",
        description = "UTF-8, at most 64 MiB, read as it arrives",
        example = "sku,name,barcodes,category,price,currency,tax_rate\nAPPLE-1KG,\"Apples, loose\",2000000000015,PRODUCE/APPLES,2.99,EUR,7\n"
    ),
    responses(
        (status = 200, description = "What became of every row", body = ImportReport),
        WriteProblems,
    ),
)]
#[post("/api/inventory/imports/products")]
pub(crate) async fn import_products(
    can: Can<CatalogWrite>,
    query: Query<ImportQuery>,
    request: HttpRequest,
    mut payload: Payload,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    let cx = can.everywhere()?;
    let ImportQuery { dry_run, currency } = query.into_inner();
    let options = ImportOptions { dry_run, currency };
    let result = match check_headers(&request) {
        Ok(()) => import(&inventory, cx, options, &mut payload).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(report) => Ok(HttpResponse::Ok().json(report)),
        Err(error) => {
            discard(&mut payload, MAX_FILE_BYTES).await;
            let mut response = Problem::from(&error).into_response();
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
            Ok(response)
        }
    }
}

/// Passes the body on to a task of its own, so that an import whose client went away is still
/// closed as aborted.
async fn import(
    inventory: &Inventory,
    cx: Cx,
    options: ImportOptions,
    payload: &mut Payload,
) -> Result<ImportReport, Error> {
    let (sender, receiver) = mpsc::channel(4);
    let inventory = inventory.clone();
    let task = tokio::spawn(async move {
        let csv = Box::pin(stream::unfold(Some(receiver), part));
        inventory.import_products(&cx, csv, options).await
    });
    let mut complete = true;
    while let Some(chunk) = payload.next().await {
        let part = chunk.map_err(|e| e.to_string());
        let broken = part.is_err();
        // The import stops listening when it fails.
        if sender.send(Part::Bytes(part)).await.is_err() || broken {
            complete = false;
            break;
        }
    }
    if complete {
        // As above: a closed channel means that the answer is waiting below.
        let _closed = sender.send(Part::End).await;
    }
    drop(sender);
    task.await.map_err(|_| Error::Db(DbError::Panicked))?
}

enum Part {
    Bytes(Result<Bytes, String>),
    End,
}

type Parts = Option<mpsc::Receiver<Part>>;

/// The next part of the file. A channel that closes without [`Part::End`] is a client that went
/// away, which must not pass for the end of the file.
async fn part(parts: Parts) -> Option<(Result<Bytes, String>, Parts)> {
    let mut receiver = parts?;
    match receiver.recv().await {
        Some(Part::Bytes(bytes)) => Some((bytes, Some(receiver))),
        Some(Part::End) => None,
        None => Some((Err("the connection was closed".to_owned()), None)),
    }
}

fn check_headers(request: &HttpRequest) -> Result<(), Error> {
    let text = |name| request.headers().get(name).and_then(|v| v.to_str().ok());
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/csv") {
        return Err(Error::NotCsv);
    }
    let declared = text(header::CONTENT_LENGTH).and_then(|v| v.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > MAX_FILE_BYTES) {
        return Err(Error::FileTooLarge);
    }
    Ok(())
}

/// An import that was done, or is running.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportView {
    id: Uuid,
    actor_id: UserId,
    dry_run: bool,
    /// `running`, `finished`, or `aborted`: then blocks at the beginning of the file are imported.
    state: String,
    rows: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    failed: i64,
    ignored_columns: Vec<String>,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    /// The first 1,000; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<RowProblem>, required = false)]
    errors: Option<serde_json::Value>,
}

impl ImportView {
    fn new(import: Import, with_errors: bool) -> Self {
        let Import {
            id,
            actor_id,
            dry_run,
            state,
            rows,
            created,
            updated,
            unchanged,
            failed,
            errors,
            ignored_columns,
            started_at,
            finished_at,
        } = import;
        Self {
            id,
            actor_id,
            dry_run,
            state,
            rows,
            created,
            updated,
            unchanged,
            failed,
            ignored_columns,
            started_at,
            finished_at,
            errors: with_errors.then_some(errors),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// List imports, newest first.
#[utoipa::path(
    tag = "imports",
    operation_id = "list_imports",
    security(("bearer" = [])),
    params(ImportsQuery),
    responses((status = 200, description = "One page", body = Page<ImportView>), ReadProblems),
)]
#[get("/api/inventory/imports")]
pub(crate) async fn list_imports(
    can: Can<ImportRead>,
    query: Query<ImportsQuery>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    can.everywhere()?;
    let ImportsQuery { limit, cursor } = query.into_inner();
    let limit = limit.unwrap_or_default();
    let before = after::<Uuid>(cursor.as_ref())?;
    let found = inventory.imports(before, limit).await?;
    let page = Page::build(found, limit, |i| i.id, |i| ImportView::new(i, false));
    Ok(HttpResponse::Ok().json(page))
}

/// Read an import, with its errors.
#[utoipa::path(
    tag = "imports",
    operation_id = "get_import",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The import")),
    responses((status = 200, description = "The import", body = ImportView), ReadProblems),
)]
#[get("/api/inventory/imports/{id}")]
pub(crate) async fn get_import(
    can: Can<ImportRead>,
    id: Path<Uuid>,
    inventory: Data<Inventory>,
) -> Result<HttpResponse, actix_web::Error> {
    can.everywhere()?;
    let import = inventory.import(id.into_inner()).await?;
    Ok(HttpResponse::Ok().json(ImportView::new(import, true)))
}
