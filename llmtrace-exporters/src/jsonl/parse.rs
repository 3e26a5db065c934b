//! JSON text, read exactly: integers keep all their digits and floats all their bits.

use std::borrow::Cow;

use llmtrace::Value;
use serde_json::{Map, Number};

use super::encode::text_run;

/// Containers that may be nested.
const MAX_NESTING: usize = 128;

/// Reads one JSON text from its start.
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    pub(crate) what: &'static str,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// An error at the present place.
    pub(crate) fn error(&self, what: &'static str) -> SyntaxError {
        let what = if self.at >= self.text.len() { "the text ends" } else { what };
        SyntaxError { at: self.at, what }
    }

    /// Fails unless only white space is left.
    pub(crate) fn end(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("something follows the value")),
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += blank;
        rest.get(blank).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Passes over a `null`, if one is next.
    pub(crate) fn take_null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.word("null").is_ok()
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), SyntaxError> {
        if self.take(byte) { Ok(()) } else { Err(self.error(what)) }
    }

    fn word(&mut self, word: &str) -> Result<(), SyntaxError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn enter(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_NESTING { Err(self.error("nested too deep")) } else { Ok(()) }
    }

    /// Reads an object; `field` must read the value of each key.
    pub(crate) fn object<E: From<SyntaxError>>(
        &mut self,
        mut field: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'{', "expected an object")?;
        self.enter()?;
        if !self.take(b'}') {
            loop {
                self.peek();
                let key = self.string()?;
                self.expect(b':', "expected `:`")?;
                field(self, key)?;
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b'}', "expected `,` or `}`")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a list; `item` must read each value.
    pub(crate) fn array<E: From<SyntaxError>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.expect(b'[', "expected a list")?;
        self.enter()?;
        if !self.take(b']') {
            loop {
                item(self)?;
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b']', "expected `,` or `]`")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a string; half a surrogate pair becomes U+FFFD.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        self.expect(b'"', "expected a string")?;
        let mut unescaped: Option<String> = None;
        loop {
            let plain = self.text.get(self.at..self.at + text_run(self.rest())).unwrap_or_default();
            self.at += plain.len();
            match self.rest().first() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match unescaped {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    self.at += 1;
                    let char = self.escape()?;
                    let text = unescaped.get_or_insert_default();
                    text.push_str(plain);
                    text.push(char);
                }
                _ => return Err(self.error("a control character in a string")),
            }
        }
    }

    /// Reads what follows a backslash.
    fn escape(&mut self) -> Result<char, SyntaxError> {
        let letter = self.rest().first().copied();
        self.at += usize::from(letter.is_some_and(|letter| letter.is_ascii()));
        Ok(match letter {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'u') => {
                let first = self.code_unit()?;
                let paired = (0xd800..0xdc00).contains(&first) && self.rest().starts_with(b"\\u");
                let after_first = self.at;
                if paired {
                    self.at += 2;
                    let second = self.code_unit()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let point = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = after_first;
                }
                char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("an unknown escape")),
        })
    }

    fn code_unit(&mut self) -> Result<u32, SyntaxError> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.error("expected four hex digits"))?;
        self.at += 4;
        Ok(unit)
    }

    /// Reads a number and gives back its text.
    fn number(&mut self) -> Result<&'a str, SyntaxError> {
        let rest = self.rest();
        let digits = |from: usize| rest.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let is = |at: usize, bytes: &[u8]| rest.get(at).is_some_and(|byte| bytes.contains(byte));
        let mut end = usize::from(is(0, b"-"));
        let whole = digits(end);
        let mut valid = whole == 1 || (whole > 1 && !is(end, b"0"));
        end += whole;
        if is(end, b".") {
            let fraction = digits(end + 1);
            valid &= fraction > 0;
            end += 1 + fraction;
        }
        if is(end, b"eE") {
            end += 1 + usize::from(is(end + 1, b"+-"));
            let exponent = digits(end);
            valid &= exponent > 0;
            end += exponent;
        }
        let number = self.text.get(self.at..self.at + end).filter(|_| valid);
        let number = number.ok_or_else(|| self.error("expected a value"))?;
        self.at += end;
        Ok(number)
    }

    /// Reads any value as the value of an attribute.
    pub(crate) fn value(&mut self) -> Result<Value, SyntaxError> {
        match self.peek() {
            Some(b'"') => Ok(Value::from(self.string()?.into_owned())),
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            Some(b'-' | b'0'..=b'9') => Ok(attribute_number(self.number()?)),
            Some(b'[') => self.list(),
            _ => Ok(Value::Json(self.json()?)),
        }
    }

    /// Reads a list: of plain values as it is, else as JSON.
    fn list(&mut self) -> Result<Value, SyntaxError> {
        let (start, depth) = (self.at, self.depth);
        let mut items = Vec::new();
        let mut plain = true;
        let read = self.array(|parser| {
            plain = !matches!(parser.peek(), Some(b'{' | b'[' | b'n'));
            if !plain {
                return Err(parser.error("not a plain list"));
            }
            items.push(parser.value()?);
            Ok(())
        });
        if plain {
            return read.map(|()| Value::Array(items));
        }
        (self.at, self.depth) = (start, depth);
        Ok(Value::Json(self.json()?))
    }

    /// Reads a plain value; a list or an object is passed over, and `null` in its place.
    pub(crate) fn scalar(&mut self) -> Result<Value, SyntaxError> {
        if matches!(self.peek(), Some(b'{' | b'[')) {
            self.skip().map(|()| Value::Json(serde_json::Value::Null))
        } else {
            self.value()
        }
    }

    /// Passes over any value.
    pub(crate) fn skip(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'{') => self.object(|parser, _| parser.skip()),
            Some(b'[') => self.array(Self::skip),
            _ => self.number().map(drop),
        }
    }

    /// Reads any value.
    pub(crate) fn json(&mut self) -> Result<serde_json::Value, SyntaxError> {
        use serde_json::Value as Json;
        Ok(match self.peek() {
            Some(b'"') => Json::String(self.string()?.into_owned()),
            Some(b't') => self.word("true").map(|()| Json::Bool(true))?,
            Some(b'f') => self.word("false").map(|()| Json::Bool(false))?,
            Some(b'n') => self.word("null").map(|()| Json::Null)?,
            Some(b'{') => {
                let mut fields = Map::new();
                self.object(|parser, key| {
                    fields.insert(key.into_owned(), parser.json()?);
                    Ok::<_, SyntaxError>(())
                })?;
                Json::Object(fields)
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.array(|parser| {
                    items.push(parser.json()?);
                    Ok::<_, SyntaxError>(())
                })?;
                Json::Array(items)
            }
            _ => json_number(self.number()?),
        })
    }
}

