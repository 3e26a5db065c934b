//! Fields of a span's callsite.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use super::Recorder;
use crate::identity::IdentityField;
use crate::keys::KeyId;
use crate::log::{Key, Scalar};

impl Recorder<'_> {
    /// A text of a plain field: neither content nor whose span it is.
    #[inline]
    pub(crate) fn plain_text(&mut self, key: KeyId, text: &str) {
        let text = self.cut(text);
        self.log.text_field(key, text);
    }

    /// An integer of a plain field.
    #[inline]
    pub(crate) fn plain_int(&mut self, key: KeyId, int: i64) {
        self.log.int_field(key, int);
    }

    /// A field of a span's callsite.
    pub(crate) fn field(&mut self, key: KeyId, is_content: bool, value: Scalar<'_>) {
        if is_content && !self.keeps_content() {
            return;
        }
        match value {
            Scalar::Str(text) => self.plain_text(key, text),
            other => self.log.field(key, other),
        }
    }

    /// A field of a span's callsite that says whose span it is.
    pub(crate) fn identity_field(&mut self, field: IdentityField, value: &dyn Display) {
        let text = Arc::from(self.bounded(format_args!("{value}")));
        match field {
            IdentityField::Session => self.identity.session = Some(text),
            IdentityField::User => self.identity.user = Some(text),
        }
    }

    /// A field of a span's callsite that only has `Debug`.
    pub(crate) fn debug_field(&mut self, key: KeyId, is_content: bool, value: &dyn Debug) {
        if !is_content || self.keeps_content() {
            let text = self.bounded(format_args!("{value:?}"));
            self.log.attribute(Key::Id(key), Scalar::Str(&text));
        }
    }
}
