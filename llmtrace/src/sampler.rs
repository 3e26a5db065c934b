//! Which traces are exported.

use std::time::Duration;

use crate::{CostValue, TraceId, Usd};

/// Which traces are exported: a share of them, told by the trace id, and those that turn out to matter.
///
/// ```
/// use std::time::Duration;
/// use llmtrace::Sampler;
///
/// // Every tenth trace, and each one that failed, took long or was dear.
/// let sampler = Sampler::ratio(0.1)
///     .keep_errors()
///     .keep_slower_than(Duration::from_secs(30))
///     .keep_costlier_than(0.50);
/// let (layer, guard) = llmtrace::builder().sampler(sampler).build();
/// # use tracing_subscriber::prelude::*;
/// # drop((tracing_subscriber::registry().with(layer), guard));
/// ```
///
/// **By id.** The decision is a pure function of the trace id, so processes that sample by the same ratio agree. A trace
/// that another process began ([`SpanExt::set_parent_context`](crate::SpanExt::set_parent_context)) follows the flag that
/// came with it; [`propagate::inject`](crate::propagate::inject) hands the flag on. Whatever the ratio, a span is
/// exported only if its parents in this process are.
///
/// **Without a `keep_` rule and without a [`Budget`](crate::Budget)**, spans of traces that are not sampled are not
/// recorded: nothing is copied, and [`Guard::usage`](crate::Guard::usage) and [`Guard::stats`](crate::Guard::stats) cover
/// sampled traces only. Their ids and the flag still travel with `inject`. A trace is known to go on another process's
/// only once `set_parent_context` was called; so the first spans of the traces of a process that has extracted a
/// context, and of the first 256 traces of any process, are written down until they end, in recycled memory.
///
/// **With a rule or a budget** every span is recorded, read and counted; those of traces that are not kept are then
/// dropped as [`DropReason::SampledOut`](crate::DropReason::SampledOut).
///
/// **When a trace is whole** the rules are asked: when the first of its spans in this process, its local root, has ended
/// and with it all spans below. A trace that several requests of another process reach is judged for each of them. Until
/// then its spans are held, in at most a quarter of [`Builder::queue_bytes`](crate::Builder::queue_bytes) and for at most
/// 10,000 traces. Beyond, and on a flush or the shutdown, and when nothing has come for
/// [`hold_for`](Self::hold_for), a trace is judged by what is known of it. If it is kept, so is what follows. If it is
/// dropped and a rule holds later, it is kept from there on, and its root says how many spans are missing
/// (`llmtrace.sampled_out`). As children end before their parents, no span is ever exported without its parents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Trace ids whose random bits are below this are not sampled.
    threshold: u64,
    errors: bool,
    slower_than: Option<Duration>,
    costlier_than: Option<Usd>,
    hold_for: Duration,
}

/// What becomes of the spans of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are exported.
    Kept,
    /// They are recorded and counted; whether they are exported is decided when the trace is whole.
    Judged,
    /// They are not recorded.
    Forgotten,
}

/// What is known of the spans of a trace that came so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) has_error: bool,
    /// From the first beginning to the last end.
    pub(crate) duration: Duration,
    /// The sum of what its calls cost.
    pub(crate) cost: Usd,
}

/// The random bits of a trace id: the low 56 (W3C Trace Context Level 2, section "random trace id flag"). In ids made
/// here they are random bits of a UUID version 7.
const RANDOM_BITS: u32 = 56;

/// How long spans are held after the last one of their trace: as long as the clients of `OpenAI` and Anthropic wait for
/// an answer by default. Most traces end with their root long before; this is for those that lost it.
const HOLD_FOR: Duration = Duration::from_secs(600);

impl Sampler {
    /// A share of the traces, from 0 to 1; what is not a number counts as 1.
    ///
    /// A trace is sampled if the low 56 bits of its id are at least `(1 - share) * 2^56`, as `OpenTelemetry`'s
    /// consistent probability sampling has it (specification, "`TraceState`: Probability Sampling").
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the share is from 0 to 1")]
    pub fn ratio(share: f64) -> Self {
        let left_out = if share < 1.0 { 1.0 - share.max(0.0) } else { 0.0 };
        Self {
            threshold: (left_out * (1_u64 << RANDOM_BITS) as f64).round() as u64,
            errors: false,
            slower_than: None,
            costlier_than: None,
            hold_for: HOLD_FOR,
        }
    }

    /// Every trace. This is the default.
    pub fn always() -> Self {
        Self::ratio(1.0)
    }

    /// No trace, save those that a rule keeps and those that another process sampled.
    pub fn never() -> Self {
        Self::ratio(0.0)
    }

    /// Keeps each trace in which a span ended with an error.
    pub fn keep_errors(mut self) -> Self {
        self.errors = true;
        self
    }

    /// Keeps each trace that took longer than `duration`, from its first beginning to its last end in this process.
    pub fn keep_slower_than(mut self, duration: Duration) -> Self {
        self.slower_than = Some(duration);
        self
    }

