//! Spans of a trace in tree order, with what is below each added up.

use std::collections::HashMap;

use llmtrace::{ObservationKind, SpanId, Usd};

use crate::store::row::{SpanRow, SpanStatus, Tokens};

/// A span's place in the tree. Places stand in tree order: a parent before what is below it, siblings by start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// Which of the rows it is.
    pub(crate) row: usize,
    /// How many spans it is below.
    pub(crate) depth: usize,
    /// Whether it is the last of its siblings.
    pub(crate) is_last: bool,
    /// Bit `n` is set where the ancestor of depth `n` has siblings after it: its line goes on beside this row.
    pub(crate) lines: u32,
    /// How many places after this one are below it.
    pub(crate) below: usize,
    /// Why it stands where it does, where that is not as its span says.
    pub(crate) oddity: Oddity,
    /// The calls at and below it, added up.
    pub(crate) sum: Sum,
}

/// Why a span does not stand below its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// It does, or it is a root.
    #[default]
    None,
    /// Its parent has not come.
    Orphan,
    /// It is its own ancestor.
    Cycle,
}

/// What calls come to. What nobody stated is not in it, and makes it a lower bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    /// Calls; a call inside a call counts once.
    pub(crate) calls: u64,
    pub(crate) tokens: Tokens,
    pub(crate) cost: Option<Usd>,
    /// Spans that failed.
    pub(crate) errors: u64,
    /// Whether tokens of some call are not known.
    pub(crate) tokens_missing: bool,
    /// Whether the cost of some call is not known, or not in full.
    pub(crate) cost_missing: bool,
    /// Whether some tokens are an estimate.
    pub(crate) estimated: bool,
}

/// Levels whose lines are drawn; below them rows are not indented further.
pub(crate) const MAX_LEVELS: usize = 9;

/// Puts the spans of a trace into tree order. Works in steps, not calls, so that depth costs no stack.
pub(crate) fn tree(rows: &[SpanRow]) -> Vec<Place> {
    let by_id: HashMap<SpanId, usize> = rows.iter().enumerate().map(|(at, row)| (row.span_id, at)).collect();
    let mut children = vec![Vec::new(); rows.len()];
    let mut tops = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let parent = row.parent.and_then(|parent| by_id.get(&parent));
        match parent.and_then(|parent| children.get_mut(*parent)) {
            Some(siblings) => siblings.push(at),
            None => tops.push(at),
        }
    }
    let start = |at: &usize| rows.get(*at).map(|row| (row.start, row.span_id));
    tops.sort_by_key(start);
    for siblings in &mut children {
        siblings.sort_by_key(start);
    }
    let mut tree =
        Tree { rows, children, placed: vec![false; rows.len()], places: Vec::with_capacity(rows.len()) };
    tree.place(&tops, Oddity::Orphan);
    // Spans that are their own ancestors hang from no top.
    let mut from = 0;
    while let Some(at) = tree.placed.iter().skip(from).position(|placed| !placed) {
        from += at;
        tree.place(&[from], Oddity::Cycle);
    }
    add_up(rows, &mut tree.places);
    tree.places
}

struct Tree<'a> {
    rows: &'a [SpanRow],
    children: Vec<Vec<usize>>,
    placed: Vec<bool>,
    places: Vec<Place>,
}

impl Tree<'_> {
    /// Places spans and all below them.
    fn place(&mut self, tops: &[usize], oddity: Oddity) {
        let mut waiting = Vec::new();
        push(&mut waiting, tops, 0, 0);
        while let Some((at, depth, is_last, lines)) = waiting.pop() {
            match self.placed.get_mut(at) {
                Some(placed) if !*placed => *placed = true,
                _ => continue,
            }
            let has_parent =
                self.rows.get(at).is_some_and(|row| row.parent.is_some() && !row.parent_is_remote);
            let oddity = if depth == 0 && has_parent { oddity } else { Oddity::None };
            self.places.push(Place { row: at, depth, is_last, lines, below: 0, oddity, sum: Sum::default() });
            let goes_on = if is_last || depth == 0 { 0 } else { bit(depth) };
            let below = self.children.get(at).map(Vec::as_slice).unwrap_or_default();
            push(&mut waiting, below, depth + 1, lines | goes_on);
        }
    }
}

/// Puts siblings on the stack, the first of them on top.
fn push(waiting: &mut Vec<(usize, usize, bool, u32)>, siblings: &[usize], depth: usize, lines: u32) {
    let last = siblings.len().saturating_sub(1);
    waiting.extend(siblings.iter().enumerate().rev().map(|(index, at)| (*at, depth, index == last, lines)));
}

fn bit(depth: usize) -> u32 {
    u32::try_from(depth).ok().and_then(|depth| 1_u32.checked_shl(depth)).unwrap_or(0)
}

/// Adds up what is below each place: backwards, where children come before their parents.
fn add_up(rows: &[SpanRow], places: &mut [Place]) {
    // The first places of finished siblings, the nearest on top.
    let mut finished: Vec<(usize, usize, Sum)> = Vec::new();
    for place in places.iter_mut().rev() {
        let mut sum = rows.get(place.row).map(own).unwrap_or_default();
        while let Some((_, size, below)) = finished.pop_if(|(depth, ..)| *depth > place.depth) {
            sum.add(&below);
            place.below += size;
        }
        place.sum = sum;
        finished.push((place.depth, place.below + 1, sum));
    }
}

