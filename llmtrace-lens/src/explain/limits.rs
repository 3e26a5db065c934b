//! How much one explanation may ask for.

use super::ExplainError;

/// Most masks that one explanation asks for, repeated ones included: all are held in memory.
pub const MAX_MASKS: usize = 1 << 20;
/// Most memory that the masks of one explanation may take, in bytes: more parts leave room for fewer masks.
pub const MAX_MASK_BYTES: usize = 1 << 30;

/// What a method holds of each part of each mask, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Held {
    /// Whether it is kept, in several lists.
    Membership = 1,
    /// A number of a regression.
    Feature = 8,
}

/// Most masks of so many parts.
pub(super) fn most_masks(parts: usize, held: Held) -> usize {
    MAX_MASKS.min(MAX_MASK_BYTES / parts.saturating_mul(held as usize).max(1))
}

/// Refuses more than a method takes; `what` is what is counted.
pub(super) fn within(
    method: &'static str,
    what: &'static str,
    asked: usize,
    limit: usize,
) -> Result<(), ExplainError> {
    if asked > limit {
        return Err(ExplainError::TooManySamples { method, what, asked, limit });
    }
    Ok(())
}
