//! Lines of spans, compressed.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::varint;

/// Compresses lines (raw DEFLATE, RFC 1951), with their length before them.
#[derive(Debug)]
pub(super) struct Packer {
    compress: Compress,
}

/// The longest chunk that is read, in bytes.
const MAX_BYTES: usize = 256 << 20;

impl Default for Packer {
    fn default() -> Self {
        Self { compress: Compress::new(Compression::fast(), false) }
    }
}

impl Packer {
    pub(super) fn pack(&mut self, lines: &[u8]) -> Vec<u8> {
        self.compress.reset();
        let mut out = Vec::with_capacity(lines.len() / 4 + 64);
        varint::put(lines.len() as u64, &mut out);
        loop {
            let read = usize::try_from(self.compress.total_in()).unwrap_or(usize::MAX);
            let rest = lines.get(read..).unwrap_or_default();
            match self.compress.compress_vec(rest, &mut out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) | Err(_) => return out,
                Ok(_) => out.reserve(out.len().max(1 << 10)),
            }
        }
    }
}

/// The lines of a chunk; `None` if it is damaged.
pub(super) fn unpack(mut data: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(varint::take(&mut data)?).ok().filter(|length| *length <= MAX_BYTES)?;
    let mut lines = Vec::with_capacity(length);
    let mut decompress = Decompress::new(false);
    let status = decompress.decompress_vec(data, &mut lines, FlushDecompress::Finish).ok()?;
    // Where the room is just enough, the end of the stream may not be seen.
    (lines.len() == length && (status == Status::StreamEnd || length > 0)).then_some(lines)
}

/// The line that starts so many bytes into a chunk.
pub(super) fn line(lines: &[u8], position: i64) -> Option<&[u8]> {
    let rest = lines.get(usize::try_from(position).ok()?..)?;
    rest.split(|byte| *byte == b'\n').next().filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        let mut packer = Packer::default();
        let noise: Vec<u8> =
            (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for lines in [b"one\ntwo\n".as_slice(), &vec![b'a'; 300_000], &noise] {
            let packed = packer.pack(lines);
            assert_eq!(unpack(&packed).as_deref(), Some(lines));
            assert_eq!(unpack(&packed[..packed.len() / 2]), None);
        }
        assert_eq!(line(b"one\ntwo\n", 4), Some(b"two".as_slice()));
        assert_eq!((line(b"one\n", 4), line(b"one\n", 40)), (None, None));
    }
}
