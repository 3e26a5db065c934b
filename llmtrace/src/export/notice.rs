//! What is said on standard error when an exporter fails: the one thing that the SDK ever prints.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// Whether failures are said on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Notices {
    /// The first at once, then at most one line a minute and exporter.
    #[default]
    Stderr,
    /// Never.
    Off,
}

/// The notices of one exporter.
#[derive(Debug)]
pub(super) struct Notice {
    notices: Notices,
    /// When the last line was said.
    said: Option<Instant>,
    /// Failures since then.
    unsaid: u64,
}

/// Shortest time between two lines of one exporter.
const PAUSE: Duration = Duration::from_secs(60);

/// Longest cause and longest remedy in a line, in characters.
const MAX_CHARS: usize = 400;

impl Notice {
    pub(super) fn new(notices: Notices) -> Self {
        Self { notices, said: None, unsaid: 0 }
    }

    /// The line for a failure at `now`, if one is due.
    pub(super) fn line(&mut self, exporter: &str, cause: &str, remedy: &str, now: Instant) -> Option<String> {
        let is_early = self.said.is_some_and(|said| now.saturating_duration_since(said) < PAUSE);
        if self.notices == Notices::Off || is_early {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(now);
        let before = match std::mem::take(&mut self.unsaid) {
            0 => String::new(),
            unsaid => format!(" ({unsaid} failures before this one were not shown)"),
        };
        let (exporter, cause, remedy) = (shown(exporter), shown(cause), shown(remedy));
        Some(format!("llmtrace: exporter {exporter}: {cause}; {remedy}{before}\n"))
    }
}

/// Writes a line; that standard error is closed or full is nobody's concern.
pub(super) fn say(line: &str) {
    drop(io::stderr().write_all(line.as_bytes()));
}

/// The text on one line, without what a terminal could take for a command.
fn shown(text: &str) -> String {
    let is_bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| if c.is_control() || is_bidi(c) { ' ' } else { c };
    text.chars().take(MAX_CHARS).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_said_at_once_and_then_one_a_minute() {
        let mut notice = Notice::new(Notices::Stderr);
        let start = Instant::now();
        let mut check = |seconds: u64, expected: Option<&str>| {
            let line = notice.line(
                "otlp",
                "503\u{1b}[31m",
                "it is tried again",
                start + Duration::from_secs(seconds),
            );
            assert_eq!(line.as_deref(), expected, "after {seconds} s");
        };
        check(0, Some("llmtrace: exporter otlp: 503 [31m; it is tried again\n"));
        check(1, None);
        check(59, None);
        let again = "llmtrace: exporter otlp: 503 [31m; it is tried again (2 failures before this one were not shown)\n";
        check(60, Some(again));
        check(119, None);
    }

    #[test]
    fn nothing_is_said_when_nobody_wants_to_hear() {
        let mut notice = Notice::new(Notices::Off);
        assert_eq!(notice.line("otlp", "503", "it is tried again", Instant::now()), None);
    }
}
