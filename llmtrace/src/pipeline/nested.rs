//! Calls within calls: the same call, recorded by two libraries or by a function around a function.

use std::collections::HashMap;
use std::mem;

use crate::{SpanId, SpanRecord, TraceId};

/// Tells which model calls were counted already, below the span that ends. Children end before their parents.
#[derive(Debug, Default)]
pub(super) struct Nested {
    /// Spans that have not ended yet and have a counted call below; true where that call has a cost.
    young: HashMap<(TraceId, SpanId), bool>,
    /// Those of before; forgotten when the young ones become too many.
    old: HashMap<(TraceId, SpanId), bool>,
}

/// Spans that are remembered, at most twice as many: 320 KiB.
const MAX_SPANS: usize = 4_096;

impl Nested {
    /// Whether what `record` used was counted with the calls below it. A cost that none of those has is new.
    pub(super) fn was_counted(&mut self, record: &SpanRecord) -> bool {
        let key = (record.trace_id, record.span_id);
        let below = [self.young.remove(&key), self.old.remove(&key)].into_iter().flatten().max();
        let is_priced = record.cost().is_some();
        let is_call = record.kind.is_model_call();
        let has_figures = is_call && (is_priced || record.usage().total().is_some());
        if let Some(parent) = record.parent_span_id.filter(|_| has_figures || below.is_some()) {
            self.mark((record.trace_id, parent), below == Some(true) || is_call && is_priced);
        }
        is_call && below.is_some_and(|has_cost| has_cost || !is_priced)
    }

    fn mark(&mut self, parent: (TraceId, SpanId), is_priced: bool) {
        if self.young.len() >= MAX_SPANS {
            self.old.clear();
            mem::swap(&mut self.young, &mut self.old);
        }
        *self.young.entry(parent).or_default() |= is_priced;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cost, CostSource, ObservationKind, Timestamp, Usage, Usd};

    fn span(id: u64, parent: Option<u64>, kind: ObservationKind, cost: Option<i128>) -> SpanRecord {
        let at = Timestamp::default();
        let mut record = SpanRecord::new(TraceId::sequential(1), SpanId::sequential(id), "x", kind, at, at);
        record.parent_span_id = parent.map(SpanId::sequential);
        if kind.is_model_call() {
            record.set_usage(&Usage::new(10, 1));
        }
        if let Some(cost) = cost {
            record.set_cost(&Cost::new(Usd::from_pico(cost), CostSource::Bundled));
        }
        record
    }

    #[test]
    fn a_call_above_a_counted_one_is_not_counted_again() {
        use ObservationKind::{Agent, Generation, Tool};
        let mut nested = Nested::default();
        let mut check = |id, parent, kind, cost, expected| {
            assert_eq!(nested.was_counted(&span(id, parent, kind, cost)), expected, "{id}");
        };
        // Through what is no call, and for several calls below.
        check(4, Some(3), Generation, Some(5), false);
        check(5, Some(3), Generation, None, false);
        check(3, Some(2), Tool, None, false);
        check(2, Some(1), Generation, Some(5), true);
        check(1, None, Agent, Some(7), false);
        // Siblings are calls of their own.
        check(12, Some(10), Generation, Some(5), false);
        check(13, Some(10), Generation, Some(5), false);
        // A cost that the inner call has not is new.
        check(21, Some(20), Generation, None, false);
        check(20, None, Generation, Some(5), false);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut nested = Nested::default();
        for id in 0..10 * MAX_SPANS as u64 {
            nested.was_counted(&span(2 * id + 1, Some(2 * id + 2), ObservationKind::Generation, None));
        }
        assert!(nested.young.len() <= MAX_SPANS && nested.old.len() <= MAX_SPANS);
    }
}
