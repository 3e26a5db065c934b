//! Streams whose first content came far later than that of others of their name and model.

use crate::findings::baseline::Baseline;
use crate::findings::finding::Finding;
use crate::findings::outlier;
use crate::findings::rule::Rule;
use crate::findings::summary::Metric;
use crate::findings::trace::Trace;

/// Streams whose first content came far later than that of others of their name and model.
#[derive(Debug)]
pub(crate) struct SlowFirstChunk;

impl Rule for SlowFirstChunk {
    fn name(&self) -> &'static str {
        "slow-first-chunk"
    }

    fn about(&self) -> &'static str {
        "streams whose first content came far later than that of others"
    }

    fn judge(&self, trace: &Trace<'_>, baseline: &Baseline) -> Vec<Finding> {
        outlier::judge(self, trace, Metric::FirstChunk, baseline)
    }
}