/// What a span itself adds.
fn own(row: &SpanRow) -> Sum {
    let failed = row.status == SpanStatus::Error;
    let mut sum = Sum { errors: u64::from(failed), ..Sum::default() };
    if row.is_counted {
        sum.calls = 1;
        sum.tokens = row.tokens;
        sum.cost = row.cost;
        // A call that failed is taken to be free, and rerankers count no tokens as a rule.
        sum.tokens_missing = row.tokens.total().is_none() && !failed && row.kind != ObservationKind::Reranker;
        sum.cost_missing = row.is_cost_incomplete || (row.cost.is_none() && !failed);
        sum.estimated = row.is_estimated;
    }
    sum
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.errors += other.errors;
        self.tokens.add(&other.tokens);
        self.cost = match (self.cost, other.cost) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        self.tokens_missing |= other.tokens_missing;
        self.cost_missing |= other.cost_missing;
        self.estimated |= other.estimated;
    }

    /// The sum of several places.
    pub(crate) fn of_all<'a>(sums: impl Iterator<Item = &'a Self>) -> Self {
        sums.fold(Self::default(), |mut all, sum| {
            all.add(sum);
            all
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::trace::testing::span;

    /// Each place as `name depth below`, with a mark for what is odd.
    fn drawn(rows: &[SpanRow]) -> String {
        let places = tree(rows);
        let place = |place: &Place| {
            let odd = match place.oddity {
                Oddity::None => "",
                Oddity::Orphan => " orphan",
                Oddity::Cycle => " cycle",
            };
            format!("{} {} {}{odd}", rows[place.row].name, place.depth, place.below)
        };
        places.iter().map(place).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn spans_find_their_parents_in_any_order() {
        let check = |spans: &[(u64, u64)], expected: &str| {
            let rows: Vec<_> = spans.iter().map(|(id, parent)| span(*id, *parent)).collect();
            assert_eq!(drawn(&rows), expected);
            let backwards: Vec<_> = rows.into_iter().rev().collect();
            assert_eq!(drawn(&backwards).len(), expected.len(), "backwards");
        };
        check(&[], "");
        check(&[(1, 0), (2, 1), (3, 1), (4, 2)], "1 0 3, 2 1 1, 4 2 0, 3 1 0");
        check(&[(3, 2), (2, 1), (1, 0)], "1 0 2, 2 1 1, 3 2 0");
        check(&[(2, 9), (3, 2), (1, 0)], "1 0 0, 2 0 1 orphan, 3 1 0");
        check(&[(1, 1)], "1 0 0 cycle");
        check(&[(1, 0), (2, 3), (3, 2)], "1 0 0, 2 0 1 cycle, 3 1 0");
    }

    #[test]
    fn lines_go_on_beside_later_siblings() {
        let rows: Vec<_> = [(1, 0), (2, 1), (3, 2), (4, 1)].map(|(id, parent)| span(id, parent)).into();
        let lines: Vec<_> = tree(&rows).iter().map(|place| (place.lines, place.is_last)).collect();
        assert_eq!(lines, [(0, true), (0, false), (0b10, true), (0, true)]);
    }

    #[test]
    fn a_deep_and_a_wide_tree_take_steps_not_stack() {
        let deep: Vec<_> = (1..=10_000).map(|id| span(id, id - 1)).collect();
        let places = tree(&deep);
        assert_eq!((places[0].below, places[9_999].depth), (9_999, 9_999));
        let wide: Vec<_> = (1..=100_000).map(|id| span(id, u64::from(id > 1))).collect();
        assert_eq!(tree(&wide)[0].below, 99_999);
        let cycles: Vec<_> = (1..=100_000).map(|id| span(id, id)).collect();
        assert_eq!(tree(&cycles).len(), 100_000);
    }

    #[test]
    fn a_call_counts_once_and_gaps_make_bounds() {
        let call = |id, parent, input: Option<u64>, cost: Option<i128>, is_counted| SpanRow {
            tokens: Tokens { input, ..Tokens::default() },
            cost: cost.map(Usd::from_pico),
            is_counted,
            ..span(id, parent)
        };
        let rows = [
            span(1, 0),
            call(2, 1, Some(10), Some(5), true),
            call(3, 2, Some(10), Some(5), false),
            call(4, 1, None, None, true),
            SpanRow { status: SpanStatus::Error, ..call(5, 1, None, None, true) },
        ];
        let sums: Vec<_> = tree(&rows).into_iter().map(|place| place.sum).collect();
        assert_eq!((sums[0].calls, sums[0].tokens.input, sums[0].errors), (3, Some(10), 1));
        assert_eq!(sums[0].cost, Some(Usd::from_pico(5)));
        assert!(sums[0].cost_missing && sums[0].tokens_missing);
        assert!(!sums[1].cost_missing && !sums[4].tokens_missing);
    }
}
