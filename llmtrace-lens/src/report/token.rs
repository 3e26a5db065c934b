use std::fmt::Write as _;

/// A token as people can read it: spaces at its ends, line ends, controls and invisible characters become visible.
///
/// `" the"` is shown as `␣the`, `"\n"` as `↵`, an empty token as `∅`, U+202E as `‹U+202E›`. Byte tokens such as `<0x0A>`
/// are text already and stay as they are.
pub fn visible(token: &str) -> String {
    if token.is_empty() {
        return "∅".to_owned();
    }
    let mut shown = String::with_capacity(token.len() + 4);
    let mut chars = token.chars().peekable();
    let mut before = ' ';
    while let Some(char) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        match char {
            ' ' if before.is_whitespace() || after.is_whitespace() => shown.push('␣'),
            ' ' => shown.push(' '),
            '\n' => shown.push('↵'),
            '\t' => shown.push('⇥'),
            '\r' => shown.push('␍'),
            '\u{7f}' => shown.push('␡'),
            '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(char)).unwrap_or('\u{fffd}')),
            _ if is_hidden(char) => push_code(&mut shown, char),
            _ => shown.push(char),
        }
        before = char;
    }
    shown
}

/// A text of several words or lines, in which only what could mislead is made visible; spaces and line ends stay.
pub(super) fn readable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\t' => shown.push(char),
            '\r' => {}
            '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(char)).unwrap_or('\u{fffd}')),
            '\u{7f}' => shown.push('␡'),
            _ if is_hidden(char) => push_code(&mut shown, char),
            _ => shown.push(char),
        }
    }
    shown
}

/// Words in one line, in which only what could mislead is made visible.
pub(super) fn words(text: &str) -> String {
    readable(text).replace('\n', "↵").replace('\t', "⇥")
}

fn push_code(shown: &mut String, char: char) {
    // Writing to a text cannot fail.
    let _ = write!(shown, "‹U+{:04X}›", u32::from(char));
}

/// Whether a character shows nothing, or changes the order in which others are shown (Unicode 16, properties
/// `Default_Ignorable_Code_Point`, `Bidi_Control`, `White_Space`, `Noncharacter_Code_Point`).
fn is_hidden(char: char) -> bool {
    matches!(
        char,
        '\u{80}'..='\u{a0}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{1680}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{3000}'
            | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || u32::from(char) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_made_visible() {
        let check = |token: &str, shown: &str| assert_eq!(visible(token), shown, "{token:?}");
        check("the", "the");
        check(" the", "␣the");
        check("the ", "the␣");
        check("New York", "New York");
        check("a  b", "a␣␣b");
        check(" ", "␣");
        check("", "∅");
        check("\n\n", "↵↵");
        check("\r\n\t", "␍↵⇥");
        check("\u{1b}[31m", "␛[31m");
        check("\0\u{7f}", "␀␡");
        check("\u{202e}abc", "‹U+202E›abc");
        check("\u{200b}\u{feff}", "‹U+200B›‹U+FEFF›");
        check("\u{a0}", "‹U+00A0›");
        check("\u{ffff}\u{1fffe}", "‹U+FFFF›‹U+1FFFE›");
        check("<0x0A>", "<0x0A>");
        check("\u{fffd}", "\u{fffd}");
        check("世界 🦀 שלום", "世界 🦀 שלום");
    }

    #[test]
    fn prompts_keep_their_lines() {
        assert_eq!(readable("a  b\r\nc\t\u{202e}\u{7}"), "a  b\nc\t‹U+202E›␇");
        assert_eq!(words(" a  b\r\nc\t\u{9b}"), " a  b↵c⇥‹U+009B›");
    }
}
