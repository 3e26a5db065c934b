//! Whose span it is.

use std::sync::Arc;

/// Whose span it is; spans opened below it inherit it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) session: Option<Arc<str>>,
    pub(crate) user: Option<Arc<str>>,
}

impl Identity {
    /// Takes over what `newer` knows.
    #[inline]
    pub(crate) fn update(&mut self, newer: Self) {
        if newer.session.is_some() {
            self.session = newer.session;
        }
        if newer.user.is_some() {
            self.user = newer.user;
        }
    }
}

/// A field that says whose span it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdentityField {
    Session,
    User,
}
