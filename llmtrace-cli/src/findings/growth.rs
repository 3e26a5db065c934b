//! Prompts that grow from call to call.

/// How the input tokens of calls grew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Growth {
    pub(super) calls: usize,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Input tokens of all calls.
    pub(super) sum: u64,
    /// Tokens that a call has more than the one before, on average.
    pub(super) step: f64,
}

/// Calls that there must be.
pub(super) const MIN_CALLS: usize = 8;

/// How often the first prompt the last one must be.
pub(super) const MIN_TIMES: u64 = 8;

/// Input tokens that the last prompt must have.
const MIN_TOKENS: u64 = 20_000;

/// How close to a line the growth must be: Pearson's correlation of tokens with the number of the call.
const MIN_CORRELATION: f64 = 0.9;

/// How prompts grew, where they did so without bound: to many times the first, nearly along a line, and to the end.
pub(super) fn of(tokens: &[u64]) -> Option<Growth> {
    let (first, last) = (*tokens.first()?, *tokens.last()?);
    let largest = tokens.iter().copied().max()?;
    let grew = last >= MIN_TOKENS && last / MIN_TIMES >= first && last >= largest / 10 * 9;
    if tokens.len() < MIN_CALLS || !grew || correlation(tokens) < MIN_CORRELATION {
        return None;
    }
    let sum = tokens.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let step = (last - first) as f64 / (tokens.len() - 1) as f64;
    Some(Growth { calls: tokens.len(), first, last, sum, step })
}

fn correlation(tokens: &[u64]) -> f64 {
    let n = tokens.len() as f64;
    let (middle, mean) = ((n - 1.0) / 2.0, tokens.iter().map(|count| *count as f64).sum::<f64>() / n);
    let (mut both, mut numbers, mut counts) = (0.0, 0.0, 0.0);
    for (number, count) in tokens.iter().enumerate() {
        let (x, y) = (number as f64 - middle, *count as f64 - mean);
        both += x * y;
        numbers += x * x;
        counts += y * y;
    }
    if numbers * counts > 0.0 { both / (numbers * counts).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_steady_growth_to_the_end_counts() {
        let check = |tokens: &[u64], grows: bool| assert_eq!(of(tokens).is_some(), grows, "{tokens:?}");
        let line: Vec<u64> = (0..20).map(|call| 1_000 + call * 2_000).collect();
        check(&line, true);
        check(&line[..7], false);
        // Not large.
        check(&line.iter().map(|count| count / 10).collect::<Vec<_>>(), false);
        // Large from the start.
        check(&line.iter().map(|count| count + 10_000).collect::<Vec<_>>(), false);
        // Compacted at the end.
        let mut compacted = line.clone();
        compacted.push(2_000);
        check(&compacted, false);
        // One large prompt, the last.
        let mut jump = vec![1_000; 20];
        jump.push(40_000);
        check(&jump, false);
        check(&[], false);
    }
}
