//! Access tokens, renewed before they end; many requests share one renewal.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::{answer, error::ClientError, pause::Pauses};
use crate::operator::Accounts;

/// How long an operator's token is used; they live for ten minutes at most.
const OPERATOR_TOKEN: Duration = Duration::from_secs(240);

/// How a token is come by.
pub(super) enum Way {
    /// From the accounts of this process.
    Operator {
        accounts: Arc<dyn Accounts>,
        email: String,
    },
    /// By signing in.
    Password {
        email: String,
        password: SecretString,
    },
}

/// The tokens of one user.
pub(super) struct Tokens {
    way: Way,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    access: String,
    refresh: Option<String>,
    renew_at: Option<Instant>,
    generation: u64,
}

/// One access token; `generation` tells it from the ones before and after.
pub(super) struct Token {
    pub(super) access: String,
    pub(super) generation: u64,
}

#[derive(Deserialize)]
struct SignedIn {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
}

impl Tokens {
    /// Signs in now.
    pub(super) async fn get(http: &Client, base: &Url, way: Way) -> Result<Self, ClientError> {
        let tokens = Self::later(way);
        tokens.current(http, base).await?;
        Ok(tokens)
    }

    /// Signs in with the first request.
    pub(super) fn later(way: Way) -> Self {
        Self {
            way,
            state: Mutex::default(),
        }
    }

    /// The accounts of this process, where tokens come from there.
    pub(super) fn operator(&self) -> Option<Arc<dyn Accounts>> {
        match &self.way {
            Way::Operator { accounts, .. } => Some(accounts.clone()),
            Way::Password { .. } => None,
        }
    }

    /// A token that is good for a while.
    pub(super) async fn current(&self, http: &Client, base: &Url) -> Result<Token, ClientError> {
        let mut state = self.state.lock().await;
        if state.renew_at.is_none_or(|at| at <= Instant::now()) {
            *state = self.next(http, base, &state).await?;
        }
        Ok(Token {
            access: state.access.clone(),
            generation: state.generation,
        })
    }

    /// Replaces the token of this generation, unless someone else has done so.
    pub(super) async fn renew(
        &self,
        http: &Client,
        base: &Url,
        generation: u64,
    ) -> Result<(), ClientError> {
        let mut state = self.state.lock().await;
        if state.generation == generation {
            *state = self.next(http, base, &state).await?;
        }
        Ok(())
    }

    async fn next(&self, http: &Client, base: &Url, last: &State) -> Result<State, ClientError> {
        let generation = last.generation + 1;
        match &self.way {
            Way::Operator { accounts, email } => {
                let access = accounts
                    .token_for(email)
                    .await
                    .map_err(ClientError::Token)?;
                let renew_at = Some(Instant::now() + OPERATOR_TOKEN);
                Ok(State {
                    access,
                    refresh: None,
                    renew_at,
                    generation,
                })
            }
            Way::Password { email, password } => {
                if let Some(refresh) = &last.refresh {
                    let body = json!({"refresh_token": refresh});
                    // A lost answer or an ended session costs one more login, no more.
                    if let Ok(signed_in) = ask(http, base, "/api/auth/refresh", &body).await {
                        return Ok(signed_in.state(generation));
                    }
                }
                let body = json!({"email": email, "password": password.expose_secret()});
                Ok(ask(http, base, "/api/auth/login", &body)
                    .await?
                    .state(generation))
            }
        }
    }
}

impl SignedIn {
    fn state(self, generation: u64) -> State {
        // Half of its life leaves room for clocks that differ.
        let renew_at = Some(Instant::now() + Duration::from_secs(self.expires_in / 2));
        State {
            access: self.access_token,
            refresh: Some(self.refresh_token),
            renew_at,
            generation,
        }
    }
}

async fn ask(http: &Client, base: &Url, path: &str, body: &Value) -> Result<SignedIn, ClientError> {
    let url = base.join(path).map_err(|e| ClientError::Token(e.into()))?;
    let mut pauses = Pauses::default();
    loop {
        let sent = http
            .post(url.clone())
            .timeout(super::TIME_LIMIT)
            .json(body)
            .send()
            .await;
        let error = match answer::read(path, sent).await {
            Ok(answer) => return Ok(answer.body),
            Err(error) => error,
        };
        match pauses.before_next(&error) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let email = match &self.way {
            Way::Operator { email, .. } | Way::Password { email, .. } => email,
        };
        f.debug_struct("Tokens")
            .field("email", email)
            .finish_non_exhaustive()
    }
}
