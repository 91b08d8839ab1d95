//! A client of the product's own API, for what runs beside it: the demo loader and the importer.
//!
//! It has no way in that a till has not. What may have been lost on the way is repeated with the
//! same idempotency key, so that a repeat never records anything twice.

mod answer;
mod error;
mod pause;
mod tokens;

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method, RequestBuilder};
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::operator::{Accounts, Failure};

pub use answer::{Answer, Page};
pub use error::{ApiError, ClientError, FieldFault};
use pause::Pauses;
use tokens::{Tokens, Way};

/// Longest wait for one answer, uploads apart.
const TIME_LIMIT: Duration = Duration::from_secs(90);
/// Longest upload with its answer.
const UPLOAD_LIMIT: Duration = Duration::from_secs(900);

/// The API of one server, as one user. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: Url,
    tokens: Arc<Tokens>,
}

impl Api {
    /// Signs in with a password.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses.
    pub async fn login(base: Url, email: &str, password: &str) -> Result<Self, Failure> {
        let http = client()?;
        let way = Way::Password {
            email: email.to_owned(),
            password: SecretString::from(password),
        };
        let tokens = Tokens::get(&http, &base, way).await?;
        Ok(Self {
            http,
            base,
            tokens: Arc::new(tokens),
        })
    }

    /// Signs in as `email` without a password, by right of whoever started this process.
    /// The first token is asked for with the first request.
    ///
    /// # Errors
    ///
    /// When no HTTP client can be built.
    pub fn for_operator(
        base: Url,
        accounts: Arc<dyn Accounts>,
        email: String,
    ) -> Result<Self, Failure> {
        let tokens = Tokens::later(Way::Operator { accounts, email });
        Ok(Self {
            http: client()?,
            base,
            tokens: Arc::new(tokens),
        })
    }

    /// The same server as another user: with the password, or without where this one has none.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn as_user(&self, email: &str, password: &str) -> Result<Self, Failure> {
        let tokens = match self.tokens.operator() {
            Some(accounts) => Tokens::later(Way::Operator {
                accounts,
                email: email.to_owned(),
            }),
            None => {
                let way = Way::Password {
                    email: email.to_owned(),
                    password: SecretString::from(password),
                };
                Tokens::get(&self.http, &self.base, way).await?
            }
        };
        Ok(Self {
            http: self.http.clone(),
            base: self.base.clone(),
            tokens: Arc::new(tokens),
        })
    }

    /// `GET path`, which begins with `/api/` and may have a query.
    ///
    /// # Errors
    ///
    /// What the API refused, or that it gave no answer.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self
            .call(Method::GET, path, |request| request.timeout(TIME_LIMIT))
            .await?;
        Ok(answer.body)
    }

    /// `POST path`; `key` is the `Idempotency-Key`.
    ///
    /// Without a key a repeat after a lost answer may find what the first try made, as a 409.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        body: &B,
    ) -> Result<Answer<T>, ClientError> {
        self.call(Method::POST, path, |request| {
            let request = request.timeout(TIME_LIMIT).json(body);
            match key {
                Some(key) => request.header("Idempotency-Key", key),
                None => request,
            }
        })
        .await
    }

    /// `POST path` with a body that is made while it is sent; `body` is called once per try.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        media_type: &'static str,
        body: impl Fn() -> reqwest::Body,
    ) -> Result<T, ClientError> {
        let answer = self
            .call(Method::POST, path, |request| {
                request
                    .timeout(UPLOAD_LIMIT)
                    .header("Content-Type", media_type)
                    .body(body())
            })
            .await?;
        Ok(answer.body)
    }

    /// Every item of a list, page by page; `path` must have a query already.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn each<T: DeserializeOwned>(
        &self,
        path: &str,
        mut item: impl FnMut(T),
    ) -> Result<(), ClientError> {
        let mut next = path.to_owned();
        loop {
            let page: Page<T> = self.get(&next).await?;
            page.items.into_iter().for_each(&mut item);
            match page.next_cursor {
                Some(cursor) => next = format!("{path}&cursor={cursor}"),
                None => return Ok(()),
            }
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer<T>, ClientError> {
        let url = self
            .base
            .join(path)
            .map_err(|e| ClientError::Token(e.into()))?;
        let mut pauses = Pauses::default();
        let mut renewed = false;
        loop {
            let token = self.tokens.current(&self.http, &self.base).await?;
            let request = self
                .http
                .request(method.clone(), url.clone())
                .bearer_auth(&token.access);
            let error = match answer::read(path, fill(request).send().await).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.status() == Some(401) && !renewed {
                renewed = true;
                self.tokens
                    .renew(&self.http, &self.base, token.generation)
                    .await?;
                continue;
            }
            match pauses.before_next(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }
}

fn client() -> Result<Client, Failure> {
    Ok(Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .build()?)
}
