//! What a command prints.

use clap::Args;
use llmtrace_lens::report::{Colour, Picture};
use serde::Serialize;

use crate::failure::Failure;
use crate::terminal::{self, COLOR, Color};

/// How a command prints what it found.
#[derive(Args, Debug)]
pub(super) struct OutputArguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", help = COLOR)]
    color: Color,
}

impl OutputArguments {
    /// Whether what is printed is JSON.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the JSON of what was found, or draws it.
    pub(super) fn print<E: Into<Failure>>(
        &self,
        found: &impl Serialize,
        draw: impl FnOnce(&Canvas) -> Result<String, E>,
    ) -> Result<(), Failure> {
        if self.json {
            return print_json(found);
        }
        let canvas = Canvas { width: terminal::columns(), colour: self.color.of_pictures() };
        terminal::print(&draw(&canvas).map_err(Into::into)?)
    }
}

/// What is drawn on.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) colour: Colour,
}

impl Canvas {
    /// A picture as text.
    pub(super) fn draw(&self, picture: &dyn Picture) -> String {
        picture.to_terminal(self.width, self.colour)
    }
}

/// Prints a value as one line of JSON.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
    terminal::print(&(text + "\n"))
}
