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
    http::{Method, StatusCode, header},
    middleware::Next,
    web,
};
use futures::FutureExt;
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    context::Request,
    problem::{CONTENT_TYPE, Problem},
};

/// Bounds of the whole server.
#[derive(Debug, Clone)]
pub struct Limits {
    in_flight: Arc<Semaphore>,
    time: Duration,
}

impl Limits {
    /// At most `in_flight` requests at once, each answered within `time` (streams apart).
    pub fn new(in_flight: usize, time: Duration) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(in_flight)),
            time,
        }
    }
}

/// The middleware: `App::wrap(from_fn(frame::frame))`, with [`Limits`] as app data.
///
/// # Errors
///
/// Never: every error becomes a problem.
pub async fn frame(
    limits: web::Data<Limits>,
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let request = Request::new(req.path(), req.headers());
    let (method, trace_id, http) = (
        req.method().clone(),
        request.trace_id.clone(),
        req.request().clone(),
    );
    let route = req
        .match_pattern()
        .unwrap_or_else(|| "unmatched".to_owned());
    // The public library functions below cannot see the request, so its context is task-local.
    let mut response = request
        .scope(async move {
            let Ok(_permit) = limits.in_flight.clone().try_acquire_owned() else {
                return ServiceResponse::new(http, full().into_response());
            };
            let run = AssertUnwindSafe(next.call(req)).catch_unwind();
            match timeout(limits.time, run).await {
                Ok(Ok(Ok(response))) => as_problem(response.map_into_boxed_body()),
                Ok(Ok(Err(error))) => {
                    as_problem(ServiceResponse::new(http, error.error_response()))
                }
                Ok(Err(_panic)) => {
                    ServiceResponse::new(http, Problem::internal(&Panicked).into_response())
                }
                Err(_late) => {
                    ServiceResponse::new(http, Problem::unavailable(&Late).into_response())
                }
            }
        })
        .await;
    let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    secure(&mut response);
    tracing::info!(%method, route, status = response.status().as_u16(), duration_ms, trace_id, "request");
    Ok(response)
}

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
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|v| v.as_bytes() == CONTENT_TYPE.as_bytes()) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let (request, _) = response.into_parts();
    let mut answer = from_status(status).into_response();
    if let Some(allow) = allow {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    ServiceResponse::new(request, answer)
}

fn from_status(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => no_route(),
        StatusCode::METHOD_NOT_ALLOWED => no_method(),
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

fn no_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-route",
        "There is nothing at this path: /swagger-ui/ shows what there is.",
    )
}

fn no_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This path does not support the method: the Allow header names those that it does.",
    )
}

fn secure(response: &mut ServiceResponse<BoxBody>) {
    let headers = response.headers_mut();
    let nosniff = header::HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static("no-store"),
        );
    }
}

/// Every path of the product with its methods, for 405 answers.
#[derive(Debug, Clone, Default)]
pub struct RouteTable(Arc<Vec<(actix_web::dev::ResourceDef, Vec<Method>)>>);

impl RouteTable {
    /// From path templates such as `/api/sales/{id}`.
    pub fn new(paths: Vec<(String, Vec<Method>)>) -> Self {
        let build =
            |(path, methods): (String, _)| (actix_web::dev::ResourceDef::new(path), methods);
        Self(Arc::new(paths.into_iter().map(build).collect()))
    }

    fn allowed(&self, path: &str) -> Vec<&'static str> {
        let names = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        names
            .iter()
            .zip(known)
            .filter(|(method, _)| {
                self.0
                    .iter()
                    .any(|(def, ms)| def.is_match(path) && ms.contains(method))
            })
            .map(|(_, name)| name)
            .collect()
    }
}

/// The default service: 405 with `Allow` where the path exists, 404 otherwise.
pub async fn fallback(req: actix_web::HttpRequest, table: web::Data<RouteTable>) -> HttpResponse {
    let allowed = table.allowed(req.path());
    if allowed.is_empty() {
        return no_route().into_response();
    }
    let mut response = no_method().into_response();
    if let Ok(value) = header::HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}
