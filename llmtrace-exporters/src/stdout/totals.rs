//! Tokens and cost of a span with all that is below it, each model call counted once.

use llmtrace::{ObservationKind, Usd};

use super::figures;
use super::node::{Node, Outcome};

/// A sum over model calls. What nobody stated is not in it, and makes it a lower bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Totals {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    /// Tokens of calls that stated only their total.
    unsplit: Option<u64>,
    pub(super) cost: Option<Usd>,
    at_least: AtLeast,
    estimated: bool,
    /// Whether a call that writes tokens is among them.
    generates: bool,
}

/// Which figures are lower bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct AtLeast {
    tokens: bool,
    cost: bool,
}

impl Totals {
    /// The totals of a span whose children's totals add up to `below`.
    ///
    /// A model call that states its own figures stands for the calls below it: they are the same call, seen
    /// by another library. Of other spans, figures of their own count only where none below has any.
    pub(super) fn of(node: &Node, below: Self) -> Self {
        let own = Self::own(node);
        let is_call = node.kind.is_model_call();
        let generates = below.generates || own.generates;
        let mut totals = below;
        if own.has_tokens() && (is_call || !below.has_tokens()) {
            let at_least = AtLeast { tokens: own.at_least.tokens, cost: below.at_least.cost };
            totals = Self { cost: below.cost, at_least, ..own };
        }
        if own.cost.is_some() && (is_call || below.cost.is_none()) {
            (totals.cost, totals.at_least.cost) = (own.cost, own.at_least.cost);
        }
        // A call that failed is taken to be free; any other call without figures leaves a gap. Rerankers count
        // no tokens as a rule.
        let counts = matches!(node.kind, ObservationKind::Generation | ObservationKind::Embedding);
        if counts && !matches!(node.outcome, Outcome::Failed(_)) {
            totals.at_least.tokens |= !totals.has_tokens();
            totals.at_least.cost |= totals.cost.is_none();
        }
        Self { generates, ..totals }
    }

    /// What the span itself states.
    pub(super) fn own(node: &Node) -> Self {
        let usage = &node.usage;
        let split = usage.input_tokens.is_some() || usage.output_tokens.is_some();
        Self {
            input: usage.input_tokens,
            output: usage.output_tokens,
            unsplit: usage.total_tokens.filter(|_| !split),
            cost: node.cost,
            at_least: AtLeast { tokens: node.is_partly_counted(), cost: node.cost_incomplete },
            estimated: node.is_estimated(),
            generates: node.kind == ObservationKind::Generation || usage.output_tokens.is_some(),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        self.input = sum(self.input, other.input);
        self.output = sum(self.output, other.output);
        self.unsplit = sum(self.unsplit, other.unsplit);
        self.cost = match (self.cost, other.cost) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        self.at_least.tokens |= other.at_least.tokens;
        self.at_least.cost |= other.at_least.cost;
        self.estimated |= other.estimated;
        self.generates |= other.generates;
    }

    pub(super) fn has_tokens(&self) -> bool {
        self.input.is_some() || self.output.is_some() || self.unsplit.is_some()
    }

    /// `≥1,200` and `80`: what went in and what came out, to be set around an arrow. `?` is what nobody stated,
    /// `–` what there is none of; `≥` marks a lower bound and `~` an estimate.
    pub(super) fn tokens(&self) -> Option<(String, String)> {
        let mark = match (self.at_least.tokens, self.estimated) {
            (true, _) => "≥",
            (false, true) => "~",
            (false, false) => "",
        };
        let shown =
            |count: Option<u64>, without: &str| count.map_or_else(|| without.to_owned(), figures::count);
        let output = shown(self.output, if self.generates { "?" } else { "–" });
        let split = self.input.is_some() || self.output.is_some();
        split.then(|| (format!("{mark}{}", shown(self.input, "?")), output))
    }

    /// Tokens of which only the total is known.
    pub(super) fn unsplit(&self) -> Option<String> {
        self.unsplit.map(|count| format!("{} tokens in or out", figures::count(count)))
    }

    /// The cost; `≥` marks a lower bound.
    pub(super) fn cost(&self) -> Option<String> {
        let mark = if self.at_least.cost { "≥" } else { "" };
        self.cost.map(|cost| format!("{mark}{}", figures::cost(cost)))
    }
}
