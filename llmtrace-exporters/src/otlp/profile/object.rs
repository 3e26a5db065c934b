//! Small JSON objects, member by member.

/// An object on its way to a buffer.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    separator: u8,
}

impl<'a> Object<'a> {
    /// Begins an object.
    pub(super) fn begin(out: &'a mut Vec<u8>) -> Self {
        Self { out, separator: b'{' }
    }

    /// Begins a member, whose value is to be written to what it gives back. A name needs no escape.
    pub(super) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(&[self.separator, b'"']);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.separator = b',';
        self.out
    }

    /// Ends the object.
    pub(super) fn end(self) {
        self.out.extend_from_slice(if self.separator == b'{' { b"{}" } else { b"}" });
    }
}
