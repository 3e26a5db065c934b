//! Token counts as some backends want them: in buckets that do not overlap.
//!
//! A record's totals are inclusive and its parts are subsets of them, as `OpenTelemetry` has it. Langfuse multiplies each
//! bucket by a price of its own and adds up, so its buckets must be exclusive
//! (<https://langfuse.com/docs/observability/features/token-and-cost-tracking>). This is the only place that converts.

use super::facts::Facts;
use super::facts::slot::Slot;

/// The token counts of one call, as stated: totals inclusive, parts subsets of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) stated_total: Option<u64>,
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
    pub(super) cache_write_5m: Option<u64>,
    pub(super) cache_write_1h: Option<u64>,
    pub(super) input_audio: Option<u64>,
    pub(super) cache_read_audio: Option<u64>,
    pub(super) reasoning: Option<u64>,
    pub(super) output_audio: Option<u64>,
}

/// Exclusive buckets under Langfuse's names. Those of the input add up to it, those of the output likewise, and all
/// of them to the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Buckets {
    entries: [(&'static str, u64); MOST],
    used: usize,
}

/// Buckets of one call at most, with the total.
const MOST: usize = 10;

impl Counts {
    /// The counts that a span's attributes state.
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let [cache_write_5m, cache_write_1h] =
            [Slot::CacheWrite5m, Slot::CacheWrite1h].map(|slot| facts.count(slot));
        let by_age = cache_write_5m.zip(cache_write_1h).map(|(short, long)| short.saturating_add(long));
        let cache_write = facts.count(Slot::CacheWrite).or_else(|| facts.count(Slot::CacheCreation));
        Self {
            input: facts.count(Slot::InputTokens),
            output: facts.count(Slot::OutputTokens),
            stated_total: facts.count(Slot::TotalTokens),
            cache_read: facts.count(Slot::CacheRead),
            cache_write: cache_write.or(by_age).or(cache_write_5m).or(cache_write_1h),
            cache_write_5m,
            cache_write_1h,
            input_audio: facts.count(Slot::InputAudio),
            cache_read_audio: facts.count(Slot::CacheReadAudio),
            reasoning: facts.count(Slot::Reasoning),
            output_audio: facts.count(Slot::OutputAudio),
        }
    }

    /// Input and output together, else the stated total.
    pub(super) fn total(&self) -> Option<u64> {
        match (self.input, self.output) {
            (Some(input), Some(output)) => Some(input.saturating_add(output)),
            _ => self.stated_total,
        }
    }

    /// The buckets. Each takes from what is left of its whole, so that they add up even where the parts that a
    /// provider states overlap (audio that was also read from a cache, say) or contradict the whole.
    pub(super) fn buckets(&self) -> Buckets {
        let mut buckets = Buckets::default();
        if let Some(input) = self.input {
            let mut left = input;
            let written = take(&mut left, self.cache_write);
            let read = take(&mut left, self.cache_read);
            let fresh_audio =
                self.input_audio.map(|audio| audio.saturating_sub(self.cache_read_audio.unwrap_or(0)));
            let audio = take(&mut left, fresh_audio);
            buckets.push("input", Some(left));
            buckets.push("input_cached_tokens", read);
            let mut of_unknown_age = written.unwrap_or(0);
            let short = take(&mut of_unknown_age, self.cache_write_5m.filter(|_| written.is_some()));
            let long = take(&mut of_unknown_age, self.cache_write_1h.filter(|_| written.is_some()));
            let is_split = short.is_some() || long.is_some();
            let rest = written.map(|_| of_unknown_age).filter(|rest| *rest > 0 || !is_split);
            buckets.push("input_cache_creation", rest);
            buckets.push("input_cache_creation_5m", short);
            buckets.push("input_cache_creation_1h", long);
            buckets.push("input_audio_tokens", audio);
        }
        if let Some(output) = self.output {
            let mut left = output;
            let reasoning = take(&mut left, self.reasoning);
            let audio = take(&mut left, self.output_audio);
            buckets.push("output", Some(left));
            buckets.push("output_reasoning_tokens", reasoning);
            buckets.push("output_audio_tokens", audio);
        }
        let sum = buckets.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(count));
        let total = if buckets.used > 0 { Some(sum) } else { self.stated_total };
        buckets.push("total", total);
        buckets
    }
}

/// Takes a part out of what is left of its whole: all of the part, or as much as is left.
fn take(left: &mut u64, part: Option<u64>) -> Option<u64> {
    let taken = part?.min(*left);
    *left -= taken;
    Some(taken)
}

