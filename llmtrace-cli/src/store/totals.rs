//! What the spans of a trace add up to.

use llmtrace::{SpanId, Usd};

use super::fact::{Fact, Labels, TokensKnown, column};
use super::row::{SpanStatus, Tokens};
use super::sums::Sums;
use crate::stats::call::{Call, Counted, Reason, Tokens as CallTokens};
use crate::stats::window::{Held, merge_nested};

/// What the spans of a trace add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Totals {
    /// Of the root, and until that is there of the earliest span; what that one does not say, of the earliest that does.
    pub(super) labels: Labels<i64>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) spans: i64,
    pub(super) errors: i64,
    /// 0 ok, 1 error, 2 not finished.
    pub(super) status: i64,
    /// What went wrong, where it failed: what its root says, else the first span that says it.
    pub(super) error: Option<String>,
    /// The span that the trace starts with, once it has ended.
    pub(super) root: Option<SpanId>,
    pub(super) first_chunk: Option<i64>,
    /// The calls that count, in the order of their spans' ids.
    pub(super) calls: Vec<CountedCall>,
}

/// A call that counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CountedCall {
    pub(super) span_id: SpanId,
    pub(super) start: i64,
    pub(super) labels: Labels<i64>,
    failed: bool,
    tokens: Tokens,
    counted: TokensKnown,
    cost: Option<i128>,
    /// Whether it failed and states no tokens.
    is_free: bool,
    is_cost_incomplete: bool,
    latency: Option<u64>,
    first_chunk: Option<u64>,
}

/// The status of a trace whose root ended well.
pub(super) const OK: i64 = 0;
/// The status of a trace that failed.
pub(super) const ERROR: i64 = 1;
/// The status of a trace whose root is not there.
pub(super) const UNFINISHED: i64 = 2;

impl Totals {
    /// Adds up the spans of a trace, in any order.
    pub(super) fn of(facts: &[Fact]) -> Self {
        // Parents in another process come after having none; a running one is none yet.
        let rank = |fact: &Fact| match fact.parent {
            _ if fact.status == SpanStatus::Running => 2,
            None => 0,
            Some(_) if fact.parent_is_remote => 1,
            Some(_) => 2,
        };
        let mut order: Vec<&Fact> = facts.iter().collect();
        order.sort_unstable_by_key(|fact| (rank(fact), fact.start, fact.span_id.to_bytes()));
        let root = order.first().copied().filter(|fact| rank(fact) < 2);
        if let Some(rest) = order.get_mut(1..) {
            rest.sort_unstable_by_key(|fact| (fact.start, fact.span_id.to_bytes()));
        }
        let errors = facts.iter().filter(|fact| fact.is_failed()).count();
        let start = facts.iter().map(|fact| fact.start).min().unwrap_or(0);
        let labels = labels(&order);
        let status = match root {
            Some(root) if root.is_failed() => ERROR,
            Some(_) => OK,
            None if errors > 0 => ERROR,
            None => UNFINISHED,
        };
        let says_why =
            facts.iter().filter(|fact| status == ERROR && fact.is_failed() && fact.error.is_some());
        let why = says_why.min_by_key(|fact| (rank(fact), fact.start, fact.span_id.to_bytes()));
        Self {
            labels,
            start,
            end: facts.iter().map(|fact| fact.end.max(fact.start)).max().unwrap_or(0),
            spans: count(facts.len()),
            errors: count(errors),
            status,
            error: why.and_then(|fact| fact.error.clone()),
            root: root.map(|root| root.span_id),
            first_chunk: facts
                .iter()
                .filter_map(|fact| Some(fact.start.saturating_add(fact.first_chunk?).saturating_sub(start)))
                .min(),
            calls: calls(facts, labels.user),
        }
    }

    /// All calls together.
    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for call in &self.calls {
            call.add_to(&mut sums);
        }
        sums
    }
}

