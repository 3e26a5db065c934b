//! The names behind the keys of a log.

use std::borrow::Cow;

use crate::keys::{self, KeyId};
use crate::log::Key;

/// A reader's own copy of the names, so that it needs no lock for a key it has met.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<&'static str>);

impl Names {
    /// The canonical name of a key, owned unless the process knows it for good.
    pub(super) fn name(&mut self, key: Key<'_>) -> Cow<'static, str> {
        match key {
            Key::Id(id) => Cow::Borrowed(self.of(id)),
            Key::Name(name) => match keys::canonical_static(name) {
                Some(name) => Cow::Borrowed(name),
                None => Cow::Owned(name.to_owned()),
            },
        }
    }

    fn of(&mut self, id: KeyId) -> &'static str {
        let at = usize::from(id.0);
        if at >= self.0.len() {
            self.0 = keys::names();
        }
        self.0.get(at).copied().unwrap_or("")
    }
}
