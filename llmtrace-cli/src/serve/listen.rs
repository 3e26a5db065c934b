//! Where the program listens.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::str::FromStr;

use crate::failure::Failure;

/// An address to listen on: a host and a port.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listen {
    /// A name or an address, without brackets.
    pub(super) host: String,
    port: u16,
}

const EXPECTED: &str = "expected ADDRESS:PORT such as 127.0.0.1:4318, [::1]:4318 or localhost:0";

impl Listen {
    /// Binds a socket; the error says in one line what to do.
    pub(super) fn bind(&self) -> Result<TcpListener, Failure> {
        let bound = self.addresses().and_then(|addresses| TcpListener::bind(addresses.as_slice()));
        bound.map_err(|error| Failure::Wrong(format!("cannot listen on {self}: {}", self.advice(&error))))
    }

    /// Whether only programs of this computer can connect.
    pub(super) fn is_loopback(&self) -> Result<bool, Failure> {
        let addresses = self.addresses();
        let addresses = addresses
            .map_err(|error| Failure::Wrong(format!("cannot listen on {self}: {}", self.advice(&error))))?;
        Ok(addresses.iter().all(|address| address.ip().is_loopback()))
    }

    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let mut found: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        // Programs that know only one of the two protocols know this one.
        found.sort_by_key(SocketAddr::is_ipv6);
        Ok(found)
    }

    fn advice(&self, error: &io::Error) -> String {
        match error.kind() {
            ErrorKind::AddrInUse => format!(
                "the port is in use, perhaps by another llmtrace serve or a collector; \
                 --listen {}:0 takes a free one",
                Host(&self.host)
            ),
            ErrorKind::AddrNotAvailable => "this computer has no such address".to_owned(),
            ErrorKind::PermissionDenied => "ports below 1024 are for the system; choose one above".to_owned(),
            _ => error.to_string(),
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(port) = text.parse() {
            return Ok(Self { host: Ipv4Addr::LOCALHOST.to_string(), port });
        }
        let (host, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let port = port.parse().map_err(|_| EXPECTED)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_right = match bare {
            Some(address) => address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()),
            None => !host.is_empty() && !host.contains([':', '[', ']', '/', ' ']),
        };
        if is_right {
            Ok(Self { host: bare.unwrap_or(host).to_owned(), port })
        } else {
            Err(EXPECTED.to_owned())
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Host(&self.host), self.port)
    }
}

/// A host as it stands before a port.
struct Host<'a>(&'a str);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(self.0) }
    }
}

/// The URL under which a browser of this computer finds what listens on `bound`.
pub(super) fn url(bound: SocketAddr) -> String {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) | IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    format!("http://{}", SocketAddr::new(ip, bound.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), expected, "{text}");
        };
        check("127.0.0.1:4318", "127.0.0.1:4318");
        check("4318", "127.0.0.1:4318");
        check("[::1]:0", "[::1]:0");
        check("localhost:80", "localhost:80");
        check("0.0.0.0:4318", "0.0.0.0:4318");
        for wrong in ["", "localhost", ":4318", "::1:4318", "[::1]", "a:99999", "http://a:1", "[a]:1"] {
            assert_eq!(wrong.parse::<Listen>(), Err(EXPECTED.to_owned()), "{wrong}");
        }
    }

    #[test]
    fn only_addresses_of_this_computer_are_loopback() {
        let check = |text: &str, expected: bool| {
            assert_eq!(text.parse::<Listen>().unwrap().is_loopback().unwrap(), expected, "{text}");
        };
        check("127.0.0.1:1", true);
        check("127.8.8.8:1", true);
        check("[::1]:1", true);
        check("0.0.0.0:1", false);
        check("[::]:1", false);
        check("192.0.2.1:1", false);
    }
}
