//! From spans with parents to rows of a tree.

use std::collections::HashMap;

use super::node::Node;
use super::totals::Totals;

/// One row: a span, where it hangs, and the totals from here down.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) node: &'a Node,
    /// The branch that leads to it.
    pub(super) branch: String,
    /// What stands below the branch on a second line of the same span.
    pub(super) below: String,
    pub(super) totals: Totals,
    /// Whether the totals come from the spans below.
    pub(super) sums_tokens: bool,
    pub(super) sums_cost: bool,
}

/// Branches that are drawn; deeper spans state their depth.
const MAX_DRAWN: usize = 10;

/// A span and its parent's place in the order.
struct Place {
    node: usize,
    parent: Option<usize>,
    depth: usize,
    has_children: bool,
    branch: String,
    below: String,
}

/// Rows in the order of the tree: children below their parents, by time. `hanging` says that even the topmost
/// spans hang from something.
pub(super) fn rows(nodes: &[Node], hanging: bool) -> (Vec<Row<'_>>, Totals) {
    let places = places(nodes, hanging);
    let mut below = vec![Totals::default(); places.len()];
    let mut all = Totals::default();
    let mut rows = Vec::with_capacity(places.len());
    // Children come after their parents, so that backwards their sums are complete.
    for (index, place) in places.into_iter().enumerate().rev() {
        let Some(node) = nodes.get(place.node) else { continue };
        let sum = below.get(index).copied().unwrap_or_default();
        let totals = Totals::of(node, sum);
        match place.parent.and_then(|parent| below.get_mut(parent)) {
            Some(parent) => parent.add(totals),
            None => all.add(totals),
        }
        let is_call = node.kind.is_model_call();
        rows.push(Row {
            node,
            branch: place.branch,
            below: place.below + if place.has_children { "│  " } else { "   " },
            totals,
            sums_tokens: !is_call && sum.has_tokens(),
            sums_cost: !is_call && sum.cost.is_some(),
        });
    }
    rows.reverse();
    (rows, all)
}

fn places(nodes: &[Node], hanging: bool) -> Vec<Place> {
    let by_id: HashMap<_, _> = nodes.iter().enumerate().map(|(index, node)| (node.id, index)).collect();
    let mut children = vec![Vec::new(); nodes.len()];
    let mut tops = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let parent = node.parent.filter(|_| !node.is_local_root).and_then(|parent| by_id.get(&parent));
        match parent.and_then(|parent| children.get_mut(*parent)) {
            Some(siblings) => siblings.push(index),
            None => tops.push(index),
        }
    }
    let start = |index: &usize| nodes.get(*index).map(|node| node.start);
    tops.sort_by_key(start);
    for siblings in &mut children {
        siblings.sort_by_key(start);
    }
    let mut places = Vec::with_capacity(nodes.len());
    let mut placed = vec![false; nodes.len()];
    place_all(&tops, &children, hanging, &mut placed, &mut places);
    // Spans that are their own ancestors hang from no top.
    while let Some(index) = placed.iter().position(|placed| !placed) {
        place_all(&[index], &children, hanging, &mut placed, &mut places);
    }
    places
}

/// Places the spans of `tops` and all below them.
fn place_all(
    tops: &[usize],
    children: &[Vec<usize>],
    hanging: bool,
    placed: &mut [bool],
    places: &mut Vec<Place>,
) {
    let mut waiting = Vec::new();
    push_siblings(&mut waiting, tops, None, usize::from(hanging), "");
    while let Some(mut place) = waiting.pop() {
        match placed.get_mut(place.node) {
            Some(placed) if !*placed => *placed = true,
            _ => continue,
        }
        let below = children.get(place.node).map(Vec::as_slice).unwrap_or_default();
        place.has_children = !below.is_empty();
        push_siblings(&mut waiting, below, Some(places.len()), place.depth + 1, &place.below);
        places.push(place);
    }
}

/// Puts siblings on the stack, the first of them on top.
fn push_siblings(
    waiting: &mut Vec<Place>,
    siblings: &[usize],
    parent: Option<usize>,
    depth: usize,
    left: &str,
) {
    for (index, &node) in siblings.iter().enumerate().rev() {
        let last = index + 1 == siblings.len();
        let (branch, below) = match depth {
            0 => (String::new(), String::new()),
            1..=MAX_DRAWN if last => (format!("{left}└─ "), format!("{left}   ")),
            1..=MAX_DRAWN => (format!("{left}├─ "), format!("{left}│  ")),
            _ => (format!("{left}[{depth}] "), left.to_owned()),
        };
        waiting.push(Place { node, parent, depth, has_children: false, branch, below });
    }
}
