use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use http::{HeaderMap, HeaderName, request::Parts};
use ipnetwork::IpNetwork;

use super::Problem;
use crate::identity::Identity;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request comes from: the address of the peer, or what a proxy that is known says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address that a request comes from, where the server tells its peer's.
    pub(super) fn of(parts: &Parts, identity: &Identity) -> Option<Self> {
        let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let proxies = &identity.settings().proxies;
        Some(Self::behind(proxies, peer.ip(), &parts.headers))
    }

    /// The first address, from the nearest hop outwards, that is not a known proxy. What stands
    /// further out in the header was written by strangers.
    fn behind(proxies: &[IpNetwork], peer: IpAddr, headers: &HeaderMap) -> Self {
        let mut client = peer.to_canonical();
        let is_known = |address| proxies.iter().any(|network| network.contains(address));
        let hops = headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|hop| hop.trim().parse::<IpAddr>())
            .collect::<Vec<_>>();
        for hop in hops.into_iter().rev() {
            if !is_known(client) {
                break;
            }
            match hop {
                Ok(address) => client = address.to_canonical(),
                Err(_) => break,
            }
        }
        Self(client)
    }
}

impl<S> FromRequestParts<S> for ClientAddress
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = Problem;

    /// Needs `Router::into_make_service_with_connect_info::<SocketAddr>()`.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Self::of(parts, &Identity::from_ref(state)).ok_or_else(|| {
            tracing::error!("the server does not tell where requests come from");
            Problem::internal()
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies: Vec<IpNetwork> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let ClientAddress(address) =
            ClientAddress::behind(&proxies, peer.parse().unwrap(), &headers);
        address.to_string()
    }

    #[test]
    fn only_known_proxies_are_believed() {
        assert_eq!(client(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        let known = &["10.0.0.0/8"];
        assert_eq!(client(known, "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client(known, "10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        // What the client wrote itself stands further left.
        let forged = &["203.0.113.9, 198.51.100.7"];
        assert_eq!(client(known, "10.0.0.1", forged), "198.51.100.7");
        let chain = &["203.0.113.9, 198.51.100.7", "10.0.0.2"];
        assert_eq!(client(known, "10.0.0.1", chain), "198.51.100.7");
        assert_eq!(client(known, "10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client(known, "10.0.0.1", &[]), "10.0.0.1");
    }
}
