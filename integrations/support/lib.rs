//! What the tests share: an HTTP server on 127.0.0.1 that answers as it is told, and the bodies that providers send.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub mod bodies;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the server answers.
#[derive(Debug)]
pub struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Whole(Vec<u8>),
    /// Sent one by one, each flushed; then the given end.
    Pieces(Vec<Vec<u8>>, End),
}

/// How an answer in pieces ends.
#[derive(Debug)]
pub enum End {
    /// As it should.
    Whole,
    /// With trailers.
    Trailer(&'static str),
    /// The connection breaks.
    Break,
    /// Nothing more comes until the other side of the channel is dropped.
    Wait(Receiver<()>),
}

impl Reply {
    /// One JSON document.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::whole("application/json", body)
    }

    /// A body whose length is known.
    pub fn whole(media: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: "200 OK", headers: vec![("content-type", media)], body: Body::Whole(body.into()) }
    }

    /// A body in pieces.
    pub fn pieces(media: &'static str, pieces: Vec<Vec<u8>>, end: End) -> Self {
        Self { status: "200 OK", headers: vec![("content-type", media)], body: Body::Pieces(pieces, end) }
    }

    /// Server-sent events, one piece each.
    pub fn events(events: &str) -> Self {
        Self::pieces("text/event-stream", split(events, "\n\n"), End::Whole)
    }

    /// JSON lines, one piece each.
    pub fn lines(lines: &str) -> Self {
        Self::pieces("application/x-ndjson", split(lines, "\n"), End::Whole)
    }

    /// With another status.
    pub fn status(mut self, status: &'static str) -> Self {
        self.status = status;
        self
    }

    /// With one header more.
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The parts of a text, each with the separator that ends it.
pub fn split(text: &str, separator: &str) -> Vec<Vec<u8>> {
    text.split_inclusive(separator).map(|part| part.as_bytes().to_vec()).collect()
}

/// An HTTP server on 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request as `answer` says.
    ///
    /// # Errors
    ///
    /// If no port can be opened.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || talk(stream, &*answer, &log));
            }
        });
        Ok(Self { address, seen })
    }

    /// `http://127.0.0.1:port` and `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn talk(
    mut stream: TcpStream,
    answer: &impl Fn(&Request) -> Reply,
    log: &Mutex<Vec<Request>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read(&mut reader)? {
        let reply = answer(&request);
        log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        if !write(&mut stream, reply)? {
            return Ok(());
        }
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut request = Request::default();
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    line.split(' ').nth(1).unwrap_or_default().clone_into(&mut request.target);
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().unwrap_or(0);
        }
        request.headers.push((name, value));
    }
    reader.take(length).read_to_end(&mut request.body)?;
    Ok(Some(request))
}

/// `false` once nothing more may be sent.
fn write(stream: &mut TcpStream, reply: Reply) -> io::Result<bool> {
    let mut head = format!("HTTP/1.1 {}\r\n", reply.status);
    for (name, value) in reply.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let (pieces, end) = match reply.body {
        Body::Whole(body) => {
            stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes())?;
            stream.write_all(&body)?;
            return Ok(true);
        }
        Body::Pieces(pieces, end) => (pieces, end),
    };
    stream.write_all(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes())?;
    for piece in pieces {
        stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
        stream.write_all(&piece)?;
        stream.write_all(b"\r\n")?;
        stream.flush()?;
    }
    match end {
        End::Whole => stream.write_all(b"0\r\n\r\n")?,
        End::Trailer(trailer) => stream.write_all(format!("0\r\n{trailer}\r\n\r\n").as_bytes())?,
        End::Break => return Ok(false),
        End::Wait(until) => {
            let _ = until.recv();
            return Ok(false);
        }
    }
    Ok(true)
}
