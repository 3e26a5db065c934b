//! The fields of a protobuf message: <https://protobuf.dev/programming-guides/encoding/>.

/// The fields of one message, in order. Places are counted from the start of the whole body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    body: &'a [u8],
    at: usize,
    end: usize,
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// Bytes, a text or a message.
    Bytes(Fields<'a>),
    /// A group, which is passed over.
    Group,
}

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The byte at which reading stopped.
    pub(super) at: usize,
    /// What is wrong there.
    pub(super) what: &'static str,
}

/// Groups that may be nested.
const MAX_GROUPS: usize = 64;

const CUT: &str = "the body ends within a field";

impl<'a> Fields<'a> {
    /// The fields of a whole body.
    pub(super) fn of(body: &'a [u8]) -> Self {
        Self { body, at: 0, end: body.len() }
    }

    /// The bytes that are left.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.body.get(self.at..self.end).unwrap_or_default()
    }

    /// The bytes that are left as text; what is not UTF-8 becomes U+FFFD.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The number and the value of the next field; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Field<'a>)>, Broken> {
        if self.at >= self.end {
            return Ok(None);
        }
        let start = self.at;
        let (number, kind) = self.tag()?;
        let value = match kind {
            3 => self.skip_group(number).map(|()| Field::Group)?,
            4 => return Err(Broken { at: start, what: "a group ends that did not begin" }),
            kind => self.plain(kind)?,
        };
        Ok(Some((number, value)))
    }

    fn tag(&mut self) -> Result<(u32, u8), Broken> {
        let start = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(Broken { at: start, what: "no field has this number" })?;
        Ok((number, (tag & 7) as u8))
    }

    fn plain(&mut self, kind: u8) -> Result<Field<'a>, Broken> {
        let start = self.at;
        Ok(match kind {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.fixed()?)),
            2 => {
                let length = self.varint()?;
                let end = usize::try_from(length).ok().and_then(|length| self.at.checked_add(length));
                let end = end.filter(|end| *end <= self.end).ok_or(Broken { at: start, what: CUT })?;
                let inner = Self { body: self.body, at: self.at, end };
                self.at = end;
                Field::Bytes(inner)
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.fixed()?)),
            _ => return Err(Broken { at: start, what: "a field of an unknown wire type" }),
        })
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let broken = Broken { at: self.at, what: CUT };
        let bytes = *self.bytes().first_chunk::<N>().ok_or(broken)?;
        self.at += N;
        Ok(bytes)
    }

    fn varint(&mut self) -> Result<u64, Broken> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = *self.bytes().first().ok_or(Broken { at: start, what: CUT })?;
            self.at += 1;
            // The tenth byte has one bit to give.
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken { at: start, what: "a number has more than ten bytes" })
    }

    fn skip_group(&mut self, number: u32) -> Result<(), Broken> {
        let mut open = vec![number];
        while let Some(innermost) = open.last().copied() {
            let start = self.at;
            let (number, kind) = self.tag()?;
            match kind {
                3 if open.len() >= MAX_GROUPS => {
                    return Err(Broken { at: start, what: "groups are nested too deep" });
                }
                3 => open.push(number),
                4 if number == innermost => drop(open.pop()),
                4 => return Err(Broken { at: start, what: "a group ends that did not begin" }),
                kind => drop(self.plain(kind)?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<Vec<u32>, Broken> {
        let (mut fields, mut numbers) = (Fields::of(body), Vec::new());
        while let Some((number, _)) = fields.next()? {
            numbers.push(number);
        }
        Ok(numbers)
    }

    #[test]
    fn fields_of_every_wire_type_are_passed_over() {
        let check = |body: &[u8], numbers: &[u32]| assert_eq!(read(body).unwrap(), numbers, "{body:?}");
        check(&[], &[]);
        check(&[0x08, 0x96, 0x01, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 1, 9, 0x25, 1, 2, 3, 4], &[1, 2, 3, 4]);
        // Groups, one in another, with fields in them.
        check(&[0x0b, 0x13, 0x08, 0x01, 0x14, 0x0c, 0x10, 0x00], &[1, 2]);
        check(&[0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00], &[(1 << 29) - 1]);
    }

    #[test]
    fn what_is_broken_says_where() {
        let check = |body: &[u8], at: usize, what: &str| {
            let broken = read(body).unwrap_err();
            assert_eq!((broken.at, broken.what.contains(what)), (at, true), "{body:?}: {broken:?}");
        };
        check(&[0x08], 1, "ends");
        check(&[0x08, 0x80], 1, "ends");
        check(&[0x08, 1, 0x1a, 5, 1, 2], 3, "ends");
        check(&[0x11, 1, 2, 3], 1, "ends");
        check(&[0x00], 0, "number");
        check(&[0x0e], 1, "wire type");
        check(&[0x0c], 0, "did not begin");
        check(&[0x0b, 0x14], 1, "did not begin");
        check(&[0x0b], 1, "ends");
        check(&[0x0b; 100], 64, "deep");
        check(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1, "ten bytes");
        check(&[0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 1, "ends");
    }
}
