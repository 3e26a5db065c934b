//! What calls add up to.

use std::collections::{BTreeMap, HashMap};

use llmtrace::Usd;

use super::By;
use super::call::{Call, Counted, Reason, Tokens};
use super::quantiles::Quantiles;

/// What the calls of one model, session, user or day add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) calls: u64,
    pub(super) errors: u64,
    /// Calls without a cost, by the reason.
    pub(super) unpriced: BTreeMap<Reason, u64>,
    /// Calls whose tokens are not known in full.
    pub(super) uncounted: u64,
    /// Calls whose tokens were counted on this side.
    pub(super) estimated: u64,
    pub(super) tokens: Tokens,
    /// The cost of the calls that have one.
    pub(super) cost: Option<Usd>,
    /// Whether fees are missing in a cost.
    pub(super) is_cost_incomplete: bool,
    /// Nanoseconds from start to end.
    pub(super) latency: Quantiles,
    /// Nanoseconds to the first content.
    pub(super) first_chunk: Quantiles,
}

/// All groups, and their total.
#[derive(Debug)]
pub(super) struct Groups {
    by_key: HashMap<Option<Box<str>>, Group>,
    total: Group,
    /// Calls of groups that are not told apart any more.
    others: Option<Group>,
    /// Values that are kept one by one, at most.
    exact: usize,
    /// How many may be kept so.
    room: usize,
    /// How often values were put in bins.
    rounds: u32,
}

/// The groups in the order in which they are shown.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) groups: Vec<(Option<Box<str>>, Group)>,
    /// Calls of groups beyond the bound.
    pub(super) others: Option<Group>,
    pub(super) total: Group,
}

/// Groups that are told apart.
const MAX_GROUPS: usize = 100_000;

/// Values that are kept one by one over all groups: 64 MiB of them.
const MAX_EXACT: usize = 8 << 20;

impl Groups {
    pub(super) fn new() -> Self {
        Self::with_room(MAX_EXACT)
    }

    fn with_room(room: usize) -> Self {
        let (by_key, total) = (HashMap::new(), Group::default());
        Self { by_key, total, others: None, exact: 0, room, rounds: 0 }
    }

    pub(super) fn add(&mut self, call: &Call) {
        self.total.add(call);
        let group = if self.by_key.len() < MAX_GROUPS || self.by_key.contains_key(&call.key) {
            self.by_key.entry(call.key.clone()).or_default()
        } else {
            self.others.get_or_insert_default()
        };
        group.add(call);
        // Each value is kept in its group and in the total.
        self.exact += 2 * (1 + usize::from(call.first_chunk.is_some()));
        if self.exact > self.room {
            self.put_in_bins();
        }
    }

    /// All calls together.
    pub(super) fn total(&self) -> &Group {
        &self.total
    }

    /// The dearest group first, or the earliest day.
    pub(super) fn sorted(self, by: By) -> Sorted {
        let mut groups: Vec<_> = self.by_key.into_iter().collect();
        groups.sort_unstable_by(|(key, group), (other_key, other)| {
            let by_size = || (other.cost, other.calls).cmp(&(group.cost, group.calls));
            let by_name = || key.is_none().cmp(&other_key.is_none()).then_with(|| key.cmp(other_key));
            if by == By::Day { by_name() } else { by_size().then_with(by_name) }
        });
        Sorted { groups, others: self.others, total: self.total }
    }

    /// Keeps fewer values one by one: those of ever smaller groups are put in bins.
    fn put_in_bins(&mut self) {
        let limit = (self.room / 4).checked_shr(2 * self.rounds).unwrap_or(0);
        let all = self.by_key.values_mut().chain(&mut self.others).chain([&mut self.total]);
        let mut left = 0;
        for quantiles in all.flat_map(|group| [&mut group.latency, &mut group.first_chunk]) {
            if quantiles.exact() > limit {
                quantiles.put_in_bins();
            }
            left += quantiles.exact();
        }
        self.exact = left;
        if left > self.room / 2 {
            self.rounds += 1;
        }
    }
}

impl Group {
    /// Calls without a cost.
    pub(super) fn unpriced(&self) -> u64 {
        self.unpriced.values().sum()
    }

    /// Whether the cost is known to be too small. A call that failed is taken to be free.
    pub(super) fn is_cost_lower_bound(&self) -> bool {
        self.is_cost_incomplete || self.unpriced.keys().any(|reason| *reason != Reason::Failed)
    }

    fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.errors += u64::from(call.failed);
        self.uncounted += u64::from(call.counted == Counted::InPart);
        self.estimated += u64::from(call.counted == Counted::Estimated);
        self.tokens.add(call.tokens);
        match call.cost {
            Ok(cost) => *self.cost.get_or_insert(Usd::ZERO) += cost,
            Err(reason) => *self.unpriced.entry(reason).or_default() += 1,
        }
        self.is_cost_incomplete |= call.is_cost_incomplete;
        self.latency.add(call.latency);
        if let Some(first_chunk) = call.first_chunk {
            self.first_chunk.add(first_chunk);
        }
    }
}

impl Tokens {
    fn add(&mut self, more: Self) {
        let pairs = [
            (&mut self.input, more.input),
            (&mut self.output, more.output),
            (&mut self.cache_read, more.cache_read),
            (&mut self.cache_write, more.cache_write),
            (&mut self.reasoning, more.reasoning),
        ];
        for (sum, more) in pairs {
            *sum = more.map(|more| sum.unwrap_or(0).saturating_add(more)).or(*sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(key: &str, latency: u64) -> Call {
        Call {
            key: Some(key.into()),
            failed: false,
            tokens: Tokens::default(),
            counted: Counted::InFull,
            cost: Err(Reason::NoUsage),
            is_cost_incomplete: false,
            latency,
            first_chunk: None,
        }
    }

    #[test]
    fn values_that_are_kept_are_bounded() {
        let mut groups = Groups::with_room(10_000);
        let small = |latency| call("small", latency);
        for latency in 0..100 {
            groups.add(&small(latency));
        }
        for latency in 0..60_000 {
            groups.add(&call("large", latency));
        }
        let kept = |group: &Group| group.latency.exact();
        assert!(groups.exact <= 10_000);
        assert_eq!(kept(&groups.by_key[&small(0).key]), 100);
        assert_eq!((kept(&groups.by_key[&call("large", 0).key]), kept(&groups.total)), (0, 0));
        let [median] = groups.total.latency.at([50]).unwrap();
        assert!(median.abs_diff(30_000) <= 30_000 / 128, "{median}");
    }

    #[test]
    fn groups_are_bounded() {
        let mut groups = Groups::new();
        for number in 0..=MAX_GROUPS as u64 {
            groups.add(&call(&number.to_string(), 1));
        }
        groups.add(&call("0", 1));
        let sorted = groups.sorted(By::Session);
        assert_eq!((sorted.groups.len(), sorted.others.unwrap().calls), (MAX_GROUPS, 1));
        assert_eq!(sorted.total.calls, MAX_GROUPS as u64 + 2);
        assert_eq!(sorted.groups.first().unwrap().0.as_deref(), Some("0"));
    }
}
