//! A trace as an indented tree.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::{SpanRecord, Status, UsageStatus};

/// Draws traces as indented trees: one line a span, with its kind, model, tokens, cost and how it ended. Times and
/// ids are left out, so that the text is the same in every run.
///
/// Children stand in the order in which they began, traces too.
pub fn tree(spans: &[SpanRecord]) -> String {
    let known: HashSet<_> = spans.iter().map(|span| (span.trace_id, span.span_id)).collect();
    let is_root = |span: &SpanRecord| {
        span.parent_span_id.is_none_or(|parent| !known.contains(&(span.trace_id, parent)))
    };
    let mut ordered: Vec<_> = spans.iter().collect();
    ordered.sort_by_key(|span| (span.trace_id, span.start, span.span_id));
    let mut out = String::new();
    for root in ordered.iter().filter(|span| is_root(span)) {
        draw(root, &ordered, 0, &mut out);
    }
    out
}

fn draw(span: &SpanRecord, all: &[&SpanRecord], depth: usize, out: &mut String) {
    let _ = write!(out, "{:indent$}{} [{}]", "", span.name, span.kind, indent = depth * 2);
    if let Some(model) = span.model() {
        let _ = write!(out, " {model}");
    }
    let usage = span.usage();
    if let (Some(input), Some(output)) = (usage.input_tokens, usage.output_tokens) {
        let _ = write!(out, " {input}->{output} tokens");
    } else if let Some(input) = usage.input_tokens {
        let _ = write!(out, " {input} tokens");
    }
    if matches!(usage.status, UsageStatus::Interrupted | UsageStatus::Invalid) {
        let _ = write!(out, " ({})", usage.status);
    }
    if let Some(cost) = span.cost() {
        let _ = write!(out, " ${cost}");
    }
    match &span.status {
        Status::Unset | Status::Ok => {}
        Status::Error { message } => {
            let _ = write!(out, " error: {}", message.escape_debug());
        }
        Status::Cancelled => out.push_str(" cancelled"),
    }
    out.push('\n');
    let is_child =
        |child: &&&SpanRecord| child.trace_id == span.trace_id && child.parent_span_id == Some(span.span_id);
    for child in all.iter().filter(is_child) {
        draw(child, all, depth + 1, out);
    }
}
