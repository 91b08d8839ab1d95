//! The contract that other modules see; it only delegates.

use async_trait::async_trait;
use auth_api::Sessions;
use kernel::{
    call::{Cx, NoAnswer},
    token::Trust,
};

use crate::Auth;

#[async_trait]
impl Sessions for Auth {
    async fn trust(&self, _cx: &Cx) -> Result<Trust, NoAnswer> {
        Self::trust(self)
            .await
            .map_err(|e| NoAnswer::new("sessions", "trust", e))
    }
}