impl CountedCall {
    /// Adds the call.
    pub(super) fn add_to(&self, sums: &mut Sums) {
        sums.calls += 1;
        sums.errors += u64::from(self.failed);
        sums.priced += u64::from(self.cost.is_some());
        sums.unpaid += u64::from(self.cost.is_none() && !self.is_free);
        sums.incomplete += u64::from(self.is_cost_incomplete);
        sums.uncounted += u64::from(self.counted == TokensKnown::InPart);
        sums.estimated += u64::from(self.counted == TokensKnown::Estimated);
        let tokens = &self.tokens;
        let stated = [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write, tokens.reasoning];
        for (sum, stated) in sums.tokens.iter_mut().zip(stated) {
            if let Some(stated) = stated {
                sum.calls += 1;
                // What a column can hold, so that the sums are those of the columns.
                sum.sum = sum.sum.saturating_add(column(Some(stated)).map_or(0, i64::unsigned_abs));
            }
        }
        sums.pico_usd += self.cost.unwrap_or(0);
        if let Some(latency) = self.latency {
            sums.latency.add(latency);
        }
        if let Some(first_chunk) = self.first_chunk {
            sums.first_chunk.add(first_chunk);
        }
    }
}

/// The labels of the first, and what it lacks of those after it.
fn labels(order: &[&Fact]) -> Labels<i64> {
    let find = |label: fn(&Labels<i64>) -> i64| {
        order.iter().map(|fact| label(&fact.labels)).find(|label| *label != 0).unwrap_or(0)
    };
    Labels {
        name: order.first().map_or(0, |fact| fact.labels.name),
        service: find(|labels| labels.service),
        environment: find(|labels| labels.environment),
        model: 0,
        provider: 0,
        session: find(|labels| labels.session),
        user: find(|labels| labels.user),
    }
}

/// The calls that count.
/// The calls, with `user` where a call names none: who asked is mostly said once, at the root.
fn calls(facts: &[Fact], user: i64) -> Vec<CountedCall> {
    let many = facts.iter().filter(|fact| fact.kind.is_model_call()).count();
    if many == 0 {
        return Vec::new();
    }
    let mut held: Vec<Held> = facts
        .iter()
        .map(|fact| {
            let call = fact.kind.is_model_call().then(|| Box::new(call(fact)));
            Held { id: fact.span_id, parent: fact.parent, call }
        })
        .collect();
    if many > 1 {
        merge_nested(&mut held);
    }
    let mut calls: Vec<_> = facts
        .iter()
        .zip(held)
        .filter_map(|(fact, held)| {
            let call = held.call?;
            Some(CountedCall {
                span_id: fact.span_id,
                start: fact.start,
                labels: Labels {
                    user: if fact.labels.user == 0 { user } else { fact.labels.user },
                    ..fact.labels
                },
                failed: call.failed,
                tokens: fact.tokens,
                counted: fact.counted,
                cost: call.cost.ok().map(Usd::pico),
                is_free: call.cost == Err(Reason::Failed),
                is_cost_incomplete: call.is_cost_incomplete,
                latency: (fact.status != SpanStatus::Running).then_some(call.latency),
                first_chunk: call.first_chunk,
            })
        })
        .collect();
    calls.sort_unstable_by_key(|call| call.span_id.to_bytes());
    calls
}

fn call(fact: &Fact) -> Call {
    let tokens = &fact.tokens;
    let is_free = fact.is_failed()
        && tokens.input.is_none()
        && tokens.output.is_none()
        && fact.counted == TokensKnown::InFull;
    Call {
        key: None,
        failed: fact.is_failed(),
        tokens: CallTokens {
            input: tokens.input,
            output: tokens.output,
            cache_read: tokens.cache_read,
            cache_write: tokens.cache_write,
            reasoning: tokens.reasoning,
        },
        counted: match fact.counted {
            TokensKnown::InFull => Counted::InFull,
            TokensKnown::Estimated => Counted::Estimated,
            TokensKnown::InPart => Counted::InPart,
        },
        cost: fact.cost.map(|cost| Usd::from_pico(i128::from(cost))).ok_or(if is_free {
            Reason::Failed
        } else {
            Reason::Unsaid
        }),
        is_cost_incomplete: fact.is_cost_incomplete,
        latency: u64::try_from(fact.duration()).unwrap_or(0),
        first_chunk: fact.first_chunk.and_then(|nanos| u64::try_from(nanos).ok()),
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
