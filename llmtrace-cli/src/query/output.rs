//! How rows are printed.

use std::io::{self, BufWriter, Stdout, Write as _};

use llmtrace_exporters::text;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::terminal;

/// Where rows go.
pub(super) trait Output {
    /// Takes the names of the columns, before the first row.
    fn header(&mut self, names: &[String]) -> Result<(), Failure>;
    /// Takes a row.
    fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Failure>;
    /// Prints what was held back.
    fn finish(&mut self) -> Result<(), Failure>;
}

/// Columns that are as wide as their widest cell.
#[derive(Debug)]
pub(super) struct Table {
    columns: usize,
    rows: Vec<Vec<String>>,
}

/// One JSON object a row.
#[derive(Debug)]
pub(super) struct JsonLines {
    names: Vec<String>,
    out: BufWriter<Stdout>,
}

/// Comma-separated values (RFC 4180), with `\n` at the end of each line.
#[derive(Debug)]
pub(super) struct Csv;

/// Characters of a cell of a table.
const MAX_CELL: usize = 60;

impl Table {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns, rows: Vec::new() }
    }
}

impl Output for Table {
    fn header(&mut self, names: &[String]) -> Result<(), Failure> {
        self.rows.push(names.iter().map(|name| cut(name)).collect());
        Ok(())
    }

    fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Failure> {
        self.rows.push(cells.iter().map(|cell| cut(&plain(*cell))).collect());
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |place: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(place));
            cells.map(|cell| console::measure_text_width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(&console::pad_str(cell, *width, console::Alignment::Left, None));
                line.push_str("  ");
            }
            out.push_str(&console::truncate_str(line.trim_end(), self.columns.max(200), "…"));
            out.push('\n');
        }
        terminal::print(&out)
    }
}

impl Default for JsonLines {
    fn default() -> Self {
        Self { names: Vec::new(), out: BufWriter::new(io::stdout()) }
    }
}

impl Output for JsonLines {
    fn header(&mut self, names: &[String]) -> Result<(), Failure> {
        self.names = names.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Failure> {
        let members = self.names.iter().cloned().zip(cells.iter().map(|cell| json(*cell)));
        let object = Value::Object(members.collect::<Map<_, _>>());
        Ok(writeln!(self.out, "{object}")?)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}

impl Output for Csv {
    fn header(&mut self, names: &[String]) -> Result<(), Failure> {
        terminal::print(&line(names.iter().map(|name| quoted(name))))
    }

    fn row(&mut self, cells: &[ValueRef<'_>]) -> Result<(), Failure> {
        terminal::print(&line(cells.iter().map(|cell| match cell {
            ValueRef::Null => String::new(),
            ValueRef::Text(_) => quoted(&plain(*cell)),
            _ => plain(*cell),
        })))
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}

/// A text in quotes where it needs them; so is an empty one, to be told from NULL.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A cell on one line, safe to print.
fn cut(cell: &str) -> String {
    let safe = text::escaped(cell);
    let mut start: String = safe.chars().take(MAX_CELL).collect();
    if safe.chars().nth(MAX_CELL).is_some() {
        start.push('…');
    }
    start
}

fn plain(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn json(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        // What is no number in JSON becomes null.
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(_) | ValueRef::Blob(_) => plain(cell).into(),
    }
}
