//! Owen values over a tree of parts.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

use super::limits::{Held, most_masks};
use super::{Coalition, Coverage, ExplainError, Game, MergeTree, Method, Parts, Solution};

/// Owen values over a tree of parts, as `PartitionExplainer` of shap 0.51 does it: the score is shared between the two
/// halves of the prompt as Shapley would, each half's share between its halves, and so on, the strongest first. About
/// parts² calls for the tree of a text; at its limit of calls (500 unless told otherwise) groups that were not opened
/// share evenly.
///
/// G. Owen, "Values of games with a priori unions", 1977.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owen {
    limit: usize,
    tree: Option<MergeTree>,
}

/// Calls that are made unless told otherwise, as in shap.
const LIMIT: usize = 500;
/// Masks that are scored before the next strongest groups are chosen, as in shap. Scoring more at a time would make
/// results depend on the number of threads.
const ROUND: usize = 10;

impl Owen {
    /// Over this tree in place of the text's own.
    pub fn over(tree: MergeTree) -> Self {
        Self { limit: LIMIT, tree: Some(tree) }
    }

    /// Scores at most so many masks, the two ends included, and never more than [`MAX_MASKS`](super::MAX_MASKS), of many
    /// parts fewer; the result says where that cut it short.
    pub fn limit(mut self, masks: usize) -> Self {
        self.limit = masks;
        self
    }

    fn tree(&self, parts: &Parts) -> Result<MergeTree, ExplainError> {
        match &self.tree {
            Some(tree) if tree.parts() == parts.len() => Ok(tree.clone()),
            Some(tree) => {
                Err(ExplainError::Mismatch { what: "the tree", found: tree.parts(), expected: parts.len() })
            }
            None => MergeTree::of_text(parts),
        }
    }
}

impl Default for Owen {
    /// Over the tree of the text, 500 calls.
    fn default() -> Self {
        Self { limit: LIMIT, tree: None }
    }
}

/// A group whose share is to be split: what it adds to a context, and how much that counts.
#[derive(Debug)]
struct Open {
    group: usize,
    context: Coalition,
    before: f64,
    after: f64,
    weight: f64,
    /// Which came first, to break ties.
    number: usize,
}

impl Open {
    fn strength(&self) -> f64 {
        (self.after - self.before).abs() * self.weight
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        self.strength().total_cmp(&other.strength()).then_with(|| other.number.cmp(&self.number))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Open {}

/// The splitting under way.
struct Split<'a> {
    tree: &'a MergeTree,
    open: BinaryHeap<Open>,
    shares: Vec<f64>,
    asked: HashSet<Coalition>,
    limit: usize,
    opened: usize,
}

impl<'a> Split<'a> {
    fn new(tree: &'a MergeTree, limit: usize, base: f64, full: f64) -> Self {
        let (parts, root) = (tree.parts(), tree.root());
        let asked = HashSet::from([Coalition::empty(parts), Coalition::full(parts)]);
        let context = Coalition::empty(parts);
        let open = Open { group: root, context, before: base, after: full, weight: 1.0, number: 0 };
        Self { tree, open: BinaryHeap::from([open]), shares: vec![0.0; root + 1], asked, limit, opened: 1 }
    }

    /// The strongest groups that may still be split, with the masks to score: the context with each half. Parts get
    /// their shares on the way.
    fn next_round(&mut self) -> Vec<(Open, [usize; 2], [Coalition; 2])> {
        let mut round = Vec::new();
        while 2 * round.len() < ROUND && self.asked.len() + 2 <= self.limit {
            let Some(open) = self.open.pop() else { break };
            let Some(halves) = self.tree.children(open.group) else {
                self.settle(&open);
                continue;
            };
            let masks = halves.map(|half| open.context.union(self.tree.members(half)));
            self.asked.extend(masks.iter().cloned());
            round.push((open, halves, masks));
        }
        round
    }

    fn settle(&mut self, open: &Open) {
        self.shares[open.group] += (open.after - open.before) * open.weight;
    }

    /// Splits a group: each half is judged without and with the other.
    fn split(&mut self, open: Open, halves: [usize; 2], masks: [Coalition; 2], values: [f64; 2]) {
        let Open { context, before, after, weight, .. } = open;
        let [left, right] = halves;
        let [with_left, with_right] = masks;
        let [left_alone, right_alone] = values;
        let half = weight / 2.0;
        self.push(left, context.clone(), before, left_alone, half);
        self.push(right, context, before, right_alone, half);
        self.push(left, with_right, right_alone, after, half);
        self.push(right, with_left, left_alone, after, half);
    }

    fn push(&mut self, group: usize, context: Coalition, before: f64, after: f64, weight: f64) {
        self.open.push(Open { group, context, before, after, weight, number: self.opened });
        self.opened += 1;
    }

    /// Settles what is left, and shares what stayed with groups among their parts.
    fn finish(mut self) -> Solution {
        let mut coverage = Coverage::Whole;
        while let Some(open) = self.open.pop() {
            if self.tree.children(open.group).is_some() {
                coverage = Coverage::CutShort;
            }
            self.settle(&open);
        }
        let parts = self.tree.parts();
        for group in (parts..self.shares.len()).rev() {
            let Some(halves) = self.tree.children(group) else { continue };
            let size = self.tree.members(group).kept() as f64;
            for half in halves {
                self.shares[half] += self.shares[group] * self.tree.members(half).kept() as f64 / size;
            }
        }
        self.shares.truncate(parts);
        Solution { coverage, ..Solution::new(self.shares) }
    }
}

impl Method for Owen {
    fn name(&self) -> &'static str {
        "owen"
    }

    fn masks(&self, parts: &Parts, _: u64) -> Result<Vec<Coalition>, ExplainError> {
        let tree = self.tree(parts)?;
        let limit = self.limit.min(most_masks(parts.len(), Held::Membership));
        let mut split = Split::new(&tree, limit, 0.0, 0.0);
        loop {
            let round = split.next_round();
            if round.is_empty() {
                return Ok(split.asked.into_iter().collect());
            }
            for (open, halves, masks) in round {
                split.split(open, halves, masks, [0.0; 2]);
            }
        }
    }

    fn solve(&self, game: &Game<'_>) -> Result<Solution, ExplainError> {
        let tree = self.tree(game.parts())?;
        let parts = tree.parts();
        let ends = game.values(&[Coalition::empty(parts), Coalition::full(parts)])?;
        let [base, full] = ends[..] else { return Err(ExplainError::NoParts) };
        // Never more than was planned, whatever is opened first.
        let limit = self.masks(game.parts(), game.first_seed())?.len();
        let mut split = Split::new(&tree, limit, base, full);
        loop {
            let round = split.next_round();
            if round.is_empty() {
                return Ok(split.finish());
            }
            let masks: Vec<_> = round.iter().flat_map(|(_, _, masks)| masks.iter().cloned()).collect();
            let values = game.values(&masks)?;
            for ((open, halves, masks), values) in round.into_iter().zip(values.chunks_exact(2)) {
                split.split(open, halves, masks, [values[0], values[1]]);
            }
        }
    }
}
