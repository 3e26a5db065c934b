//! A server that takes OTLP requests, counts their spans and answers at once.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prost::encoding::{WireType, decode_key, decode_varint};

use crate::Result;

/// A sink in a process of its own, so that its CPU time is nobody else's.
#[derive(Debug)]
pub struct SinkProcess {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where it listens on this computer.
    pub port: u16,
}

/// What a sink got since it was last asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    /// Requests.
    pub requests: u64,
    /// Spans in them; those of compressed requests are not counted.
    pub spans: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

impl SinkProcess {
    /// Starts `program sink`.
    pub fn start(program: &Path) -> Result<Self> {
        let mut child =
            Command::new(program).arg("sink").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let orders = child.stdin.take().ok_or("no pipe to the sink")?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no pipe from the sink")?);
        let mut port = String::new();
        answers.read_line(&mut port)?;
        Ok(Self { child, orders, answers, port: port.trim().parse()? })
    }

    /// What came since the last time.
    pub fn take(&mut self) -> Result<Arrived> {
        writeln!(self.orders, "take")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let mut figures = answer.split_whitespace().map(str::parse::<u64>);
        let mut next = || figures.next().ok_or("too few figures");
        Ok(Arrived { requests: next()??, spans: next()??, bytes: next()?? })
    }
}

impl Drop for SinkProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    spans: AtomicU64,
    bytes: AtomicU64,
}

/// Says its port, then what has come for every line from the standard input.
pub fn run() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let counters = Arc::new(Counters::default());
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?.port())?;
    out.flush()?;
    let shared = Arc::clone(&counters);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(std::result::Result::ok) {
            let counters = Arc::clone(&shared);
            std::thread::spawn(move || serve(stream, &counters));
        }
    });
    for line in std::io::stdin().lock().lines() {
        line?;
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let Counters { requests, spans, bytes } = &*counters;
        writeln!(out, "{} {} {}", take(requests), take(spans), take(bytes))?;
        out.flush()?;
    }
    Ok(())
}

/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Answers the requests of one connection.
fn serve(stream: TcpStream, counters: &Counters) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut answers = stream.try_clone()?;
    let mut requests = BufReader::with_capacity(1 << 18, stream);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let (mut length, mut head, mut is_compressed) = (None, 0, false);
        loop {
            line.clear();
            head += requests.read_line(&mut line)?;
            let text = line.trim_end();
            if text.is_empty() || head > MAX_HEAD {
                break;
            }
            let Some((name, value)) = text.split_once(':') else { continue };
            is_compressed |= name.eq_ignore_ascii_case("content-encoding");
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse::<usize>()?);
            }
        }
        let Some(length) = length else { return Err("no length".into()) };
        body.resize(length, 0);
        requests.read_exact(&mut body)?;
        let spans = if is_compressed { 0 } else { spans(&body).ok_or("no OTLP")? };
        counters.spans.fetch_add(spans, Ordering::Relaxed);
        counters.bytes.fetch_add(length as u64, Ordering::Relaxed);
        counters.requests.fetch_add(1, Ordering::Relaxed);
        answers.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
        )?;
    }
}

/// Spans of an `ExportTraceServiceRequest`: items of field 2 in field 2 (scopes) in field 1 (resources).
fn spans(request: &[u8]) -> Option<u64> {
    let mut count = 0;
    each(request, 1, &mut |resource| {
        each(resource, 2, &mut |scope| {
            each(scope, 2, &mut |_| {
                count += 1;
                Some(())
            })
        })
    })?;
    Some(count)
}

/// Calls a function with each message of a field; all of a message's fields have lengths.
fn each(mut message: &[u8], field: u32, found: &mut dyn FnMut(&[u8]) -> Option<()>) -> Option<()> {
    while !message.is_empty() {
        let (number, WireType::LengthDelimited) = decode_key(&mut message).ok()? else { return None };
        let length = usize::try_from(decode_varint(&mut message).ok()?).ok()?;
        let (item, rest) = message.split_at_checked(length)?;
        if number == field {
            found(item)?;
        }
        message = rest;
    }
    Some(())
}
