//! A trace as a tree that can be walked, whatever its spans say of each other.

use std::collections::HashMap;

use llmtrace::{ObservationKind as Kind, SpanId, SpanRecord};

use super::align::Score;

/// The spans of a trace, each once, in order of their starts; spans without a parent that leads to a root are roots.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) spans: Vec<&'a SpanRecord>,
    roots: Vec<usize>,
    children: Vec<Vec<usize>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(spans: &'a [SpanRecord]) -> Self {
        let mut last: HashMap<_, &SpanRecord> = HashMap::with_capacity(spans.len());
        for span in spans {
            last.insert(span.span_id, span);
        }
        let mut spans: Vec<_> = last.into_values().collect();
        spans.sort_unstable_by_key(|span| (span.start, span.span_id));
        let places: HashMap<_, usize> =
            spans.iter().zip(0..).map(|(span, place)| (span.span_id, place)).collect();
        let mut tree = Self { children: vec![Vec::new(); spans.len()], roots: Vec::new(), spans };
        for (place, span) in tree.spans.iter().enumerate() {
            let parent = span.parent_span_id.and_then(|parent| places.get(&parent));
            match parent.and_then(|parent| tree.children.get_mut(*parent)) {
                Some(siblings) => siblings.push(place),
                None => tree.roots.push(place),
            }
        }
        tree.open_circles(&places);
        tree
    }

    /// The children of a span, or the roots.
    pub(super) fn below(&self, place: Option<usize>) -> &[usize] {
        match place {
            Some(place) => self.children.get(place).map_or(&[], Vec::as_slice),
            None => &self.roots,
        }
    }

    pub(super) fn span(&self, place: usize) -> Option<&'a SpanRecord> {
        self.spans.get(place).copied()
    }

    /// Makes the first span of each circle of parents a root.
    fn open_circles(&mut self, places: &HashMap<SpanId, usize>) {
        let mut seen = vec![false; self.spans.len()];
        let mut stack = self.roots.clone();
        let mut next = 0;
        loop {
            while let Some(place) = stack.pop() {
                if let Some(seen) = seen.get_mut(place) {
                    *seen = true;
                }
                stack.extend(self.children.get(place).into_iter().flatten());
            }
            let Some(place) = (next..seen.len()).find(|place| seen.get(*place) == Some(&false)) else {
                return;
            };
            next = place + 1;
            let parent = self.span(place).and_then(|span| places.get(&span.parent_span_id?));
            if let Some(children) = parent.and_then(|parent| self.children.get_mut(*parent)) {
                children.retain(|child| *child != place);
            }
            self.roots.push(place);
            stack.push(place);
        }
    }
}

/// How well two spans answer each other: by kind, then by name, then by what they were given.
pub(super) fn likeness(a: &SpanRecord, b: &SpanRecord) -> Score {
    if a.kind != b.kind {
        return None;
    }
    let same_input = u32::from(!a.input.is_empty() && a.input == b.input);
    if a.name == b.name {
        return Some(4 + u32::from(a.model() == b.model()) + same_input);
    }
    // Names of calls tell the model, which may be what is compared; those of tools and steps tell what they do.
    let first = |span: &'_ SpanRecord| span.name.split_whitespace().next().map(str::to_owned);
    let same_start = u32::from(first(a) == first(b));
    match a.kind {
        Kind::Tool | Kind::Span | Kind::Workflow => None,
        _ => Some(1 + same_start + same_input),
    }
}
