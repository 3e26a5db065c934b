//! Under which names the program answers.

use std::net::{IpAddr, Ipv6Addr};

/// The hosts that a request may name. A page of another site that has its own name point to this computer (DNS
/// rebinding) sends that name, and is refused by it.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Whether every IP address is a right name: no rebinding goes by an address.
    any_address: bool,
}

impl Hosts {
    /// Only the names of this computer for itself, and `names`.
    pub(crate) fn loopback(names: &[String]) -> Self {
        Self { names: names.iter().map(|name| normal(name)).collect(), any_address: false }
    }

    /// Also every address.
    pub(crate) fn addresses(names: &[String]) -> Self {
        Self { any_address: true, ..Self::loopback(names) }
    }

    /// Whether a `Host` header, with or without a port, is one of them.
    pub(crate) fn allow(&self, authority: &str) -> bool {
        let Some(host) = host_of(authority) else { return false };
        let host = normal(host);
        let address = address_of(&host);
        let is_loopback = match address {
            Some(address) => address.is_loopback(),
            None => host == "localhost" || host.ends_with(".localhost"),
        };
        is_loopback || (address.is_some() && self.any_address) || self.names.contains(&host)
    }
}

/// The host of `host:port`; `None` where it is none.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rfind(']') {
        Some(end) => authority.split_at_checked(end + 1)?,
        None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.is_empty() || digits.parse::<u16>().is_ok();
    (!host.is_empty() && is_port && !host.contains('@')).then_some(host)
}

fn address_of(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

fn normal(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    host.strip_suffix('.').unwrap_or(&host).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, right: &[&str], wrong: &[&str]) {
        for host in right {
            assert!(hosts.allow(host), "{host}");
        }
        for host in wrong {
            assert!(!hosts.allow(host), "{host}");
        }
    }

    #[test]
    fn names_of_this_computer_are_right() {
        check(
            &Hosts::loopback(&["Traces.example.com".to_owned()]),
            &[
                "localhost",
                "LOCALHOST:4318",
                "localhost.:1",
                "app.localhost",
                "127.0.0.1:4318",
                "127.1.2.3",
                "[::1]:9",
                "traces.example.com:1",
            ],
            &[
                "",
                "evil.example",
                "localhost.evil.example",
                "127.0.0.1.evil.example",
                "notlocalhost",
                "192.0.2.7",
                "[2001:db8::1]:1",
                "localhost:port",
                "evil@localhost",
                "localhost@evil",
                ":4318",
                "[::1",
                "0.0.0.0",
            ],
        );
    }

    #[test]
    fn an_address_cannot_be_rebound() {
        let hosts = Hosts::addresses(&[]);
        check(
            &hosts,
            &["192.0.2.7:4318", "[2001:db8::1]:1", "localhost"],
            &["evil.example", "192.0.2.7.nip.io"],
        );
    }
}
