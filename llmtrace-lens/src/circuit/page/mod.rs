//! The interactive page of an attribution graph.
//!
//! [`GraphFile::page`] is one HTML file with everything in it: it loads nothing, works from a disk, and its content security policy names
//! its one script and its one style by their hashes. Without scripts it shows the graph as a drawing, and the strongest ways through it
//! as a list. The program's own web pages use the same [`SCRIPT`] and [`STYLE`].
//!
//! ```
//! use llmtrace_lens::circuit::write::GraphFile;
//!
//! let json = r#"{"metadata": {"slug": "a", "scan": "m", "prompt_tokens": ["Dallas"], "prompt": "Dallas"}, "links": [
//!     {"source": "E_7_0", "target": "3_9_0", "weight": 1.5}], "nodes": [
//!     {"node_id": "E_7_0", "feature": 0, "layer": "E", "ctx_idx": 0, "feature_type": "embedding", "jsNodeId": "E_7-0", "clerp": ""},
//!     {"node_id": "3_9_0", "feature": 9, "layer": "3", "ctx_idx": 0, "feature_type": "logit", "jsNodeId": "L_9-0", "clerp": ""}]}"#;
//! let html = GraphFile::read(json)?.page();
//! assert!(html.contains("default-src 'none'"));
//! # Ok::<(), llmtrace_lens::circuit::write::GraphFileError>(())
//! ```

mod figure;
#[cfg(feature = "model")]
mod graph;

use crate::circuit::write::GraphFile;
use crate::report::{CircuitMap, Live, Page, PictureError, Section, visible};

/// The script of the page: an ES module that imports nothing.
///
/// It fills the element with the id `circuit`, from the JSON in the element `circuit-graph` or from the address in the first's `data-graph`, and
/// takes all names in the data for text.
pub const SCRIPT: &str = concat!(
    include_str!("assets/elements.js"),
    include_str!("assets/read.js"),
    include_str!("assets/prune.js"),
    include_str!("assets/ways.js"),
    include_str!("assets/layout.js"),
    include_str!("assets/sketch.js"),
    include_str!("assets/draw.js"),
    include_str!("assets/move.js"),
    include_str!("assets/state.js"),
    include_str!("assets/card.js"),
    include_str!("assets/subgraph.js"),
    include_str!("assets/export.js"),
    include_str!("assets/page.js"),
);

/// The style of the page: every rule is for what stands in an element of the class `circuit`.
pub const STYLE: &str = include_str!("assets/circuit.css");

/// What an attribution graph is, for people who never saw one.
pub const LEAD: &str = "How the words of the prompt became the answer, inside the model: an attribution graph. Read it from the bottom \
    up: tokens make features active, features make other features active, and those make the next token likelier or less likely.";

impl GraphFile {
    /// The graph as one HTML file that can be looked through.
    pub fn page(&self) -> String {
        let title = match self.answer() {
            Some(answer) => format!("Why “{}”?", visible(&answer)),
            None => format!("Circuit of {}", self.metadata.slug),
        };
        let data = serde_json::to_string(self).unwrap_or_default();
        let page = Page::new(title).lead(LEAD).section(self.section()).foot(self.foot());
        page.to_live_html(&Live {
            style: STYLE,
            root: r#"<div id="circuit" class="circuit"></div>"#,
            data_id: "circuit-graph",
            data: &data,
            script: SCRIPT,
        })
    }

    /// The graph as a drawing, with the strongest ways through it, for a [`Page`].
    pub fn section(&self) -> Section {
        let section = Section::new(
            "The circuit",
            "Tokens of the prompt stand at the bottom, layers above each other, what may come next on top. A dot is a feature: \
             something that the model noticed. Blue lines add, red and broken ones take away; the stronger, the more.",
        );
        match self.picture() {
            Ok(map) => section.picture(map),
            Err(_) => section,
        }
    }

    /// The graph as a drawing, with the strongest ways through it.
    ///
    /// # Errors
    /// A node stands outside the prompt, which no graph that was [read](Self::read) has.
    pub fn picture(&self) -> Result<CircuitMap, PictureError> {
        figure::figure(self)
    }

    /// What the model most probably says next.
    pub fn answer(&self) -> Option<String> {
        figure::answer(self)
    }

    fn foot(&self) -> String {
        let prompt: String = visible(&self.metadata.prompt).chars().take(400).collect();
        format!("Prompt: “{prompt}”. Model: {}.", self.metadata.scan)
    }
}
