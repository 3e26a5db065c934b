//! Calls with far more tokens than others of their name and model, where their cost does not say so already.

use crate::findings::baseline::Baseline;
use crate::findings::finding::Finding;
use crate::findings::outlier;
use crate::findings::rule::Rule;
use crate::findings::summary::Metric;
use crate::findings::trace::Trace;

/// Calls with far more tokens than others of their name and model, where their cost does not say so already.
#[derive(Debug)]
pub(crate) struct TokenOutlier;

impl Rule for TokenOutlier {
    fn name(&self) -> &'static str {
        "token-outlier"
    }

    fn about(&self) -> &'static str {
        "calls with far more tokens than others of their name and model"
    }

    fn judge(&self, trace: &Trace<'_>, baseline: &Baseline) -> Vec<Finding> {
        let dear = |node| outlier::find(node, Metric::Cost, baseline).is_some();
        let judged = trace.calls().filter(|node| !dear(node)).flat_map(|node| {
            [Metric::InputTokens, Metric::OutputTokens].into_iter().filter_map(move |metric| {
                let outlier = outlier::find(node, metric, baseline)?;
                Some(outlier.finding(self, node, metric))
            })
        });
        judged.collect()
    }
}
