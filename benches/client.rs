//! As much HTTP as a bench needs: one connection that is kept.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use crate::Result;

/// A kept connection to a server on this computer.
#[derive(Debug)]
pub struct Client {
    requests: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this computer.
    pub fn new(port: u16) -> Result<Self> {
        let requests = TcpStream::connect(("127.0.0.1", port))?;
        requests.set_nodelay(true)?;
        let answers = BufReader::new(requests.try_clone()?);
        Ok(Self { requests, answers })
    }

    /// What is there, and its status.
    pub fn get(&mut self, path: &str) -> Result<(u16, Vec<u8>)> {
        write!(self.requests, "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")?;
        self.answer()
    }

    /// Sends an OTLP request in protobuf.
    pub fn post(&mut self, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>)> {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
        );
        self.requests.write_all(head.as_bytes())?;
        self.requests.write_all(body)?;
        self.answer()
    }

    fn answer(&mut self) -> Result<(u16, Vec<u8>)> {
        let (mut status, mut length, mut chunked) = (0, 0, false);
        loop {
            let line = self.line()?;
            let line = line.to_ascii_lowercase();
            if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(": ") {
                chunked |= name == "transfer-encoding" && value == "chunked";
                if name == "content-length" {
                    length = value.parse()?;
                }
            } else {
                status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
            }
        }
        let mut body = Vec::new();
        loop {
            if chunked {
                length = usize::from_str_radix(&self.line()?, 16)?;
            }
            let from = body.len();
            body.resize(from + length, 0);
            self.answers.read_exact(&mut body[from..])?;
            if chunked {
                self.line()?;
            }
            if !chunked || length == 0 {
                return Ok((status, body));
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("the server hung up".into());
        }
        Ok(line.trim_end().to_owned())
    }
}