impl Buckets {
    fn push(&mut self, name: &'static str, count: Option<u64>) {
        if let (Some(count), Some(entry)) = (count, self.entries.get_mut(self.used)) {
            *entry = (name, count);
            self.used += 1;
        }
    }

    /// Whether nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The buckets by name, and last the `total`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.entries.iter().take(self.used).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(counts: Counts, expected: &[(&str, u64)]) {
        assert_eq!(counts.buckets().iter().collect::<Vec<_>>(), expected, "{counts:?}");
    }

    fn counts(input: u64, output: u64) -> Counts {
        Counts { input: Some(input), output: Some(output), ..Counts::default() }
    }

    #[test]
    fn buckets_do_not_overlap_and_add_up() {
        check(Counts::default(), &[]);
        check(counts(12, 7), &[("input", 12), ("output", 7), ("total", 19)]);
        check(
            Counts { cache_read: Some(17_817), reasoning: Some(30), ..counts(17_903, 150) },
            &[
                ("input", 86),
                ("input_cached_tokens", 17_817),
                ("output", 120),
                ("output_reasoning_tokens", 30),
                ("total", 18_053),
            ],
        );
        check(
            Counts { cache_write: Some(30), cache_read: Some(0), ..counts(100, 1) },
            &[
                ("input", 70),
                ("input_cached_tokens", 0),
                ("input_cache_creation", 30),
                ("output", 1),
                ("total", 101),
            ],
        );
        check(
            Counts {
                cache_write: Some(30),
                cache_write_5m: Some(10),
                cache_write_1h: Some(20),
                ..counts(100, 1)
            },
            &[
                ("input", 70),
                ("input_cache_creation_5m", 10),
                ("input_cache_creation_1h", 20),
                ("output", 1),
                ("total", 101),
            ],
        );
        check(
            Counts { cache_write: Some(30), cache_write_1h: Some(20), ..counts(100, 1) },
            &[
                ("input", 70),
                ("input_cache_creation", 10),
                ("input_cache_creation_1h", 20),
                ("output", 1),
                ("total", 101),
            ],
        );
        check(
            Counts {
                input_audio: Some(50),
                cache_read: Some(40),
                cache_read_audio: Some(20),
                output_audio: Some(6),
                reasoning: Some(2),
                ..counts(100, 10)
            },
            &[
                ("input", 30),
                ("input_cached_tokens", 40),
                ("input_audio_tokens", 30),
                ("output", 2),
                ("output_reasoning_tokens", 2),
                ("output_audio_tokens", 6),
                ("total", 110),
            ],
        );
    }

    #[test]
    fn what_is_not_known_has_no_bucket() {
        check(Counts { input: Some(9), ..Counts::default() }, &[("input", 9), ("total", 9)]);
        check(Counts { stated_total: Some(9), ..Counts::default() }, &[("total", 9)]);
        // A total that the parts contradict would make the backend's sum wrong.
        check(
            Counts { stated_total: Some(99), ..counts(1, 2) },
            &[("input", 1), ("output", 2), ("total", 3)],
        );
    }

    proptest! {
        #[test]
        fn buckets_always_add_up_to_the_total(
            values in prop::array::uniform11(prop::option::of(prop_oneof![0..100_u64, any::<u64>()]))
        ) {
            let [input, output, stated_total, cache_read, cache_write, cache_write_5m, cache_write_1h, input_audio,
                cache_read_audio, reasoning, output_audio] = values;
            let counts = Counts {
                input, output, stated_total, cache_read, cache_write, cache_write_5m, cache_write_1h, input_audio,
                cache_read_audio, reasoning, output_audio,
            };
            let buckets: Vec<_> = counts.buckets().iter().collect();
            let sum = |prefix: &str| buckets.iter().filter(|(name, _)| name.starts_with(prefix))
                .fold(0_u128, |sum, (_, count)| sum + u128::from(*count));
            prop_assert_eq!(sum("input"), u128::from(input.unwrap_or(0)));
            prop_assert_eq!(sum("output"), u128::from(output.unwrap_or(0)));
            let whole = sum("input") + sum("output");
            let expected = match (input, output) {
                (None, None) => stated_total,
                _ => Some(u64::try_from(whole).unwrap_or(u64::MAX)),
            };
            let total = buckets.iter().find(|(name, _)| *name == "total").map(|(_, count)| *count);
            prop_assert_eq!(total, expected);
        }
    }
}
