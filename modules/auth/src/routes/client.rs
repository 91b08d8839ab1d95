//! Where a request comes from, as the socket says.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use kernel::problem::Problem;

use crate::service::Client;

/// Longer ones are cut.
const MAX_USER_AGENT: usize = 200;

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = req
            .headers()
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok())
            .map(|text| {
                text.chars()
                    .filter(|c| !c.is_control())
                    .take(MAX_USER_AGENT)
                    .collect()
            });
        // Headers such as X-Forwarded-For are the client's to forge, so they count for nothing.
        let address = req.peer_addr().map(|peer| peer.ip());
        ready(Ok(Self {
            address,
            user_agent,
        }))
    }
}
