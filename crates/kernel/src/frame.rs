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
use tracing::{Instrument, Span, field};

use crate::{
    context::Request,
    metrics::{Answered, Busy, HttpMeter, method_name},
    problem::{CONTENT_TYPE, Problem},
    route_table::RouteTable,
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
    routes: RouteTable,
}

/// Bodies that are streamed may take longer: they are as long as the client's file.
const STREAMS: [&str; 2] = ["/api/inventory/imports", "/api/inventory/exports"];

/// Asked every second by whatever watches over the process. An answer is neither refused because
/// there are many others, which would have a busy process taken for a dead one, nor is it news.
const PROBES: &str = "/health/";

impl Limits {
    /// At most `in_flight` requests at once (probes apart), each answered within `time` (streams
    /// apart). `routes` are those that can be asked for.
    pub fn new(in_flight: usize, time: Duration, meter: HttpMeter, routes: RouteTable) -> Self {
        meter.limited_to(in_flight);
        Self {
            meter,
            routes,
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
    let mut asked = Asked::new(limits.clone().into_inner(), &req);
    let (probe, request) = (asked.probe, asked.request.clone());
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
                // The hook has logged it, with its place.
                Err(from_status(StatusCode::INTERNAL_SERVER_ERROR).into_response())
            }
            Err(_late) => {
                limits.meter.cut("late");
                Err(Problem::unavailable(&Late).into_response())
            }
        }
    };
    let mut response = request.scope(answer.instrument(asked.span.clone())).await;
    match &mut response {
        Ok(response) => {
            // Cheap by now: the router has left its way through the routes there.
            asked.route = response.request().match_pattern();
            asked.status = Some(response.status());
            secure(response.headers_mut());
        }
        Err(response) => {
            asked.route = asked.route_of_path();
            asked.status = Some(response.status());
            secure(response.headers_mut());
        }
    }
    drop(asked);
    response.map_err(|response| InternalError::from_response(Unanswered, response).into())
}

/// What is told about a request: in the log, to metrics and to traces. It is told when this is
/// dropped, because the framework drops a request whose client closes the connection.
struct Asked {
    started: Instant,
    limits: Arc<Limits>,
    probe: bool,
    method: &'static str,
    request: Request,
    span: Span,
    _busy: Option<Busy>,
    route: Option<String>,
    /// `None` until there is an answer.
    status: Option<StatusCode>,
}

impl Asked {
    fn new(limits: Arc<Limits>, req: &ServiceRequest) -> Self {
        let started = Instant::now();
        let probe = req.path().starts_with(PROBES);
        let method = method_name(req.method());
        let came_with = Traceparent::of(req.headers());
        let span = match probe {
            true => Span::none(),
            false => trace::request(method, came_with),
        };
        Self {
            started,
            _busy: (!probe).then(|| Busy::new(limits.meter.in_flight())),
            limits,
            probe,
            method,
            request: Request::new(req.path(), &span, came_with),
            span,
            route: None,
            status: None,
        }
    }

    /// For what never came back from the router.
    fn route_of_path(&self) -> Option<String> {
        let template = self.limits.routes.template(self.request.path());
        template.map(str::to_owned)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let (status, meter) = (self.status, &self.limits.meter);
        let route = match status {
            Some(_) => self.route.take(),
            None => self.route_of_path(),
        };
        let route = route.as_deref().unwrap_or("unmatched");
        let (module, method) = (meter.module_of(route), self.method);
        let code = status.map(|status| status.as_u16());
        trace::answered(&self.span, module, [method, route], code);
        match status {
            Some(status) => meter.answered(&Answered {
                module,
                route,
                method,
                status,
                started: self.started,
            }),
            None if self.probe => {}
            None => meter.cut("gone"),
        }
        if self.probe && status.is_none_or(|status| status.is_success()) {
            return;
        }
        tracing::info!(
            target: "access", module, method, route, status = code,
            cut = status.is_none().then_some("gone"),
            duration_ms = (self.started.elapsed().as_secs_f64() * 1e6).round() / 1e3,
            caller = self.request.caller().map(field::display), trace_id = self.request.trace_id(),
            "request",
        );
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the request came to no response")]
struct Unanswered;

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
    use actix_web::{
        App, Responder,
        dev::{Service, ServiceFactory},
        middleware::from_fn,
        test, web,
    };

    use super::*;
    use crate::metrics::{CLASSIC, Metrics};

    async fn slow() -> impl Responder {
        tokio::time::sleep(Duration::from_secs(5)).await;
        "late"
    }

    async fn broken() -> HttpResponse {
        panic!("on purpose")
    }

    fn server(
        metrics: &Metrics,
        in_flight: usize,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let meter = HttpMeter::new(metrics, Vec::new());
        let (time, routes) = (Duration::from_millis(50), RouteTable::default());
        App::new()
            .app_data(web::Data::new(Limits::new(in_flight, time, meter, routes)))
            .wrap(from_fn(frame))
            .route(
                "/item/{id}",
                web::get().to(async |id: web::Path<u32>| id.to_string()),
            )
            .route("/health/live", web::get().to(HttpResponse::Ok))
            .route("/slow", web::get().to(slow))
            .route("/broken", web::get().to(broken))
    }

    async fn ask(metrics: &Metrics, path: &str, in_flight: usize) -> HttpResponse {
        let app = test::init_service(server(metrics, in_flight)).await;
        let request = test::TestRequest::get().uri(path).to_request();
        match test::try_call_service(&app, request).await {
            Ok(response) => response.into_parts().1.map_into_boxed_body(),
            Err(error) => error.error_response(),
        }
    }

    fn has(metrics: &Metrics, line: &str) -> bool {
        metrics.text(CLASSIC).lines().any(|said| said == line)
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
            let response = ask(&Metrics::default(), path, in_flight).await;
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

    #[actix_web::test]
    async fn a_request_whose_client_goes_away_is_counted_too() {
        let metrics = Metrics::default();
        let app = test::init_service(server(&metrics, 1)).await;
        let request = test::TestRequest::get().uri("/slow").to_request();
        let mut call = Box::pin(app.call(request));
        assert!(futures::poll!(&mut call).is_pending());
        assert!(has(&metrics, "comptoir_http_requests_in_flight 1.0"));
        drop(call);
        assert!(has(&metrics, "comptoir_http_requests_in_flight 0.0"));
        let gone = "comptoir_http_requests_cut_total{cause=\"gone\"} 1";
        assert!(has(&metrics, gone), "{}", metrics.text(CLASSIC));
    }
}