    /// Keeps each trace whose calls cost more than `usd` US dollars together; calls without a cost count as nothing,
    /// and an amount that is not finite keeps none.
    pub fn keep_costlier_than(mut self, usd: impl CostValue) -> Self {
        self.costlier_than = usd.to_usd();
        self
    }

    /// How long the spans of a trace that does not end are held after the last of them came. Default: 10 minutes.
    pub fn hold_for(mut self, duration: Duration) -> Self {
        self.hold_for = duration;
        self
    }

    /// Whether a trace is sampled by its id.
    ///
    /// ```
    /// use llmtrace::{Sampler, TraceId};
    ///
    /// let id: TraceId = "0af7651916cd43dd8480000000000000".parse()?; // random bits in the middle of their range
    /// assert!(Sampler::ratio(0.5).samples(id));
    /// assert!(!Sampler::ratio(0.4).samples(id));
    /// # Ok::<(), llmtrace::ParseIdError>(())
    /// ```
    pub fn samples(&self, trace: TraceId) -> bool {
        self.samples_bits(trace.random_bits())
    }

    #[inline]
    pub(crate) fn samples_bits(&self, random: u64) -> bool {
        random >= self.threshold
    }

    pub(crate) fn has_rules(&self) -> bool {
        self.errors || self.slower_than.is_some() || self.costlier_than.is_some()
    }

    pub(crate) fn longest_hold(&self) -> Duration {
        self.hold_for
    }

    /// Whether a rule holds.
    pub(crate) fn keeps(&self, findings: &Findings) -> bool {
        (self.errors && findings.has_error)
            || self.slower_than.is_some_and(|limit| findings.duration > limit)
            || self.costlier_than.is_some_and(|limit| findings.cost > limit)
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::always()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(low: u64) -> TraceId {
        TraceId::from_bytes(((1_u128 << 100) | u128::from(low)).to_be_bytes()).unwrap()
    }

    #[test]
    fn the_threshold_is_that_of_the_specification() {
        // Of "TraceState: Probability Sampling": rejection thresholds for a probability.
        let check = |share: f64, threshold: u64| {
            assert_eq!(Sampler::ratio(share).threshold, threshold, "{share}");
        };
        check(1.0, 0);
        check(0.5, 0x80_0000_0000_0000);
        check(0.25, 0xc0_0000_0000_0000);
        check(0.0, 1 << 56);
        check(-1.0, 1 << 56);
        check(f64::NAN, 0);
        check(2.0, 0);
        // 1/10 is "e666..." and 1/1000 "ffbe76c8b43958".
        assert_eq!(Sampler::ratio(0.1).threshold >> 16, 0xe6_6666_6666);
        check(0.001, 0xff_be76_c8b4_3958);
    }

    #[test]
    fn only_the_random_bits_decide() {
        let check =
            |share: f64, low: u64, expected| assert_eq!(Sampler::ratio(share).samples(id(low)), expected);
        check(0.5, 0x80_0000_0000_0000, true);
        check(0.5, 0x7f_ffff_ffff_ffff, false);
        check(0.5, 0xff7f_ffff_ffff_ffff, false);
        check(0.0, u64::MAX, false);
        check(1.0, 0, true);
    }

    #[test]
    fn a_larger_share_holds_all_of_a_smaller_one_and_shares_are_exact() {
        fastrand::seed(7);
        let shares = [0.001, 0.01, 0.1, 0.3, 0.5, 0.9];
        let mut sampled = [0_u32; 6];
        let rounds = 400_000;
        for _ in 0..rounds {
            let id = TraceId::generate(1_760_000_000_000, fastrand::u64(..));
            let kept = shares.map(|share| Sampler::ratio(share).samples(id));
            assert!(kept.is_sorted(), "{id}");
            for (sum, kept) in sampled.iter_mut().zip(kept) {
                *sum += u32::from(kept);
            }
        }
        for (share, sampled) in shares.into_iter().zip(sampled) {
            let expected = f64::from(rounds) * share;
            // Five standard deviations of a binomial distribution.
            let tolerance = 5.0 * (expected * (1.0 - share)).sqrt();
            assert!((f64::from(sampled) - expected).abs() < tolerance, "{share}: {sampled} of {rounds}");
        }
    }

    #[test]
    fn rules_are_strict_limits() {
        let sampler = Sampler::never().keep_slower_than(Duration::from_secs(2)).keep_costlier_than(0.5);
        let check = |seconds, pico, has_error, expected| {
            let findings =
                Findings { has_error, duration: Duration::from_secs(seconds), cost: Usd::from_pico(pico) };
            assert_eq!(sampler.keeps(&findings), expected, "{findings:?}");
        };
        check(2, 500_000_000_000, true, false);
        check(3, 0, false, true);
        check(0, 500_000_000_001, false, true);
        assert!(Sampler::never().keep_errors().keeps(&Findings { has_error: true, ..Findings::default() }));
        assert!(!Sampler::never().has_rules());
    }
}
