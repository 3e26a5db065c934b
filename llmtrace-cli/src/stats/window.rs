//! The spans that were read last: enough of them to tell a call inside a call.

use std::collections::{HashMap, HashSet, VecDeque};

use llmtrace::{SpanId, SpanRecord, TraceId, Usd};

use super::call::Call;
use super::named::Named;

/// Holds spans back until the rest of their trace is likely to be there.
///
/// A call that states figures stands for the calls below it: they are the same call, seen by another library. A
/// call that states none leaves it to those below. A call that is told apart by nothing of its own is by what its
/// trace names.
#[derive(Debug, Default)]
pub(super) struct Window {
    traces: HashMap<TraceId, Trace>,
    /// Traces in the order in which they came.
    order: VecDeque<TraceId>,
    spans: usize,
}

/// What is held of a trace.
#[derive(Debug, Default)]
struct Trace {
    spans: Vec<Held>,
    named: Named,
}

#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) call: Option<Box<Call>>,
}

/// Spans that are held back, over all traces.
const MAX_SPANS: usize = 100_000;

impl Window {
    /// Takes a span in, with what it names of what its whole trace is told apart by, and hands on the calls of older
    /// traces where there is no room for more.
    pub(super) fn add(
        &mut self,
        span: &SpanRecord,
        call: Option<Call>,
        of_trace: Option<Box<str>>,
        counted: &mut impl FnMut(&Call),
    ) {
        let order = &mut self.order;
        let held = self.traces.entry(span.trace_id).or_insert_with(|| {
            order.push_back(span.trace_id);
            Trace::default()
        });
        held.named.add(span, of_trace);
        held.spans.push(Held { id: span.span_id, parent: span.parent_span_id, call: call.map(Box::new) });
        self.spans += 1;
        while self.spans > MAX_SPANS && self.resolve_oldest(counted) {}
    }

    /// Hands on all that is left.
    pub(super) fn finish(&mut self, counted: &mut impl FnMut(&Call)) {
        while self.resolve_oldest(counted) {}
    }

    fn resolve_oldest(&mut self, counted: &mut impl FnMut(&Call)) -> bool {
        let Some(trace) = self.order.pop_front().and_then(|trace_id| self.traces.remove(&trace_id)) else {
            return false;
        };
        self.spans -= trace.spans.len();
        resolve(trace, counted);
        true
    }
}

/// Hands on the calls of a trace that count.
fn resolve(Trace { spans: mut trace, named }: Trace, counted: &mut impl FnMut(&Call)) {
    if trace.len() > 1 {
        let mut ids = HashSet::with_capacity(trace.len());
        trace.retain(|held| ids.insert(held.id));
    }
    if trace.iter().filter(|held| held.call.is_some()).count() > 1 {
        merge_nested(&mut trace);
    }
    let key = named.key();
    for mut call in trace.into_iter().filter_map(|held| held.call) {
        if call.key.is_none() {
            call.key.clone_from(&key);
        }
        counted(&call);
    }
}

/// The calls that a span lies in.
#[derive(Clone, Copy, Debug, Default)]
struct Above {
    /// The outermost one with figures.
    outermost: Option<usize>,
    /// The nearest one with figures.
    nearest: Option<usize>,
    /// Whether there is any.
    any: bool,
}

/// Leaves one call of those that lie within each other.
pub(crate) fn merge_nested(trace: &mut [Held]) {
    let places: HashMap<_, _> = trace.iter().enumerate().map(|(place, held)| (held.id, place)).collect();
    let parents: Vec<Option<usize>> =
        trace.iter().map(|held| held.parent.and_then(|parent| places.get(&parent).copied())).collect();
    let parent_of = |place: usize| parents.get(place).copied().flatten();
    let above = above(trace, &parents);
    let (mut dropped, mut borrowed) = (HashSet::new(), HashMap::new());
    let mut climbed = HashSet::new();
    for (place, (held, above)) in trace.iter().zip(&above).enumerate() {
        let Some(call) = &held.call else { continue };
        if let Some(outermost) = above.outermost {
            dropped.insert(place);
            if let Ok(cost) = call.cost
                && above.nearest == Some(outermost)
            {
                *borrowed.entry(outermost).or_insert(Usd::ZERO) += cost;
            }
        } else if call.has_figures() {
            // Calls around it have no figures, save in a circle.
            let mut outer = parent_of(place);
            while let Some(place) = outer.filter(|place| climbed.insert(*place)) {
                let call = trace.get(place).and_then(|held| held.call.as_ref());
                if call.is_some_and(|call| !call.has_figures()) {
                    dropped.insert(place);
                }
                outer = parent_of(place);
            }
        } else if above.any {
            dropped.insert(place);
        }
    }
    for (place, held) in trace.iter_mut().enumerate() {
        if dropped.contains(&place) {
            held.call = None;
        } else if let Some(call) = &mut held.call
            && let Some(cost) = borrowed.get(&place)
        {
            call.cost = call.cost.or(Ok(*cost));
        }
    }
}

