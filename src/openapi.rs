//! One document per module, and one merged. They are generated from the code and committed;
//! the binary serves the committed files, so that a single service can show the whole product.

use actix_web::{App, HttpResponse, web};
use kernel::{
    page::{Cursor, Limit},
    problem::{FieldError, Problem},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{SwaggerUi, Url};

use crate::process::{Module, Process};

/// Name, path and committed text of every document; the merged one comes first.
pub const DOCUMENTS: [(&str, &str, &str); 5] = [
    (
        "comptoir",
        "/openapi/comptoir.json",
        include_str!("../openapi/comptoir.json"),
    ),
    (
        "auth",
        "/openapi/auth.json",
        include_str!("../openapi/auth.json"),
    ),
    (
        "store",
        "/openapi/store.json",
        include_str!("../openapi/store.json"),
    ),
    (
        "inventory",
        "/openapi/inventory.json",
        include_str!("../openapi/inventory.json"),
    ),
    (
        "sales",
        "/openapi/sales.json",
        include_str!("../openapi/sales.json"),
    ),
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Comptoir",
        description = "Stock and sales of a chain of shops.\n\nSign in with `POST /api/auth/login`, copy `access_token`, press *Authorize*. Every error is an RFC 9457 problem. Amounts are integer minor units, quantities integer base units, times UTC.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, FieldError, Limit, Cursor)),
    modifiers(&Bearer),
)]
struct ApiDoc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Generates the document of one module, or of all that run here, as it is committed.
///
/// # Errors
///
/// When it cannot be serialised.
pub fn generate(process: &Process, only: Option<Module>) -> Result<String, serde_json::Error> {
    let mut template = ApiDoc::openapi();
    if let Some(module) = only {
        template.info.title = format!("Comptoir: {module}");
    }
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(template)
        .configure(|cfg| process.mount_public(cfg, only))
        .split_for_parts();
    document.to_pretty_json().map(|text| text + "\n")
}

/// Swagger UI at `/swagger-ui/`, and the documents at `/openapi/<name>.json`.
pub fn mount(cfg: &mut web::ServiceConfig) {
    for (_, path, text) in DOCUMENTS {
        let answer = move || async move {
            HttpResponse::Ok()
                .content_type("application/json")
                .body(text)
        };
        cfg.route(path, web::get().to(answer));
    }
    let urls = DOCUMENTS.map(|(name, path, _)| Url::new(name, path));
    let config = utoipa_swagger_ui::Config::new(urls)
        .persist_authorization(true)
        .try_it_out_enabled(true);
    cfg.service(SwaggerUi::new("/swagger-ui/{_:.*}").config(config));
    cfg.route("/swagger-ui", web::get().to(to_swagger));
    cfg.route("/", web::get().to(to_swagger));
}

async fn to_swagger() -> HttpResponse {
    HttpResponse::Found()
        .insert_header(("Location", "/swagger-ui/"))
        .finish()
}
