//! What was seen, as a page.

use super::error::InspectError;
use super::inspected::Inspected;
use super::sections;
use crate::report::{Page, visible};

impl Inspected<'_> {
    /// All of it as pictures, with two sentences each on how to read them.
    ///
    /// # Errors
    /// There is more than a picture can show.
    pub fn page(&self) -> Result<Page, InspectError> {
        let config = self.model.config();
        let prompt: String = self.generation.prompt_text.trim().chars().take(200).collect();
        let answer = visible(self.answer.token.text.trim());
        let lead = format!(
            "The model {:?} ({} layers, {} heads each) read “{prompt}”. This page shows what it did between the first \
             word and its answer, “{answer}”. Layers and positions are counted from 0.",
            self.model.name(),
            config.layers,
            config.heads,
        );
        let mut page = Page::new(format!("How the model gets to “{answer}”"))
            .lead(lead)
            .section(sections::facts(self))
            .section(sections::lens(self)?);
        if self.beside.is_some() {
            page = page.section(sections::patching(self)?);
        }
        page = page.section(sections::attribution(self));
        if self.attention.is_some() {
            page = page.section(sections::attention(self)?);
        }
        page = page
            .section(sections::prompt(self))
            .section(sections::generation(self))
            .section(sections::layers(self)?);
        Ok(page.foot(format!(
            "llmtrace-lens {}, model {}, seed {}.",
            env!("CARGO_PKG_VERSION"),
            self.model.name(),
            self.attribution.seed
        )))
    }
}
