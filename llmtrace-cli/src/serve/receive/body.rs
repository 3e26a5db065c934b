//! The body of an OTLP request: read and unpacked within bounds.

use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use flate2::read::MultiGzDecoder;
use tokio::time::timeout;

use super::kind::Packing;
use super::refusal::Refusal;
use super::room::{Full, Place};
use crate::serve::form::next_chunk;

/// Longest body, in bytes, packed or not.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// How long a body may take to come.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that are unpacked at once.
const STEP_BYTES: u64 = 256 << 10;

/// Reads a body whole; `announced` is what its length shall be.
pub(super) async fn read(
    body: Body,
    announced: Option<usize>,
    place: &mut Place,
) -> Result<Vec<u8>, Refusal> {
    if announced.is_some_and(|length| length > MAX_BYTES) {
        return Err(Refusal::too_large(MAX_BYTES));
    }
    timeout(TIMEOUT, read_all(body, place)).await.map_err(|_| Refusal::slow(TIMEOUT))?
}

async fn read_all(mut body: Body, place: &mut Place) -> Result<Vec<u8>, Refusal> {
    let mut all = Vec::new();
    while let Some(chunk) =
        next_chunk(&mut body).await.map_err(|problem| Refusal::malformed(problem.detail))?
    {
        let length = all.len() + chunk.len();
        if length > MAX_BYTES {
            return Err(Refusal::too_large(MAX_BYTES));
        }
        place.grow_to(length)?;
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

/// Unpacks a body; what unpacks to more than `max` bytes is refused as soon as it does.
pub(super) fn unpack(
    body: Vec<u8>,
    packing: Packing,
    max: usize,
    place: &mut Place,
) -> Result<Vec<u8>, Refusal> {
    if packing == Packing::Plain {
        return Ok(body);
    }
    let mut unpacked = Vec::new();
    let mut reader = MultiGzDecoder::new(body.as_slice());
    loop {
        place.grow_to(body.len() + unpacked.len())?;
        let read = reader.by_ref().take(STEP_BYTES).read_to_end(&mut unpacked);
        let read = read.map_err(|error| Refusal::malformed(format!("the body is no gzip: {error}")))?;
        if unpacked.len() > max {
            return Err(Refusal::too_large(max));
        }
        if read == 0 {
            return Ok(unpacked);
        }
    }
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Self::busy("too many large requests are under way")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::room::Room;
    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn check(body: &[u8], max: usize, expected: Result<usize, u16>) {
        let found = unpack(body.to_vec(), Packing::Gzip, max, &mut Room::new().place());
        let found = found.map(|bytes| bytes.len()).map_err(|refusal| refusal.status.as_u16());
        assert_eq!(found, expected, "{} bytes", body.len());
    }

    #[test]
    fn gzip_is_unpacked_within_bounds() {
        let million = packed(&vec![b'x'; 1_000_000]);
        check(&million, 1_000_000, Ok(1_000_000));
        check(&million, 999_999, Err(413));
        check(&[packed(b"ab"), packed(b"cd")].concat(), 10, Ok(4));
        check(&packed(b""), 0, Ok(0));
        check(&million[..million.len() / 2], 1_000_000, Err(400));
        check(b"no gzip", 10, Err(400));
        let mut torn = packed(b"text that is torn");
        let last = torn.len() - 6;
        torn[last] ^= 1;
        check(&torn, 100, Err(400));
    }

    #[test]
    fn a_bomb_is_refused_before_it_takes_memory() {
        let mebibyte = packed(&vec![0; 1 << 20]);
        let bomb = mebibyte.repeat(1_000);
        let room = Room::new();
        let refused = unpack(bomb, Packing::Gzip, MAX_BYTES, &mut room.place());
        assert_eq!(refused.map_err(|refusal| refusal.status.as_u16()), Err(413));
    }
}
