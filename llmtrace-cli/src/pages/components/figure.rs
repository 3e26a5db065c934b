//! Figures: durations, tokens, money. What nobody stated is a dash, never a zero.

use std::time::Duration;

use llmtrace::Usd;
use llmtrace_exporters::figures;
use maud::{Markup, html};

/// How a figure is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Exactness {
    /// As it stands.
    #[default]
    Exact,
    /// A part of it is not known: what stands there is a lower bound.
    AtLeast,
    /// It was counted on this side.
    Estimated,
}

impl Exactness {
    /// What stands before the figure.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtLeast => "≥\u{202f}",
            Self::Estimated => "~",
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtLeast => "a lower bound: not everything is stated",
            Self::Estimated => "an estimate: counted on this side",
        }
    }
}

/// A dash for what is not known.
pub(crate) fn unknown() -> Markup {
    html! { span.none title="not known" { "–" } }
}

/// How long something took; the title has all digits.
pub(crate) fn duration(duration: Option<Duration>) -> Markup {
    match duration {
        Some(length) => html! {
            span.num title={ (figures::count(u64::try_from(length.as_micros()).unwrap_or(u64::MAX))) " µs" } {
                (figures::duration(length))
            }
        },
        None => unknown(),
    }
}

/// What something cost, to the digits that matter; the title has all of them.
pub(crate) fn cost(amount: Option<Usd>, exactness: Exactness) -> Markup {
    match amount {
        Some(amount) => html! {
            span.num title={ "$" (amount) (remark(exactness)) } {
                (exactness.mark()) (figures::cost(amount))
            }
        },
        None => unknown(),
    }
}

/// A count with separators.
pub(crate) fn count(count: Option<u64>, exactness: Exactness) -> Markup {
    match count {
        Some(count) => html! {
            span.num title=[Some(exactness.says()).filter(|says| !says.is_empty())] {
                (exactness.mark()) (figures::count(count))
            }
        },
        None => unknown(),
    }
}

/// Tokens in and out: `2,048 → 36`.
pub(crate) fn tokens(input: Option<u64>, output: Option<u64>, exactness: Exactness) -> Markup {
    if input.is_none() && output.is_none() {
        return unknown();
    }
    let shown = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), figures::count);
    let title = format!("{} in, {} out{}", shown(input), shown(output), remark(exactness));
    html! {
        span.num.tokens title=(title) {
            (exactness.mark()) (shown(input)) span.arrow { "→" } (shown(output))
        }
    }
}

/// A share as a percentage: `87%`, `<1%`.
pub(crate) fn share(part: u64, whole: u64) -> String {
    match (u128::from(part) * 100).checked_div(u128::from(whole)) {
        Some(0) if part > 0 => "<1 %".to_owned(),
        Some(percent) => format!("{percent} %"),
        None => "–".to_owned(),
    }
}

fn remark(exactness: Exactness) -> String {
    match exactness.says() {
        "" => String::new(),
        says => format!(" ({says})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash() {
        let dash = unknown().into_string();
        for markup in [
            duration(None),
            cost(None, Exactness::AtLeast),
            count(None, Exactness::Exact),
            tokens(None, None, Exactness::Exact),
        ] {
            assert_eq!(markup.into_string(), dash);
        }
        assert!(tokens(None, Some(3), Exactness::Exact).into_string().contains("–<span"));
    }

    #[test]
    fn small_amounts_keep_their_digits_and_bounds_their_mark() {
        let amount = "0.0000123456".parse().ok();
        let check = |markup: &Markup, text: &str| assert!(markup.0.contains(text), "{}", markup.0);
        check(&cost(amount, Exactness::Exact), "title=\"$0.0000123456\">$0.0000123</span>");
        check(&cost(amount, Exactness::AtLeast), ">≥\u{202f}$0.0000123</span>");
        check(&count(Some(1_234), Exactness::Estimated), ">~1,234</span>");
        check(&duration(Some(Duration::from_millis(1_240))), "title=\"1,240,000 µs\">1.24 s</span>");
    }

    #[test]
    fn shares_are_whole_percents() {
        let check = |part: u64, whole: u64, text: &str| assert_eq!(share(part, whole), text);
        check(0, 0, "–");
        check(0, 5, "0 %");
        check(1, 1_000, "<1 %");
        check(999, 1_000, "99 %");
        check(u64::MAX, u64::MAX, "100 %");
    }
}
