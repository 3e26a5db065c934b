//! The form that adds a judgement to a span.

use llmtrace::{SpanId, TraceId};
use maud::{Markup, html};

/// The name under which the two buttons judge.
const FEEDBACK: &str = "feedback";

/// Characters of a name, and of a remark, that are taken.
const MAX_NAME_CHARS: u32 = 200;
const MAX_COMMENT_CHARS: u32 = 10_000;

/// A form that posts a judgement of a span, and one with a button for good and one for bad; `names` are those that were
/// given before. The answer leads back to the span.
pub(crate) fn score_form(trace: TraceId, span: SpanId, names: &[String]) -> Markup {
    let action = format!("/api/spans/{trace}/{span}/scores");
    html! {
        section.score-form.stack {
            h3 { "Add a score" }
            form.row method="post" action=(action) aria-label="Good or bad" {
                input type="hidden" name="name" value=(FEEDBACK);
                button type="submit" name="value" value="1" { span aria-hidden="true" { "▲" } "Good" }
                button type="submit" name="value" value="0" { span aria-hidden="true" { "▼" } "Bad" }
                span.muted { "as " code { (FEEDBACK) } ", 1 or 0" }
            }
            form.fields method="post" action=(action) aria-label="Score" {
                div.fields.two {
                    label { "Name"
                        input type="text" name="name" required maxlength=(MAX_NAME_CHARS) autocomplete="off"
                            list="score-names" placeholder="helpfulness";
                    }
                    label { "Value"
                        input type="number" name="value" required step="any" autocomplete="off" placeholder="0.8";
                    }
                }
                label { "Comment" textarea name="comment" rows="2" maxlength=(MAX_COMMENT_CHARS) {} }
                div.row { button.primary type="submit" { "Add score" } }
                datalist #score-names { @for name in names { option value=(name) {} } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::testing::assert_sound;

    #[test]
    fn the_form_posts_to_its_span_without_a_script() {
        let (trace, span) = (TraceId::from_bytes([1; 16]).unwrap(), SpanId::from_bytes([2; 8]).unwrap());
        let form = score_form(trace, span, &["\"><script>".to_owned()]).into_string();
        assert_sound(&form);
        let action =
            "method=\"post\" action=\"/api/spans/01010101010101010101010101010101/0202020202020202/scores\"";
        assert_eq!(form.matches(action).count(), 2);
        assert!(form.contains("<option value=\"&quot;&gt;&lt;script&gt;\">"), "{form}");
    }
}
