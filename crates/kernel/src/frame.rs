//! What stands around every request: trace id, time limit, a cap on requests in flight, panics
//! and framework errors as problems, security headers, one log line.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{StatusCode, header, header::HeaderMap},
    middleware::Next,
    web,
};
use futures::FutureExt;
use tokio::{sync::Semaphore, time::timeout};
use tracing::{Instrument, Span};

use crate::{
    context::Request,
    metrics::{Answered, Busy, HttpMeter, method_name},
    problem::{CONTENT_TYPE, Problem},
    trace::{self, Traceparent},
};

/// Bounds of the whole server.
#[derive(Debug, Clone)]
pub struct Limits {
    in_flight: Arc<Semaphore>,
    most: usize,
    time: Duration,
    stream_time: Duration,
    meter: HttpMeter,
}

/// Bodies that are streamed may take longer: they are as long as the client's file.
const STREAMS: [&str; 2] = ["/api/inventory/imports", "/api/inventory/exports"];

/// Asked every second by whatever watches over the process. An answer is neither refused because
/// there are many others, which would have a busy process taken for a dead one, nor is it news.
const PROBES: &str = "/health/";

impl Limits {
    /// At most `in_flight` requests at once (probes apart), each answered within `time` (streams
    /// apart).
    pub fn new(in_flight: usize, time: Duration, meter: HttpMeter) -> Self {
        meter.limited_to(in_flight);
        Self {
            meter,
            in_flight: Arc::new(Semaphore::new(in_flight)),
            most: in_flight,
            time,
            stream_time: Duration::from_secs(900),
        }
    }

    /// Requests that are being answered now.
    pub fn running(&self) -> usize {
        self.most.saturating_sub(self.in_flight.available_permits())
    }

    fn time_for(&self, path: &str) -> Duration {
        let streamed = STREAMS.iter().any(|prefix| path.starts_with(prefix));
        if streamed {
            self.stream_time
        } else {
            self.time
        }
    }
}

/// The middleware: `App::wrap(from_fn(frame::frame))`, with [`Limits`] as app data.
///
/// # Errors
///
/// Only with a problem as its answer, where no handler came to one: time-out, panic.
pub async fn frame(
    limits: web::Data<Limits>,
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let time = limits.time_for(req.path());
    let meter = limits.meter.clone();
    let asked = Asked::new(&meter, &req);
    let (probe, request) = (asked.probe, asked.request.clone());
    let busy = (!probe).then(|| Busy::new(meter.in_flight()));
    // No copy of the request is kept: the router needs it for itself alone, and panics otherwise.
    // So what never came to a response leaves as an error that carries one.
    let answer = async move {
        let permit = limits.in_flight.clone().try_acquire_owned();
        if permit.is_err() && !probe {
            limits.meter.cut("overloaded");
            return Ok(req.into_response(full().into_response()));
        }
        let run = AssertUnwindSafe(next.call(req)).catch_unwind();
        match timeout(time, run).await {
            Ok(Ok(Ok(response))) => Ok(as_problem(response.map_into_boxed_body())),
            Ok(Ok(Err(error))) => Err(form(error.error_response())),
            Ok(Err(_panic)) => {
                limits.meter.cut("panic");
                Err(Problem::internal(&Panicked).into_response())
            }
            Err(_late) => {
                limits.meter.cut("late");
                Err(Problem::unavailable(&Late).into_response())
            }
        }
    };
    let mut response = request.scope(answer.instrument(asked.span.clone())).await;
    drop(busy);
    let (status, headers) = match &mut response {
        Ok(response) => (response.status(), response.headers_mut()),
        Err(response) => (response.status(), response.headers_mut()),
    };
    secure(headers);
    asked.answered(&meter, status);
    response.map_err(|response| InternalError::from_response(Unanswered, response).into())
}

/// What is told about a request: in the log, to metrics and to traces.
struct Asked {
    started: Instant,
    probe: bool,
    module: &'static str,
    method: &'static str,
    route: String,
    request: Request,
    span: Span,
}

