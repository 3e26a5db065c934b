//! Delivery over TLS: only to servers whose certificate is trusted.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use llmtrace::DropReason;
use llmtrace_exporters::Otlp;
use llmtrace_tests::backend::{LONG, Program, dropped};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server that takes one connection and answers one request; says what it read. Its certificate, in PEM, comes with it.
fn serve_once() -> (String, String, JoinHandle<Vec<u8>>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut reader = BufReader::new(StreamOwned::new(connection, stream));
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return Vec::new();
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let stream = reader.get_mut();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        stream.flush().unwrap();
        body
    });
    (url, made.cert.pem(), server)
}

fn program(otlp: Otlp) -> Program {
    Program::start(llmtrace::builder().exporter(otlp.timeout(LONG).retry_for(Duration::ZERO)))
}

#[test]
fn a_server_with_a_certificate_that_is_trusted_gets_the_spans() {
    let (url, certificate, server) = serve_once();
    let otlp = Otlp::new(&url).unwrap().root_certificates(certificate.as_bytes()).unwrap();
    let stats = program(otlp).deliver(2);
    assert_eq!((stats.exported, stats.last_error), (2, None));
    assert!(!server.join().unwrap().is_empty());
}

#[test]
fn a_server_with_another_certificate_gets_nothing() {
    let (url, _, server) = serve_once();
    let (_, other, _) = serve_once();
    let otlp = Otlp::new(&url).unwrap().root_certificates(other.as_bytes()).unwrap();
    let stats = program(otlp).deliver(2);
    assert_eq!((stats.exported, dropped(&stats, DropReason::ExportFailed)), (0, 2), "{stats:?}");
    assert!(server.join().unwrap().is_empty());
}
