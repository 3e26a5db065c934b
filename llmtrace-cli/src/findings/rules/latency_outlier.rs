//! Spans that took far longer than others of their name and model.

use std::collections::HashSet;

use crate::findings::baseline::Baseline;
use crate::findings::finding::Finding;
use crate::findings::outlier;
use crate::findings::rule::Rule;
use crate::findings::summary::Metric;
use crate::findings::trace::Trace;

/// Spans that took far longer than others of their name and model; not those that took so long because of one below
/// them that did.
#[derive(Debug)]
pub(crate) struct LatencyOutlier;

impl Rule for LatencyOutlier {
    fn name(&self) -> &'static str {
        "latency-outlier"
    }

    fn about(&self) -> &'static str {
        "spans that took far longer than others of their name and model"
    }

    fn judge(&self, trace: &Trace<'_>, baseline: &Baseline) -> Vec<Finding> {
        let mut found = outlier::judge(self, trace, Metric::Latency, baseline);
        if found.len() > 1 {
            let ids: HashSet<_> = found.iter().filter_map(|finding| finding.span_id).collect();
            let mut explained = HashSet::new();
            for node in trace.spans().filter(|node| ids.contains(&node.span.span_id)) {
                let half = node.span.duration() * 2;
                let above = trace.above(node).map(|above| above.span);
                let explains = above.filter(|above| above.duration() <= half).map(|above| above.span_id);
                explained.extend(explains);
            }
            found.retain(|finding| finding.span_id.is_none_or(|id| !explained.contains(&id)));
        }
        found
    }
}
