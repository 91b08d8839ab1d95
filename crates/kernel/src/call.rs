//! Calls between modules, with the same meaning in one process or across HTTP: context, errors,
//! and the server half. The client half is [`peer`](crate::peer).

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, Scope, web};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    context,
    ids::UserId,
    metrics::{Calls, Metrics, Outcome},
    service_token::ServiceTokens,
    trace::{self, Traceparent},
};

/// How long a request may take unless its caller says otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// The user that work which nobody asked for (sweepers, relays, imports) is done as.
pub const SYSTEM: UserId = UserId(uuid::Uuid::nil());

/// Travels with every cross-module call: who asks, until when, and as part of which trace.
#[derive(Debug, Clone)]
pub struct Cx {
    /// The user on whose behalf the call is made.
    pub actor: UserId,
    /// After this moment nobody waits for the answer any more.
    pub deadline: Instant,
    /// 32 hexadecimal digits; empty outside a request.
    pub trace_id: String,
}

impl Cx {
    /// A context for `actor` that ends after [`DEFAULT_DEADLINE`].
    pub fn new(actor: UserId) -> Self {
        Self {
            actor,
            deadline: Instant::now() + DEFAULT_DEADLINE,
            trace_id: context::trace_id(),
        }
    }

    /// A context for work that nobody asked for.
    pub fn system() -> Self {
        Self::new(SYSTEM)
    }

    /// The time left; zero when the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// [`Cx`] on the wire: a deadline travels as the time left, because clocks differ.
#[derive(Serialize, Deserialize)]
pub(crate) struct WireCx {
    actor: UserId,
    remaining_ms: u64,
    trace_id: String,
}

impl From<&Cx> for WireCx {
    fn from(cx: &Cx) -> Self {
        Self {
            actor: cx.actor,
            remaining_ms: u64::try_from(cx.remaining().as_millis()).unwrap_or(u64::MAX),
            trace_id: cx.trace_id.clone(),
        }
    }
}

impl From<WireCx> for Cx {
    fn from(wire: WireCx) -> Self {
        let remaining = Duration::from_millis(wire.remaining_ms).min(Duration::from_secs(60));
        Self {
            actor: wire.actor,
            deadline: Instant::now() + remaining,
            trace_id: wire.trace_id,
        }
    }
}

/// Why a call to another module did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError<E: std::error::Error + 'static> {
    /// The module said no. It changed nothing, and asking again gives the same answer.
    #[error(transparent)]
    Refused(E),
    /// No answer arrived. The work may have happened: retry with the same ids, or undo it.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
}

/// No answer arrived, and what was asked for may have happened all the same.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{port}.{method}: no answer: {reason}")]
pub struct NoAnswer {
    /// The contract.
    pub port: &'static str,
    /// Its method.
    pub method: &'static str,
    /// Why, for the log.
    pub reason: String,
}

impl NoAnswer {
    /// A missing answer because of `reason`.
    pub fn new(port: &'static str, method: &'static str, reason: impl std::fmt::Display) -> Self {
        Self {
            port,
            method,
            reason: reason.to_string(),
        }
    }
}

/// A port of this process, with its calls counted as those of a remote one are.
pub struct Local<P: ?Sized> {
    name: &'static str,
    transport: &'static str,
    port: Arc<P>,
    calls: Calls,
}

impl<P: ?Sized> Local<P> {
    /// `port` under its name on the wire.
    pub fn new(name: &'static str, port: Arc<P>, metrics: &Metrics) -> Self {
        Self {
            name,
            transport: "local",
            port,
            calls: Calls::new(metrics),
        }
    }

    /// The same, where the port hands on what it is asked.
    #[must_use]
    pub fn by(self, transport: &'static str) -> Self {
        Self { transport, ..self }
    }

    /// The port itself.
    pub fn port(&self) -> &P {
        &self.port
    }

