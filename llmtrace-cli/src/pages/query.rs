//! The state of a page that lives in its address.

use std::fmt::Write as _;

/// What stands after the `?` of an address: names and values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads it; pairs without a value are left out.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(name, value)| (decoded(name), decoded(value)));
        Self(pairs.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect())
    }

    /// The first value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All names with their values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with this one value under the name.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        self.without(&[name]).and(name, value)
    }

    /// The same with this value too.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without these names.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The same without this value of a name.
    pub(crate) fn without_value(&self, name: &str, value: &str) -> Self {
        Self(self.0.iter().filter(|(known, held)| known != name || held != value).cloned().collect())
    }

    /// The address of a page with this state.
    pub(crate) fn href(&self, path: &str) -> String {
        let mut href = path.to_owned();
        for (index, (name, value)) in self.0.iter().enumerate() {
            href.push(if index == 0 { '?' } else { '&' });
            href.push_str(&encoded(name));
            href.push('=');
            href.push_str(&encoded(value));
        }
        href
    }
}

/// A text as one segment of a path or one value of a query (RFC 3986: unreserved characters stay).
pub(crate) fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

/// The text behind percent signs; `+` is a space, as forms send it.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let check = |text: &str, href: &str| assert_eq!(Query::parse(text).href("/traces"), href);
        check("", "/traces");
        check("q=&model", "/traces");
        check("q=a+b&model=gpt-4o%2Fmini", "/traces?q=a%20b&model=gpt-4o%2Fmini");
        check("q=%3Cscript%3E&q=%22%26x%3D1", "/traces?q=%3Cscript%3E&q=%22%26x%3D1");
        check("q=100%&r=%zz&s=%E4%BD%A0", "/traces?q=100%25&r=%25zz&s=%E4%BD%A0");
        check("q=%FF", "/traces?q=%EF%BF%BD");
    }

    #[test]
    fn names_are_set_added_and_taken_out() {
        let query = Query::parse("model=a&tag=x&tag=y");
        let check = |changed: Query, href: &str| assert_eq!(changed.href(""), href);
        check(query.with("model", "b"), "?tag=x&tag=y&model=b");
        check(query.clone().and("tag", "z"), "?model=a&tag=x&tag=y&tag=z");
        check(query.without(&["tag", "model"]), "");
        check(query.without_value("tag", "x"), "?model=a&tag=y");
        assert_eq!((query.get("tag"), query.all("tag").count(), query.get("q")), (Some("x"), 2, None));
    }
}
