#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::as_conversions, unreachable_pub)]
use std::{sync::Arc, time::Duration};
use actix_web::{App, HttpServer, web};
use async_trait::async_trait;
use inventory_api::{Catalog, ProductKey};
use kernel::{auth::{Grant, Role, Scope}, call::{Cx, NoAnswer}, db::{Db, DbOptions}, frame::{self, Limits, RouteTable}, ids::*, token::*};
use store_api::{Levels, StoreLevel};
use utoipa_actix_web::AppExt;

struct Stub;
#[async_trait]
impl Levels for Stub {
    async fn levels(&self, _: &Cx, scope: Scope, products: Vec<ProductId>) -> Result<Vec<StoreLevel>, NoAnswer> {
        if std::path::Path::new("/work/tmp-inventory/levels-down").exists() { return Err(NoAnswer::new("levels","levels","down")); }
        let stores = match scope { Scope::All => vec![StoreId(uuid::Uuid::from_u128(1)), StoreId(uuid::Uuid::from_u128(2))], Scope::Only(s) => s };
        Ok(stores.into_iter().flat_map(|s| products.iter().map(move |p| StoreLevel { store_id: s, store_code: "S".into(), store_name: "Store".into(), product_id: *p, on_hand: 5, reserved: 1, damaged: 0, incoming: 2 })).collect())
    }
}

fn token(role: Role, store: Option<u128>) -> String {
    let pem = std::fs::read("/work/tmp-inventory/key.pem").unwrap();
    let key = jsonwebtoken::EncodingKey::from_ed_pem(&pem).unwrap();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.typ = Some(TYPE.into()); header.kid = Some("k1".into());
    let now = chrono::Utc::now().timestamp();
    let claims = Claims { iss: ISSUER.into(), aud: AUDIENCE.into(), sub: UserId::new(), sid: SessionId::new(), grants: vec![Grant { role, store_id: store.map(|s| StoreId(uuid::Uuid::from_u128(s))) }], iat: now, nbf: now, exp: now + 86400 };
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

#[actix_web::main]
async fn main() {
    kernel::telemetry::init("warn,inventory=debug", false);
    let url = std::env::args().nth(1).unwrap();
    println!("{:?}", kernel::migrate::up(&url, inventory::SCHEMA, inventory::MIGRATIONS).unwrap());
    println!("down {:?}", if std::env::args().nth(2).is_some() { vec![] } else { kernel::migrate::down(&url, inventory::SCHEMA, inventory::MIGRATIONS, true).unwrap() });
    println!("{:?}", kernel::migrate::up(&url, inventory::SCHEMA, inventory::MIGRATIONS).unwrap());
    let db = Db::connect(&DbOptions { url: url.clone().into(), schema: inventory::SCHEMA, pool_size: 4, wait: Duration::from_secs(5), count_statements: true }).unwrap();
    let x = std::fs::read_to_string("/work/tmp-inventory/x.txt").unwrap();
    let keys = serde_json::from_value(serde_json::json!({"keys":[{"kty":"OKP","crv":"Ed25519","x":x.trim(),"kid":"k1","alg":"EdDSA","use":"sig"}]})).unwrap();
    let verifier = Arc::new(Verifier::new());
    verifier.refresh(&Trust { keys, ended_sessions: vec![] });
    let mut out = serde_json::Map::new();
    for role in Role::ALL { out.insert(role.as_str().into(), token(role, None).into()); out.insert(format!("{}1", role.as_str()), token(role, Some(1)).into()); }
    std::fs::write("/work/tmp-inventory/tokens.json", serde_json::to_vec(&out).unwrap()).unwrap();
    let module = inventory::Inventory::new(db.clone(), Arc::new(Stub));
    let ports = inventory::Ports::new(db.clone());
    let (stop, rx) = tokio::sync::watch::channel(false);
    let workers: Vec<_> = module.workers(vec![]).into_iter().map(|w| w.spawn(rx.clone())).collect();
    let db2 = db.clone();
    HttpServer::new(move || {
        let module = module.clone(); let ports = ports.clone(); let db = db2.clone();
        let (app, api) = App::new().into_utoipa_app().configure(|cfg| module.mount(cfg)).split_for_parts();
        std::fs::write("/work/tmp-inventory/openapi.json", api.to_pretty_json().unwrap()).unwrap();
        app.app_data(web::Data::from(verifier.clone()))
            .app_data(web::Data::new(Limits::new(100, Duration::from_secs(60))))
            .app_data(web::Data::new(RouteTable::new(vec![])))
            .default_service(web::to(frame::fallback))
            .route("/statements", web::get().to(move || { let db = db.clone(); async move { db.statements().to_string() } }))
            .route("/resolve", web::post().to(move |keys: web::Json<Vec<ProductKey>>| { let ports = ports.clone(); async move {
                match ports.resolve(&Cx::system(), keys.into_inner()).await { Ok(r) => actix_web::HttpResponse::Ok().json(r), Err(e) => actix_web::HttpResponse::BadGateway().body(e.to_string()) } } }))
    }).workers(1).bind("127.0.0.1:4711").unwrap().run().await.unwrap();
    stop.send(true).unwrap();
    for w in workers { w.await.unwrap(); }
}
