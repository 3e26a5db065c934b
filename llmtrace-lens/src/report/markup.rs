//! Text inside HTML and XML.

use std::fmt;

use super::token;

/// A text as the content of an element or the value of a quoted attribute, in HTML and in XML alike.
///
/// Characters that XML forbids, and those that turn the order of letters around, are made visible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in token::readable(self.0).chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => fmt::Write::write_char(f, char)?,
            }
        }
        Ok(())
    }
}

/// A token on a page, apart from the order of letters around it; the mark of a space stands back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a>(pub(super) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<bdi>{}</bdi>", Escaped(self.0).to_string().replace('␣', "<i>␣</i>"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_taken_for_markup() {
        let check = |text: &str, safe: &str| assert_eq!(Escaped(text).to_string(), safe);
        check("</script><script>alert(1)</script>", "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
        check("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;");
        check("a\u{202e}b\u{0}c\u{b}\u{ffff}", "a‹U+202E›b␀c␋‹U+FFFF›");
        check("]]>", "]]&gt;");
        check("世界\n", "世界\n");
    }

    #[test]
    fn spaces_of_tokens_stand_back() {
        assert_eq!(Word("␣<b>").to_string(), "<bdi><i>␣</i>&lt;b&gt;</bdi>");
    }
}