impl Asked {
    fn new(meter: &HttpMeter, req: &ServiceRequest) -> Self {
        let started = Instant::now();
        let probe = req.path().starts_with(PROBES);
        let method = method_name(req.method());
        let route = req.match_pattern();
        let route = route.unwrap_or_else(|| "unmatched".to_owned());
        let module = meter.module_of(&route);
        let came_with = Traceparent::of(req.headers());
        let span = match probe {
            true => Span::none(),
            false => trace::request(module, method, &route, came_with),
        };
        Self {
            started,
            probe,
            module,
            method,
            route,
            request: Request::new(req.path(), &span, came_with),
            span,
        }
    }

    fn answered(self, meter: &HttpMeter, status: StatusCode) {
        let Self {
            started,
            probe,
            module,
            method,
            route,
            request,
            span,
        } = self;
        trace::answered(&span, status.as_u16());
        meter.answered(&Answered {
            module,
            route: &route,
            method,
            status,
            started,
        });
        if !probe || !status.is_success() {
            let duration_ms = (started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
            let caller = request.caller().map(|id| id.to_string());
            tracing::info!(
                target: "access", module, method, route, status = status.as_u16(), duration_ms,
                caller, trace_id = request.trace_id(), "request",
            );
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the request came to no response")]
struct Unanswered;

#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

#[derive(Debug, thiserror::Error)]
#[error("the request took longer than it may")]
struct Late;

fn full() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "overloaded",
        "Too many requests are being answered at the moment: repeat the request shortly.",
    )
    .retry_after(1)
}

/// The framework's own errors are plain text: give them the one form that clients know.
fn as_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    ServiceResponse::new(request, form(response))
}

fn form(response: HttpResponse) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|v| v.as_bytes() == CONTENT_TYPE.as_bytes()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut answer = from_status(status).into_response();
    if let Some(allow) = allow {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    answer
}

fn from_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::no_route(),
        StatusCode::METHOD_NOT_ALLOWED => Problem::no_method(&[]),
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "body-too-large", "The body is too large.")
        }
        _ if status.is_client_error() => Problem::new(
            status,
            "invalid-request",
            "The request is not valid HTTP for this route.",
        ),
        _ => Problem::new(
            status,
            "internal",
            "Something went wrong on our side. The trace id finds it in our logs.",
        ),
    }
}

fn secure(headers: &mut HeaderMap) {
    let nosniff = header::HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static("no-store"),
        );
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{App, Responder, middleware::from_fn, test, web};

    use super::*;
    use crate::metrics::Metrics;

    async fn slow() -> impl Responder {
        tokio::time::sleep(Duration::from_secs(5)).await;
        "late"
    }

    async fn broken() -> HttpResponse {
        panic!("on purpose")
    }

    async fn ask(path: &str, in_flight: usize) -> HttpResponse {
        let meter = HttpMeter::new(&Metrics::default(), Vec::new());
        let limits = Limits::new(in_flight, Duration::from_millis(50), meter);
        let app = App::new()
            .app_data(web::Data::new(limits))
            .wrap(from_fn(frame))
            .route(
                "/item/{id}",
                web::get().to(async |id: web::Path<u32>| id.to_string()),
            )
            .route("/health/live", web::get().to(HttpResponse::Ok))
            .route("/slow", web::get().to(slow))
            .route("/broken", web::get().to(broken));
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri(path).to_request();
        match test::try_call_service(&app, request).await {
            Ok(response) => response.into_parts().1.map_into_boxed_body(),
            Err(error) => error.error_response(),
        }
    }

    #[actix_web::test]
    async fn every_request_gets_an_answer_of_the_one_form() {
        for (path, in_flight, status) in [
            ("/item/7", 1, 200),
            ("/item/x", 1, 404),
            ("/nowhere", 1, 404),
            ("/slow", 1, 503),
            ("/broken", 1, 500),
            ("/item/7", 0, 503),
            ("/health/live", 0, 200),
        ] {
            let response = ask(path, in_flight).await;
            assert_eq!(response.status().as_u16(), status, "{path}");
            let headers = response.headers();
            assert!(
                headers.contains_key(header::X_CONTENT_TYPE_OPTIONS),
                "{path}"
            );
            let is_problem = headers
                .get(header::CONTENT_TYPE)
                .is_some_and(|v| v == CONTENT_TYPE);
            assert_eq!(is_problem, status != 200, "{path}");
        }
    }
}
