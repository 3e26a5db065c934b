//! A backend on 127.0.0.1, as far as the examples need one: it takes whatever is sent, and prints what arrives.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message as _;

/// Longest value that is printed, in characters.
const WIDTH: usize = 76;

/// Starts the backend and says where it is. Of each span it prints the attributes whose names begin with one of `shown`.
pub(crate) fn start(shown: &'static [&'static str]) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || talk(&stream, shown));
        }
    });
    Ok(url)
}

/// Answers the requests of one connection, one after the other.
fn talk(mut stream: &TcpStream, shown: &[&str]) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some((line, body)) = read(&mut reader)? {
        let text = match ExportTraceServiceRequest::decode(body.as_slice()) {
            Ok(request) => spans(&request, shown),
            Err(_) => format!("  {}\n", String::from_utf8_lossy(&body)),
        };
        println!("{}\n{text}", line.trim_end_matches(" HTTP/1.1"));
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")?;
    }
    Ok(())
}

/// The request line and the body.
fn read(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<(String, Vec<u8>)>> {
    let (mut first, mut line, mut length) = (None, String::new(), 0);
    while reader.read_line(&mut line)? > 0 {
        let header = line.trim().to_owned();
        line.clear();
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        } else if header.is_empty() {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            return Ok(first.map(|first| (first, body)));
        }
        first.get_or_insert(header);
    }
    Ok(None)
}

fn spans(request: &ExportTraceServiceRequest, shown: &[&str]) -> String {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    let mut lines = Vec::new();
    for span in scopes.flat_map(|scope| &scope.spans) {
        let millis = (span.end_time_unix_nano - span.start_time_unix_nano) / 1_000_000;
        lines.push(format!("  {}, {millis} ms\n", span.name));
        let is_shown = |pair: &&KeyValue| shown.iter().any(|name| pair.key.starts_with(name));
        for pair in span.attributes.iter().filter(is_shown) {
            let value = pair.value.as_ref().map(plain).unwrap_or_default();
            let short: String = value.chars().take(WIDTH).collect();
            let more = if short.len() < value.len() { "..." } else { "" };
            lines.push(format!("      {:<44} {short}{more}\n", pair.key));
        }
    }
    lines.concat()
}

fn plain(value: &AnyValue) -> String {
    match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(int)) => int.to_string(),
        Some(Value::DoubleValue(float)) => float.to_string(),
        Some(Value::BoolValue(bool)) => bool.to_string(),
        Some(Value::ArrayValue(array)) => array.values.iter().map(plain).collect::<Vec<_>>().join(", "),
        _ => String::new(),
    }
}
