//! Requests that are being answered, and those that no handler finished.

use std::time::Duration;

use actix_web::{
    App, HttpResponse,
    middleware::from_fn,
    test::{TestRequest, init_service, try_call_service},
    web,
};
use kernel::{
    frame::{Limits, frame},
    metrics::{HttpMeter, Metrics},
    route_table::RouteTable,
};

use super::Scrape;

/// How many are being answered, by whoever is one of them.
async fn count(metrics: web::Data<Metrics>) -> HttpResponse {
    let scrape = Scrape::alone(&metrics);
    let running = scrape.value("comptoir_http_requests_in_flight", &[]);
    HttpResponse::Ok().body(running.to_string())
}

async fn never() -> HttpResponse {
    std::future::pending().await
}

async fn broken() -> HttpResponse {
    panic!("on purpose")
}

/// Sends one request to a server that answers `most` at once.
async fn ask(metrics: &Metrics, path: &str, most: usize) -> Option<String> {
    let meter = HttpMeter::new(metrics, vec![("/api/sales", "sales")]);
    let routes = ["/never", "/broken"].map(|path| (path.to_owned(), Vec::new()));
    let (time, routes) = (Duration::from_millis(50), RouteTable::new(routes.to_vec()));
    let limits = Limits::new(most, time, meter, routes);
    let app = App::new()
        .app_data(web::Data::new(limits))
        .app_data(web::Data::new(metrics.clone()))
        .wrap(from_fn(frame))
        .route("/api/sales/{id}", web::get().to(count))
        .route("/health/live", web::get().to(count))
        .route("/never", web::get().to(never))
        .route("/broken", web::get().to(broken));
    let app = init_service(app).await;
    let request = TestRequest::get().uri(path).to_request();
    let response = try_call_service(&app, request).await.ok()?;
    let body = actix_web::body::to_bytes(response.into_body())
        .await
        .unwrap();
    Some(String::from_utf8(body.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_request_is_in_flight_until_it_is_answered_and_a_probe_never_is() {
    let metrics = Metrics::default();
    let in_flight = || Scrape::alone(&metrics).value("comptoir_http_requests_in_flight", &[]);
    for (path, running) in [("/api/sales/7", "1"), ("/health/live", "0")] {
        assert_eq!(ask(&metrics, path, 3).await.unwrap(), running, "{path}");
        assert_eq!(in_flight(), 0.0, "{path}");
    }
    let scrape = Scrape::alone(&metrics);
    let limit = scrape.value("comptoir_http_requests_in_flight_limit", &[]);
    assert_eq!(limit, 3.0);
    let labels = [
        ("module", "sales"),
        ("route", "/api/sales/{id}"),
        ("status", "200"),
    ];
    let answered = "comptoir_http_request_duration_seconds_count";
    assert_eq!(scrape.value(answered, &labels), 1.0);
}

#[actix_web::test]
async fn what_no_handler_finished_is_counted_by_its_cause() {
    let metrics = Metrics::default();
    let cut = |cause| {
        let scrape = Scrape::alone(&metrics);
        scrape.get("comptoir_http_requests_cut_total", &[("cause", cause)])
    };
    for (path, most, cause, status) in [
        ("/never", 1, "late", "503"),
        ("/broken", 1, "panic", "500"),
        ("/api/sales/7", 0, "overloaded", "503"),
    ] {
        ask(&metrics, path, most).await;
        assert_eq!(cut(cause), Some(1.0), "{path}");
        let scrape = Scrape::alone(&metrics);
        assert_eq!(scrape.value("comptoir_http_requests_in_flight", &[]), 0.0);
        let answered = "comptoir_http_request_duration_seconds_count";
        let route = if most == 0 { "/api/sales/{id}" } else { path };
        let labels = [("route", route), ("status", status)];
        assert_eq!(scrape.value(answered, &labels), 1.0, "{path}");
    }
}
