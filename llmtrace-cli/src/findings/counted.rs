//! Which calls of a trace count: two libraries may see the same one.

use std::collections::HashMap;

use llmtrace::SpanId;

/// What is asked of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) is_call: bool,
    /// Whether it states tokens or a cost.
    pub(crate) has_figures: bool,
}

/// What is known of the spans of a trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// The places of their parents.
    pub(crate) parents: Vec<Option<usize>>,
    /// Whether they are calls that stand for themselves.
    pub(crate) counted: Vec<bool>,
}

/// Finds parents, and calls that count: of calls within each other the outermost with figures, else the outermost.
///
/// Spans in a circle of parents have none above them.
pub(crate) fn tree(links: &[Link]) -> Tree {
    let places: HashMap<SpanId, usize> =
        links.iter().zip(0..).map(|(link, place)| (link.id, place)).collect();
    let parents: Vec<Option<usize>> = links.iter().map(|link| places.get(&link.parent?).copied()).collect();
    if !links.iter().any(|link| link.is_call) {
        return Tree { parents, counted: vec![false; links.len()] };
    }
    let order = from_the_top(&parents);
    // Whether a call, and one with figures, lies above.
    let mut above = vec![(false, false); links.len()];
    for place in &order {
        let own = parents.get(*place).copied().flatten().and_then(|parent| {
            let link = links.get(parent)?;
            let (call, figures) = above.get(parent).copied()?;
            Some((call || link.is_call, figures || (link.is_call && link.has_figures)))
        });
        if let (Some(known), Some(own)) = (above.get_mut(*place), own) {
            *known = own;
        }
    }
    let mut below = vec![false; links.len()];
    for place in order.iter().rev() {
        let has = below.get(*place).is_some_and(|below| *below)
            || links.get(*place).is_some_and(|link| link.is_call && link.has_figures);
        if let Some(parent) = parents.get(*place).copied().flatten()
            && let Some(known) = below.get_mut(parent)
        {
            *known |= has;
        }
    }
    let counted = links.iter().zip(above.iter().zip(&below)).map(|(link, ((call, figures), below))| {
        link.is_call && if link.has_figures { !figures } else { !call && !below }
    });
    let counted = counted.collect();
    Tree { parents, counted }
}

/// Every place once, parents before their children; those in circles last.
fn from_the_top(parents: &[Option<usize>]) -> Vec<usize> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut order = Vec::with_capacity(parents.len());
    for (place, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(place),
            None => order.push(place),
        }
    }
    let mut next = 0;
    while let Some(place) = order.get(next).copied() {
        order.extend(children.get(place).into_iter().flatten());
        next += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_counts_of_those_within_each_other() {
        // A span: id, parent (0 is none), whether it is a call, whether it states figures; and who counts.
        let check = |drawn: &[(u64, u64, bool, bool)], expected: &[u64]| {
            let id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
            let links: Vec<_> = drawn
                .iter()
                .map(|(own, parent, is_call, has_figures)| Link {
                    id: id(*own).unwrap(),
                    parent: id(*parent),
                    is_call: *is_call,
                    has_figures: *has_figures,
                })
                .collect();
            let tree = tree(&links);
            let counted: Vec<_> =
                drawn.iter().zip(&tree.counted).filter(|(_, is)| **is).map(|((id, ..), _)| *id).collect();
            assert_eq!(counted, expected, "{drawn:?}");
        };
        check(&[(1, 0, true, true), (2, 0, true, false)], &[1, 2]);
        check(&[(1, 0, true, true), (2, 1, true, true)], &[1]);
        check(&[(1, 0, true, false), (2, 1, true, true)], &[2]);
        check(&[(1, 0, true, false), (2, 1, false, false), (3, 2, true, true)], &[3]);
        check(&[(1, 0, true, false), (2, 1, true, false)], &[1]);
        check(&[(2, 1, true, true), (1, 0, false, false), (3, 1, true, true)], &[2, 3]);
        // Spans that are their own ancestors.
        check(&[(1, 2, true, true), (2, 1, true, true)], &[1, 2]);
        check(&[(1, 1, true, true)], &[1]);
        check(&[(1, 7, true, true)], &[1]);
    }
}