    /// Calls a method that may refuse.
    ///
    /// # Errors
    ///
    /// The method's.
    pub async fn call<T, E: std::error::Error + 'static>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, CallError<E>>>,
    ) -> Result<T, CallError<E>> {
        self.measured(method, call).await
    }

    /// Calls a method that never refuses.
    ///
    /// # Errors
    ///
    /// The method's.
    pub async fn ask<T>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, NoAnswer>>,
    ) -> Result<T, NoAnswer> {
        self.measured(method, call).await
    }

    async fn measured<T, E: Outcome>(
        &self,
        method: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let called = [self.name, method, self.transport];
        self.calls.made(called, call).await
    }
}

impl<P: ?Sized> std::fmt::Debug for Local<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Local").field(&self.name).finish()
    }
}

/// The refusal of a method that never refuses.
#[derive(Debug, thiserror::Error, Serialize)]
enum Never {}

/// Server half: `Serve::new("stock", stock).call("hold", …).into_scope()`, in an application that
/// has [`Calls`] as its data.
pub struct Serve<P: ?Sized> {
    name: &'static str,
    port: Arc<P>,
    scope: Scope,
}

impl<P: ?Sized + Send + Sync + 'static> Serve<P> {
    /// Serves `port` under `/internal/{name}`.
    pub fn new(name: &'static str, port: Arc<P>) -> Self {
        let limit = web::JsonConfig::default().limit(16 * 1_048_576);
        Self {
            name,
            port,
            scope: web::scope(&format!("/internal/{name}")).app_data(limit),
        }
    }

    /// Adds a method that never refuses.
    #[must_use]
    pub fn ask<Req, Res, F, Fut>(self, name: &'static str, f: F) -> Self
    where
        Req: DeserializeOwned + 'static,
        Res: Serialize + 'static,
        F: Fn(Arc<P>, Cx, Req) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<Res, NoAnswer>> + 'static,
    {
        self.call(name, move |port, cx, req| {
            let reply = f(port, cx, req);
            async move { reply.await.map_err(CallError::<Never>::from) }
        })
    }

    /// Adds a method that may refuse.
    #[must_use]
    pub fn call<Req, Res, E, F, Fut>(self, name: &'static str, f: F) -> Self
    where
        Req: DeserializeOwned + 'static,
        Res: Serialize + 'static,
        E: Serialize + std::error::Error + 'static,
        F: Fn(Arc<P>, Cx, Req) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<Res, CallError<E>>> + 'static,
    {
        let (port, about) = (self.port.clone(), [self.name, name]);
        let handler =
            move |http: HttpRequest, calls: web::Data<Calls>, body: web::Json<(WireCx, Req)>| {
                let (cx, req) = body.into_inner();
                let came_with = Traceparent::of(http.headers());
                let span = trace::served(about, came_with);
                let request = context::Request::new(http.path(), &span, came_with);
                let (f, port) = (f.clone(), port.clone());
                request.scope(async move {
                    // Called in the request, so that what it begins at once belongs there, too.
                    let reply = async move { f(port, cx.into(), req).await };
                    match calls.served(about, span, reply).await {
                        Ok(res) => HttpResponse::Ok().json(res),
                        Err(CallError::Refused(e)) => HttpResponse::Conflict().json(e),
                        Err(CallError::NoAnswer(e)) => {
                            let trace_id = context::trace_id();
                            tracing::error!(error = %e, trace_id, "port call failed");
                            HttpResponse::ServiceUnavailable().finish()
                        }
                    }
                })
            };
        Self {
            scope: self
                .scope
                .route(&format!("/{name}"), web::post().to(handler)),
            ..self
        }
    }

    /// The routes, to be mounted on the internal listener only.
    pub fn into_scope(self) -> Scope {
        self.scope
    }
}

/// Lets only calls with a service token for `module` through; mount around all of `/internal`.
pub fn is_service_call(req: &HttpRequest, tokens: &ServiceTokens, module: &str) -> bool {
    req.headers()
        .get(actix_web::http::header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "))
        .is_some_and(|token| tokens.accepts(token, module))
}
