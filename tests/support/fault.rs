//! A server that fails as it is told: HTTP/1.1 over plain TCP, one step of a script for each request.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the server does with a request. When the script is at its end, it answers 200.
#[derive(Clone, Debug)]
pub enum Step {
    /// Answers with a status, headers and a body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Answers 200 in chunks, after `100 Continue`.
    Chunked(Vec<u8>),
    /// Answers with this status and the request's headers as the body.
    Echo(u16),
    /// Takes the request and says nothing.
    Hang,
    /// Answers one byte at a time, and never comes to an end of the headers.
    SlowLoris,
    /// Answers with this status and a body that never ends.
    EndlessBody(u16),
    /// Answers with this status and breaks off in the body.
    ResetMidBody(u16),
    /// Sends this instead of an answer and closes the connection.
    Raw(&'static str),
    /// Closes the connection without reading the body.
    Close,
    /// Answers with this status before the body has come, and takes the rest of it without looking.
    Early(u16),
}

impl Step {
    /// Answers with a status.
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), Vec::new())
    }

    /// Answers with a status and a header.
    pub fn with_header(status: u16, name: &'static str, value: impl Into<String>) -> Self {
        Self::Answer(status, vec![(name, value.into())], Vec::new())
    }

    /// The status that the client sees; 0 if it sees none.
    fn answered(&self) -> u16 {
        match self {
            Self::Answer(status, ..)
            | Self::Echo(status)
            | Self::EndlessBody(status)
            | Self::Early(status)
            | Self::ResetMidBody(status) => *status,
            Self::Chunked(_) => 200,
            Self::Hang | Self::SlowLoris | Self::Raw(_) | Self::Close => 0,
        }
    }

    /// Answers with a status and a body.
    pub fn with_body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(status, Vec::new(), body.into())
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request line.
    pub line: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The status that it was answered with; 0 if it got no answer.
    pub answered: u16,
    /// When it was read.
    pub at: Instant,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// The server; it stops when it is dropped.
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_closed: AtomicBool,
    script: Mutex<VecDeque<Step>>,
    requests: Mutex<Vec<Request>>,
    open: Mutex<Vec<TcpStream>>,
    connections: Mutex<usize>,
}

/// Between the bytes of [`Step::SlowLoris`].
const DRIP: Duration = Duration::from_millis(5);

impl FaultServer {
    /// Listens on a free port of this computer.
    pub fn start(script: impl IntoIterator<Item = Step>) -> Self {
        let shared = Arc::new(Shared::default());
        *lock(&shared.script) = script.into_iter().collect();
        let mut server = Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), shared, acceptor: None };
        server.reopen();
        server
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Adds steps to the script.
    pub fn then(&self, steps: impl IntoIterator<Item = Step>) {
        lock(&self.shared.script).extend(steps);
    }

    /// The requests so far, in the order in which they were read.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }

    /// Closes the port and all connections: from now on they are refused.
    pub fn close(&mut self) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then leaves.
        drop(TcpStream::connect(self.address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
        for stream in lock(&self.shared.open).drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Listens on the same port again.
    ///
    /// # Panics
    ///
    /// If the port is taken meanwhile.
    #[allow(clippy::expect_used, reason = "a test cannot go on without its server")]
    pub fn reopen(&mut self) {
        let listener = TcpListener::bind(self.address).expect("the port is free");
        self.address = listener.local_addr().expect("the listener has an address");
        self.shared.is_closed.store(false, Ordering::SeqCst);
        let shared = Arc::clone(&self.shared);
        self.acceptor = Some(std::thread::spawn(move || accept(&listener, &shared)));
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_closed.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        *lock(&shared.connections) += 1;
        lock(&shared.open).extend(stream.try_clone());
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // What fails here is the client's to see.
            drop(serve(&stream, &shared));
            drop(stream.shutdown(Shutdown::Both));
        });
    }
}

/// Serves a connection until a step, or the client, closes it.
fn serve(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some((line, headers)) = read_head(&mut reader)? {
        let step = lock(&shared.script).pop_front().unwrap_or(Step::status(200));
        if matches!(step, Step::Close) {
            return Ok(());
        }
        if let Step::Early(answered) = step {
            write!(stream, "HTTP/1.1 {answered} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")?;
            stream.shutdown(Shutdown::Write)?;
            lock(&shared.requests).push(Request {
                line,
                headers,
                body: Vec::new(),
                answered,
                at: Instant::now(),
            });
            io::copy(&mut reader, &mut io::sink())?;
            return Ok(());
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let echo = lines(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answered = step.answered();
        lock(&shared.requests).push(Request { line, headers, body, answered, at: Instant::now() });
        match step {
            Step::Hang => {
                // Ends when the client has had enough, or the server stops.
                io::copy(&mut reader, &mut io::sink())?;
            }
            Step::Answer(status, headers, body) => {
                let headers = lines(headers.iter().map(|(name, value)| (*name, value.as_str())));
                answer(stream, status, &headers, &body)?;
                continue;
            }
            Step::Echo(status) => {
                answer(stream, status, "", echo.as_bytes())?;
                continue;
            }
            Step::Chunked(body) => {
                answer_in_chunks(stream, &body)?;
                continue;
            }
            Step::SlowLoris => drip(stream)?,
            Step::EndlessBody(status) => {
                write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n")?;
                while stream.write_all(&[b'x'; 4096]).is_ok() {}
            }
            Step::ResetMidBody(status) => {
                write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 1000\r\n\r\nbegin")?;
            }
            Step::Raw(text) => stream.write_all(text.as_bytes())?,
            Step::Close | Step::Early(_) => {}
        }
        return Ok(());
    }
    Ok(())
}

/// Answers one byte at a time, until the client has had enough.
fn drip(mut stream: &TcpStream) -> io::Result<()> {
    let begin = b"HTTP/1.1 200 OK\r\nx-slow: ".iter();
    for byte in begin.chain(std::iter::repeat(&b'x')) {
        stream.write_all(&[*byte])?;
        std::thread::sleep(DRIP);
    }
    Ok(())
}

fn answer_in_chunks(mut stream: &TcpStream, body: &[u8]) -> io::Result<()> {
    stream
        .write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
    for chunk in body.chunks(3) {
        write!(stream, "{:x}\r\n", chunk.len())?;
        stream.write_all(chunk)?;
        stream.write_all(b"\r\n")?;
    }
    stream.write_all(b"0\r\n\r\n")
}

/// Headers as they are sent.
fn lines<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    headers.fold(String::new(), |text, (name, value)| text + name + ": " + value + "\r\n")
}

fn answer(mut stream: &TcpStream, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    // These have no body, and no length either (RFC 9110, 8.6).
    let has_body = !matches!(status, 100..=199 | 204 | 304);
    let length = if has_body { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    write!(stream, "HTTP/1.1 {status} X\r\n{headers}{length}\r\n")?;
    if has_body {
        stream.write_all(body)?;
    }
    if (100..200).contains(&status) {
        // An answer that announces another one, which never comes.
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(())
}

/// The request line and the headers; `None` if the client has closed the connection.
#[allow(clippy::type_complexity, reason = "it is taken apart at once")]
fn read_head(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<(String, Vec<(String, String)>)>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        match header.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => return Ok(Some((line.trim_end().to_owned(), headers))),
        }
    }
}
