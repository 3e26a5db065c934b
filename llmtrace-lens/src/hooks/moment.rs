//! When and where a hook is called.

use super::point::HookPoint;
use crate::error::RunError;

/// When and where a hook is called: the point, and which positions of the text its value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// The point.
    pub point: HookPoint,
    /// The position in the text of the value's first row: 0, or in a session the number of positions read before.
    ///
    /// After a readout of the last position alone, the points of the final norm and the unembedding begin there.
    pub start: usize,
    /// The number of positions of the whole text; none in a session, where more may come.
    pub end: Option<usize>,
}

impl Moment {
    /// Why an intervention cannot be made here.
    pub(crate) fn refuse(self, problem: String) -> RunError {
        RunError::Intervention { point: self.point, problem }
    }
}