/// For each span the calls above it, parents before their children. A span in a circle of parents lies in none.
fn above(trace: &[Held], parents: &[Option<usize>]) -> Vec<Above> {
    let mut children = vec![Vec::new(); trace.len()];
    let mut order = Vec::with_capacity(trace.len());
    for (place, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(place),
            None => order.push(place),
        }
    }
    let mut above = vec![Above::default(); trace.len()];
    while let Some(place) = order.pop() {
        let own = above.get(place).copied().unwrap_or_default();
        let call = trace.get(place).and_then(|held| held.call.as_ref());
        let figures = call.filter(|call| call.has_figures()).map(|_| place);
        let below = Above {
            outermost: own.outermost.or(figures),
            nearest: figures.or(own.nearest),
            any: own.any || call.is_some(),
        };
        for child in children.get_mut(place).map(std::mem::take).into_iter().flatten() {
            if let Some(of_child) = above.get_mut(child) {
                *of_child = below;
            }
            order.push(child);
        }
    }
    above
}

#[cfg(test)]
mod tests {
    use llmtrace::{ObservationKind as Kind, Timestamp, Usage};

    use super::super::By;
    use super::*;

    /// A span: id, parent (0 is none), whether it is a call, input tokens and cost in pico-dollars.
    type Drawn = (u64, u64, bool, Option<u64>, Option<i128>);

    fn record(trace: u8, drawn: Drawn) -> SpanRecord {
        let (id, parent, is_call, input, cost) = drawn;
        let span_id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
        let kind = if is_call { Kind::Generation } else { Kind::Span };
        let at = Timestamp::default();
        let trace = TraceId::from_bytes([trace; 16]).unwrap();
        let mut span = SpanRecord::new(trace, span_id(id).unwrap(), "s", kind, at, at);
        span.parent_span_id = span_id(parent);
        if let Some(input) = input {
            span.set_usage(&Usage::new(input, 1));
        }
        if let Some(cost) = cost {
            span.set_cost(&llmtrace::Cost::new(Usd::from_pico(cost), llmtrace::CostSource::Bundled));
        }
        span
    }

    fn counted(spans: &[SpanRecord]) -> Vec<(Option<u64>, Option<i128>)> {
        let (mut window, mut found) = (Window::default(), Vec::new());
        let mut take = |call: &Call| found.push((call.tokens.input, call.cost.ok().map(Usd::pico)));
        for span in spans {
            let call = Call::read(span, By::Model);
            window.add(span, call, None, &mut take);
        }
        window.finish(&mut take);
        found.sort_unstable();
        found
    }

    #[test]
    fn a_call_inside_a_call_counts_once() {
        let check = |spans: &[Drawn], expected: &[(Option<u64>, Option<i128>)]| {
            let records: Vec<_> = spans.iter().map(|drawn| record(1, *drawn)).collect();
            assert_eq!(counted(&records), expected, "{spans:?}");
            let backwards: Vec<_> = records.into_iter().rev().collect();
            assert_eq!(counted(&backwards), expected, "backwards: {spans:?}");
        };
        let (one, other) = ((Some(10), Some(5)), (Some(20), Some(7)));
        // Side by side, and below something that is no call.
        check(
            &[(1, 9, true, one.0, one.1), (2, 9, true, other.0, other.1), (9, 0, false, None, None)],
            &[one, other],
        );
        // One in the other, directly and with a span between them.
        check(&[(2, 1, true, one.0, one.1), (1, 0, true, one.0, one.1)], &[one]);
        check(&[(3, 2, true, one.0, one.1), (2, 1, false, None, None), (1, 0, true, one.0, one.1)], &[one]);
        check(&[(3, 2, true, one.0, one.1), (2, 1, true, one.0, one.1), (1, 0, true, one.0, one.1)], &[one]);
        // The outer one states nothing: a function that is traced as a call and makes two.
        check(
            &[(2, 1, true, one.0, one.1), (3, 1, true, other.0, other.1), (1, 0, true, None, None)],
            &[one, other],
        );
        check(&[(2, 1, true, None, None), (1, 0, true, None, None)], &[(None, None)]);
        check(&[(2, 1, true, None, None), (1, 0, true, one.0, one.1)], &[one]);
        // The outer one states tokens, the inner ones the cost.
        check(
            &[(2, 1, true, None, Some(5)), (3, 1, true, None, Some(7)), (1, 0, true, one.0, None)],
            &[(one.0, Some(12))],
        );
        check(
            &[(3, 2, true, None, Some(7)), (2, 1, true, None, Some(5)), (1, 0, true, one.0, None)],
            &[(one.0, Some(5))],
        );
        // The same span twice.
        check(&[(1, 0, true, one.0, one.1), (1, 0, true, one.0, one.1)], &[one]);
        // Spans that are their own ancestors.
        check(&[(1, 2, true, one.0, one.1), (2, 1, true, other.0, other.1)], &[one, other]);
        check(&[(1, 1, true, one.0, one.1)], &[one]);
    }

    #[test]
    fn traces_are_told_apart_and_what_is_held_back_is_bounded() {
        let same = |trace| record(trace, (1, 0, true, Some(10), None));
        assert_eq!(counted(&[same(1), same(2)]).len(), 2);
        let (mut window, mut early) = (Window::default(), 0);
        for id in 1..=MAX_SPANS as u64 + 1 {
            let trace = u8::try_from(1 + id * 100 / MAX_SPANS as u64).unwrap();
            let span = record(trace, (id, 0, true, Some(1), None));
            let call = Call::read(&span, By::Model);
            window.add(&span, call, None, &mut |_| early += 1);
        }
        assert_eq!(early, 999);
        assert_eq!(window.spans + early, MAX_SPANS + 1);
    }
}
