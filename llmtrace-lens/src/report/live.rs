//! A page that a script makes live.

use super::sha256::sha256_base64;

/// What a page has beside its sections where a script shows more: the sections are hidden when it says `c-ready`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live<'a> {
    /// Rules beside the page's own.
    pub(crate) style: &'a str,
    /// The element that the script fills.
    pub(crate) root: &'a str,
    /// The id of the element that holds the data.
    pub(crate) data_id: &'a str,
    /// JSON.
    pub(crate) data: &'a str,
    /// An ES module.
    pub(crate) script: &'a str,
}

impl Live<'_> {
    /// Nothing may be loaded, and nothing run or styled but this.
    pub(super) fn policy(&self, style: &str) -> String {
        let [script, style] = [self.script, style].map(|text| sha256_base64(text.as_bytes()));
        format!(
            "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'"
        )
    }

    /// The data and the script; no text of the data ends its element.
    pub(super) fn tail(&self) -> String {
        let data =
            self.data.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        let (id, script) = (self.data_id, self.script);
        format!(
            "<script type=\"application/json\" id=\"{id}\">{data}</script>\n<script type=\"module\">{script}</script>\n"
        )
    }
}
