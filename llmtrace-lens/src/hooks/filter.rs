//! Choosing hook points by name.

use std::ops::Range;

use super::point::{HookPoint, Site};
use crate::error::RunError;
use crate::model::Config;

/// Chooses hook points: names, aliases and short names, with `*` for any run of characters, several separated by commas.
///
/// `*` leaves out the points that cost extra work (`hook_result`, `hook_q_input`, ..): they are chosen where a pattern ends in their own name.
/// Where an input of heads is chosen, the first norm of its block has a value for each head (see [`Site::Ln1Scale`]).
///
/// ```
/// use llmtrace_lens::Filter;
///
/// let patterns_of_late_layers = Filter::new("blocks.*.attn.hook_pattern, hook_embed").layers(8..12);
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    patterns: Vec<String>,
    layers: Option<Range<usize>>,
}

impl Filter {
    /// Reads patterns; one that matches nothing is an error of the run it is given to.
    pub fn new(patterns: &str) -> Self {
        let patterns = patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        Self { patterns: patterns.map(str::to_owned).collect(), layers: None }
    }

    /// Every point that costs no extra work.
    pub fn all() -> Self {
        Self::new("*")
    }

    /// Keeps the points of these blocks, and those outside of blocks.
    pub fn layers(mut self, layers: Range<usize>) -> Self {
        self.layers = Some(layers);
        self
    }

    /// The points of a model that are chosen.
    ///
    /// # Errors
    /// A pattern matches no point of this model.
    pub(crate) fn resolve(&self, config: &Config) -> Result<PointSet, RunError> {
        let mut set = PointSet::none(config);
        for pattern in &self.patterns {
            let mut found = false;
            let named = HookPoint::parse(pattern, config);
            let within = |point: &HookPoint| point.layer().is_none_or(|layer| layer < config.layers);
            if let Some(point) = named.filter(within) {
                set.insert(point);
                found = true;
            } else {
                for point in points(config).filter(|point| matches(pattern, *point, config)) {
                    set.insert(point);
                    found = true;
                }
            }
            if !found {
                return Err(RunError::unknown_point(pattern, config));
            }
        }
        if let Some(layers) = &self.layers {
            set.retain(config, |point| point.layer().is_none_or(|layer| layers.contains(&layer)));
        }
        Ok(set)
    }
}

impl From<&str> for Filter {
    fn from(patterns: &str) -> Self {
        Self::new(patterns)
    }
}

impl From<HookPoint> for Filter {
    fn from(point: HookPoint) -> Self {
        Self { patterns: vec![point.to_string()], layers: None }
    }
}

/// Chosen points of one model; asking is one look-up.
#[derive(Clone, Debug)]
pub(crate) struct PointSet(Vec<bool>);

impl PointSet {
    pub(crate) fn none(config: &Config) -> Self {
        Self(vec![false; config.layers.max(1) * Site::COUNT])
    }

    pub(crate) fn contains(&self, point: HookPoint) -> bool {
        self.0.get(point.index()).copied().unwrap_or(false)
    }

    pub(crate) fn insert(&mut self, point: HookPoint) {
        if let Some(slot) = self.0.get_mut(point.index()) {
            *slot = true;
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (slot, more) in self.0.iter_mut().zip(&other.0) {
            *slot |= more;
        }
    }

    fn retain(&mut self, config: &Config, keep: impl Fn(HookPoint) -> bool) {
        for point in points(config).filter(|point| !keep(*point)) {
            self.0[point.index()] = false;
        }
    }
}

/// Every point of a model, in the order of its forward pass.
pub(crate) fn points(config: &Config) -> impl Iterator<Item = HookPoint> {
    let exists = |site: &Site| site.exists_in(config);
    let before = Site::all()
        .filter(exists)
        .filter(|site| matches!(site, Site::Embed | Site::PosEmbed))
        .map(HookPoint::global);
    let blocks = (0..config.layers).flat_map(move |layer| {
        Site::all()
            .filter(move |site| site.in_block() && site.exists_in(config))
            .map(move |site| HookPoint::block(layer, site))
    });
    let after = Site::all()
        .filter(|site| !site.in_block() && !matches!(site, Site::Embed | Site::PosEmbed))
        .map(HookPoint::global);
    before.chain(blocks).chain(after)
}

fn matches(pattern: &str, point: HookPoint, config: &Config) -> bool {
    let site = point.site();
    // `hook_in` is the end of many names: those that end so are own names as a whole.
    let own = |name: &'static str| match name.rsplit_once('.') {
        Some((_, leaf)) if leaf != "hook_in" => leaf,
        _ => name,
    };
    if site.is_costly() && !site.names(config).any(|name| pattern.ends_with(own(name))) {
        return false;
    }
    point.names(config).any(|name| glob(pattern, &name))
}

/// Whether `*` of the pattern can stand for what the text has there.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    true
}
