//! Calls that cost far more than others of their name and model.

use crate::findings::baseline::Baseline;
use crate::findings::finding::Finding;
use crate::findings::outlier;
use crate::findings::rule::Rule;
use crate::findings::summary::Metric;
use crate::findings::trace::Trace;

/// Calls that cost far more than others of their name and model.
#[derive(Debug)]
pub(crate) struct CostOutlier;

impl Rule for CostOutlier {
    fn name(&self) -> &'static str {
        "cost-outlier"
    }

    fn about(&self) -> &'static str {
        "calls that cost far more than others of their name and model"
    }

    fn judge(&self, trace: &Trace<'_>, baseline: &Baseline) -> Vec<Finding> {
        outlier::judge(self, trace, Metric::Cost, baseline)
    }
}
