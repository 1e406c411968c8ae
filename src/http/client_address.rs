//! Where a request comes from: the other end of the connection, or, when that is a trusted proxy, the address it forwards
//! for. What anybody else says of addresses is not looked at.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

use crate::config::{Networks, client};

/// The client's address, as limits count it; none where the connection is gone already.
pub fn of(request: &HttpRequest, trusted: &Networks) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    Some(client(forwarded(peer, request.headers(), trusted)))
}

/// Proxies append whom they forward for, so the last address that no trusted proxy has is the client's.
fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    if !trusted.contains(peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for");
    let all: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    let mut nearest = peer;
    for text in all.into_iter().rev() {
        // What cannot be read was written by nobody we trust.
        let Some(address) = address(text.trim()) else {
            return nearest;
        };
        nearest = address;
        if !trusted.contains(address) {
            break;
        }
    }
    nearest
}

/// Some proxies write the port, too.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = text.parse::<std::net::SocketAddr>().ok();
    with_port.map(|both| both.ip()).or_else(|| {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        bare.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn client_of(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_str(line).unwrap(),
            );
        }
        let trusted = "10.0.0.0/8".parse().unwrap();
        forwarded(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(client_of("1.2.3.4", &["5.6.7.8"]), "1.2.3.4");
        assert_eq!(client_of("10.0.0.1", &["5.6.7.8"]), "5.6.7.8");
        assert_eq!(client_of("10.0.0.1", &[]), "10.0.0.1");
        // The client wrote the first one itself.
        assert_eq!(
            client_of("10.0.0.1", &["9.9.9.9, 5.6.7.8, 10.0.0.2"]),
            "5.6.7.8"
        );
        assert_eq!(
            client_of("10.0.0.1", &["9.9.9.9", "5.6.7.8:1234"]),
            "5.6.7.8"
        );
        assert_eq!(client_of("10.0.0.1", &["5.6.7.8, nonsense"]), "10.0.0.1");
        assert_eq!(client_of("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        assert_eq!(client_of("10.0.0.1", &["10.0.0.9"]), "10.0.0.9");
    }
}
