//! Where a request comes from: what the socket says, or what a gateway of ours says for it.

use std::{net::IpAddr, str::FromStr, sync::Arc};

use actix_web::{HttpRequest, web};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "X-Forwarded-For";

/// The gateways whose `X-Forwarded-For` is believed. Anyone else's is theirs to forge, and counts
/// for nothing.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

/// Not an address and not a network.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither an address nor a network such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl FromStr for TrustedProxies {
    type Err = NotANetwork;

    /// Addresses and networks, comma separated.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let network = |part: &str| {
            let address = part.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| part.parse())
                .map_err(|_| NotANetwork(part.to_owned()))
        };
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Each gateway appends whom it heard from, so the list is read from its end: the first
    /// address that is not a gateway of ours is the client. What is no address ends the reading.
    fn client(&self, socket: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut client = socket.to_canonical();
        let hops = forwarded.iter().flat_map(|line| line.split(',')).rev();
        for hop in hops {
            if !self.trust(client) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(address) => client = address.to_canonical(),
                Err(_) => break,
            }
        }
        client
    }
}

/// The address a request was made from; `None` where the listener knows no addresses. Believes
/// the [`TrustedProxies`] of the application's data.
pub fn client_address(req: &HttpRequest) -> Option<IpAddr> {
    let socket = req.peer_addr()?.ip();
    let Some(proxies) = req.app_data::<web::Data<TrustedProxies>>() else {
        return Some(socket.to_canonical());
    };
    let lines: Vec<&str> = req
        .headers()
        .get_all(FORWARDED_FOR)
        .filter_map(|line| line.to_str().ok())
        .collect();
    Some(proxies.client(socket, &lines))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(proxies: &str, socket: &str, forwarded: &[&str]) -> String {
        let proxies: TrustedProxies = proxies.parse().unwrap();
        proxies
            .client(socket.parse().unwrap(), forwarded)
            .to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_a_gateway_of_ours() {
        assert_eq!(client("", "203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        let behind = client("10.0.0.0/8", "203.0.113.9", &["198.51.100.1"]);
        assert_eq!(behind, "203.0.113.9");
    }

    #[test]
    fn the_last_address_that_is_no_gateway_is_the_client() {
        let ours = "10.0.0.0/8, 192.0.2.7";
        assert_eq!(client(ours, "10.1.2.3", &["203.0.113.9"]), "203.0.113.9");
        // The client sent a forged beginning, and a second gateway of ours is on the way.
        let forged = ["198.51.100.1, 203.0.113.9", "192.0.2.7"];
        assert_eq!(client(ours, "10.1.2.3", &forged), "203.0.113.9");
        assert_eq!(client(ours, "::ffff:10.1.2.3", &forged), "203.0.113.9");
    }

    #[test]
    fn a_request_is_read_with_the_gateways_of_its_application() {
        let proxies: TrustedProxies = "10.0.0.0/8".parse().unwrap();
        let request = || {
            TestRequest::default()
                .peer_addr(([10, 1, 2, 3], 4567).into())
                .insert_header((FORWARDED_FOR, "198.51.100.1"))
                .append_header((FORWARDED_FOR, "203.0.113.9"))
        };
        let behind = request()
            .app_data(web::Data::new(proxies))
            .to_http_request();
        assert_eq!(client_address(&behind), "203.0.113.9".parse().ok());
        let bare = request().to_http_request();
        assert_eq!(client_address(&bare), "10.1.2.3".parse().ok());
        assert_eq!(
            client_address(&TestRequest::default().to_http_request()),
            None
        );
    }

    #[test]
    fn what_is_no_address_ends_the_reading_at_the_gateway() {
        let broken = ["203.0.113.9, unknown"];
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &broken), "10.1.2.3");
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn a_bad_network_is_named() {
        let error = "10.0.0.0/8, nonsense"
            .parse::<TrustedProxies>()
            .unwrap_err();
        assert!(error.to_string().contains("nonsense"));
    }
}
