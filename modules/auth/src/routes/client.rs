//! Who asks: address and program, for the throttle and the list of sessions.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use kernel::{address::client_address, problem::Problem};

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
        ready(Ok(Self {
            address: client_address(req),
            user_agent,
        }))
    }
}
