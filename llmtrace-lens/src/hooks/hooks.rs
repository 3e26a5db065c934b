//! Functions that a run calls at hook points.

use std::fmt;
use std::sync::Arc;

use candle_core::Tensor;

use super::cache::ActivationCache;
use super::filter::{Filter, PointSet};
use super::moment::Moment;
use super::point::HookPoint;
use crate::error::RunError;
use crate::model::Config;

type Hook<'a> = Box<dyn FnMut(Moment, &Tensor) -> Result<Option<Tensor>, RunError> + Send + 'a>;

/// Functions to call at chosen points of a run, in the order they were added.
///
/// A hook gets the [`Moment`] and the value, and answers with another one of the same shape, or with `None` to leave it as it is.
#[derive(Default)]
pub struct Hooks<'a> {
    hooks: Vec<(Filter, Hook<'a>)>,
    kept: Option<Filter>,
}

impl<'a> Hooks<'a> {
    /// No hooks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `hook` at the points that `filter` chooses.
    pub fn on(
        mut self,
        filter: impl Into<Filter>,
        hook: impl FnMut(Moment, &Tensor) -> Result<Option<Tensor>, RunError> + Send + 'a,
    ) -> Self {
        self.hooks.push((filter.into(), Box::new(hook)));
        self
    }

    /// Whether nobody looks at any point.
    pub(crate) fn is_empty(&self) -> bool {
        self.hooks.is_empty() && self.kept.is_none()
    }

    /// Keeps the values at these points, as they are after the hooks, in the run's cache.
    pub fn keep(mut self, filter: impl Into<Filter>) -> Self {
        self.kept = Some(filter.into());
        self
    }
}

impl fmt::Debug for Hooks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filters: Vec<&Filter> = self.hooks.iter().map(|(filter, _)| filter).collect();
        f.debug_struct("Hooks").field("hooks", &filters).field("kept", &self.kept).finish()
    }
}

/// What the forward pass asks at each of its points.
pub(crate) trait Tap {
    /// The pass goes on with values of the positions from `start`; `end` is the length of the text, where no more can come.
    fn begin(&mut self, start: usize, end: Option<usize>);

    /// Whether anybody looks at this point: where nobody does, its value need not be computed.
    fn wants(&self, point: HookPoint) -> bool;

    /// The value to go on with.
    fn visit(&mut self, point: HookPoint, value: Tensor) -> Result<Tensor, RunError>;
}

/// A pass that nobody looks at.
pub(crate) struct NoTap;

impl Tap for NoTap {
    fn begin(&mut self, _start: usize, _end: Option<usize>) {}

    fn wants(&self, _point: HookPoint) -> bool {
        false
    }

    fn visit(&mut self, _point: HookPoint, value: Tensor) -> Result<Tensor, RunError> {
        Ok(value)
    }
}

/// [`Hooks`] against one model.
pub(crate) struct HookTap<'h, 'a> {
    hooks: Vec<(PointSet, &'h mut Hook<'a>)>,
    kept: PointSet,
    wanted: PointSet,
    start: usize,
    end: Option<usize>,
    pub(crate) cache: ActivationCache,
}

impl<'h, 'a> HookTap<'h, 'a> {
    pub(crate) fn new(hooks: &'h mut Hooks<'a>, config: &Arc<Config>) -> Result<Self, RunError> {
        let kept = hooks
            .kept
            .as_ref()
            .map_or_else(|| Ok(PointSet::none(config)), |filter| filter.resolve(config))?;
        let mut wanted = kept.clone();
        let mut resolved = Vec::with_capacity(hooks.hooks.len());
        for (filter, hook) in &mut hooks.hooks {
            let set = filter.resolve(config)?;
            wanted.extend(&set);
            resolved.push((set, hook));
        }
        let cache = ActivationCache::new(Arc::clone(config));
        Ok(Self { hooks: resolved, kept, wanted, start: 0, end: None, cache })
    }
}

impl Tap for HookTap<'_, '_> {
    fn begin(&mut self, start: usize, end: Option<usize>) {
        (self.start, self.end) = (start, end);
    }

    fn wants(&self, point: HookPoint) -> bool {
        self.wanted.contains(point)
    }

    fn visit(&mut self, point: HookPoint, mut value: Tensor) -> Result<Tensor, RunError> {
        if !self.wants(point) {
            return Ok(value);
        }
        let moment = Moment { point, start: self.start, end: self.end };
        for (set, hook) in &mut self.hooks {
            if !set.contains(point) {
                continue;
            }
            if let Some(new) = hook(moment, &value)? {
                if new.dims() != value.dims() {
                    return Err(RunError::HookShape {
                        point,
                        expected: value.dims().to_vec(),
                        found: new.dims().to_vec(),
                    });
                }
                value = new;
            }
        }
        if self.kept.contains(point) {
            self.cache.insert(point, self.start, value.clone());
        }
        Ok(value)
    }
}
