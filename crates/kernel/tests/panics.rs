//! A panic is counted and answered, wherever it happens. Alone in its process, which has one hook.

use std::{panic, time::Duration};

use actix_web::{App, HttpResponse, middleware::from_fn, test, web};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use kernel::{
    db::{Db, DbError, DbOptions},
    frame::{Limits, frame},
    metrics::{CLASSIC, HttpMeter, Metrics},
    migrate,
    problem::Problem,
    route_table::RouteTable,
    telemetry,
};
use testkit::TestDb;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/auth");

async fn in_a_handler() -> HttpResponse {
    panic!("on purpose")
}

async fn in_the_database(db: web::Data<Db>) -> Result<HttpResponse, Problem> {
    let work = |_: &mut _| -> Result<(), DbError> { panic!("on purpose") };
    db.run(work).await.map_err(|error| Problem::from(&error))?;
    Ok(HttpResponse::Ok().finish())
}

#[actix_web::test]
async fn a_panic_is_counted_and_answered_wherever_it_happens() {
    let database = TestDb::empty();
    migrate::up(&database.url(), "auth", MIGRATIONS).unwrap();
    let metrics = Metrics::default();
    let db = Db::connect(&DbOptions {
        url: database.url().into(),
        schema: "auth",
        pool_size: 1,
        wait: Duration::from_secs(10),
        count_statements: false,
        metrics: metrics.clone(),
    });
    let meter = HttpMeter::new(&metrics, Vec::new());
    let limits = Limits::new(9, Duration::from_secs(10), meter, RouteTable::default());
    let app = App::new()
        .app_data(web::Data::new(limits))
        .app_data(web::Data::new(db.unwrap()))
        .wrap(from_fn(frame))
        .route("/handler", web::get().to(in_a_handler))
        .route("/database", web::get().to(in_the_database));
    let app = test::init_service(app).await;
    telemetry::describe(&metrics);
    telemetry::watch_panics();
    let mut seen = Vec::new();
    for path in ["/handler", "/database", "/database"] {
        let request = test::TestRequest::get().uri(path).to_request();
        let status = match test::try_call_service(&app, request).await {
            Ok(response) => response.status(),
            Err(error) => error.error_response().status(),
        };
        let text = metrics.text(CLASSIC);
        let mut lines = text.lines();
        let counted = lines.find(|line| line.starts_with("comptoir_panics_total"));
        seen.push(format!("{} {}", status.as_u16(), counted.unwrap()));
    }
    // Or what fails below would be counted instead of shown.
    drop(panic::take_hook());
    let expected = [1, 2, 3].map(|n| format!("500 comptoir_panics_total {n}"));
    assert_eq!(seen, expected);
}