/// A number without a point or an exponent is an integer; one that does not fit stays text.
fn attribute_number(text: &str) -> Value {
    let float = || text.parse::<f64>().ok().filter(|float| float.is_finite());
    let number = if text.contains(['.', 'e', 'E']) {
        float().map(Value::Float)
    } else {
        text.parse::<i128>().ok().map(Value::Int)
    };
    number.unwrap_or_else(|| Value::from(text))
}

fn json_number(text: &str) -> serde_json::Value {
    let integer = if text.contains(['.', 'e', 'E']) {
        None
    } else {
        text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
    };
    let float = || text.parse::<f64>().ok().and_then(Number::from_f64);
    let number = integer.or_else(float).map(serde_json::Value::Number);
    number.unwrap_or_else(|| serde_json::Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Value, SyntaxError> {
        let mut parser = Parser::new(text);
        let value = parser.value()?;
        parser.end().map(|()| value)
    }

    #[test]
    fn values_are_read_exactly() {
        let check = |text: &str, value: Value| assert_eq!(parsed(text).unwrap(), value, "{text}");
        check(" true ", true.into());
        check("-0", 0.into());
        check("170141183460469231731687303715884105727", i128::MAX.into());
        check("170141183460469231731687303715884105728", "170141183460469231731687303715884105728".into());
        check("1.0", 1.0.into());
        check("1E2", 100.0.into());
        check("0.1234567890123456789", 0.123_456_789_012_345_68.into());
        check("1e999", "1e999".into());
        check(r#"["a",1,2.5,true]"#, Value::Array(vec!["a".into(), 1.into(), 2.5.into(), true.into()]));
        check("[]", Value::Array(Vec::new()));
        check("[1,[2]]", Value::Json(serde_json::json!([1, [2]])));
        check("null", Value::Json(serde_json::Value::Null));
        check(
            r#"{"a":{"b":[null,18446744073709551615]}}"#,
            serde_json::json!({"a": {"b": [null, u64::MAX]}}).into(),
        );
        check(r#""\"\\\/\b\f\n\r\té\u00e9\ud83e\udd80""#, "\"\\/\u{8}\u{c}\n\r\téé🦀".into());
        check(r#""\ud83e!\udd80\ud83e\u0041""#, "\u{fffd}!\u{fffd}\u{fffd}A".into());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            " ",
            "tru",
            "nul",
            "-",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "NaN",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\é\"",
            "\"\n\"",
            "[1,]",
            "[1 2]",
            "[",
            "{",
            "{}}",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            "{a:1}",
            "1 2",
            deep.as_str(),
        ] {
            assert!(parsed(text).is_err(), "{text:.20}");
        }
        assert_eq!(parsed("{\"a\":\"b").unwrap_err().what, "the text ends");
    }
}
