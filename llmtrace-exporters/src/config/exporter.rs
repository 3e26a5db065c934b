//! The `[[exporter]]` tables.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::entry::Entry;
use super::network::{self, DELIVERY_KEYS};
use super::section::Section;
use super::settings::{
    DeliverySettings, ExporterSettings, FileMode, JsonLinesSettings, PlacedExporter, StdoutFormat,
    StdoutSettings,
};
use super::source::Source;
use crate::{ColorChoice, Sync};

/// A kind of exporter: its name, its keys beside `type`, and how they are read.
struct Kind {
    name: &'static str,
    keys: &'static [&'static [&'static str]],
    read: fn(&Section<'_>) -> Option<ExporterSettings>,
}

const KINDS: &[Kind] = &[
    Kind { name: "stdout", keys: &[&["format", "color", "columns"]], read: stdout },
    Kind {
        name: "jsonl",
        keys: &[&["path", "mode", "rotate_bytes", "keep_files", "sync"]],
        read: json_lines,
    },
    Kind { name: "otlp", keys: &[&["endpoint", "protocol", "profile"], DELIVERY_KEYS], read: network::otlp },
    Kind {
        name: "langfuse",
        keys: &[&["host", "public_key", "secret_key"], DELIVERY_KEYS],
        read: network::langfuse,
    },
    Kind { name: "webhook", keys: &[&["url", "secret"], DELIVERY_KEYS], read: network::webhook },
];

impl Kind {
    /// Every key of its table.
    fn keys(&self) -> Vec<&'static str> {
        [&["type"], self.keys.concat().as_slice()].concat()
    }
}

const EXAMPLE: &str = "[[exporter]] and below it type = \"stdout\"";

/// Reads the exporters, and sees to it that no two of them write to the same place.
pub(super) fn read<'a>(source: &'a Source<'a>, entry: Option<&Entry<'a>>) -> Vec<PlacedExporter> {
    let Some(entry) = entry else {
        source.report(
            "exporter",
            1,
            format!(
                "missing, so that spans would go nowhere; write {EXAMPLE}, or exporter = [] if that is meant"
            ),
        );
        return Vec::new();
    };
    if !entry.value.is_array() {
        let wrong = format!("expected a list of tables; write {EXAMPLE}");
        source.report(&entry.key, entry.line, wrong);
        return Vec::new();
    }
    let exporters: Vec<_> =
        entry.report(entry.elements()).unwrap_or_default().iter().filter_map(one).collect();
    refuse_shared_places(source, &exporters);
    exporters
}

fn one(entry: &Entry<'_>) -> Option<PlacedExporter> {
    let section = Section::unchecked(entry)?;
    let kinds: Vec<_> = KINDS.iter().map(|kind| (kind.name, kind)).collect();
    let kind = section.require("type", "type = \"stdout\"", |entry| entry.choice(&kinds))?;
    section.refuse_others(&kind.keys(), |key| {
        let others = KINDS.iter().filter(|other| other.keys().contains(&key));
        let names: Vec<_> = others.map(|other| format!("type = \"{}\"", other.name)).collect();
        (!names.is_empty()).then(|| format!("it belongs to {}, this is \"{}\"", names.join(", "), kind.name))
    });
    Some(PlacedExporter { place: section.place(), exporter: (kind.read)(&section)? })
}

#[expect(clippy::unnecessary_wraps, reason = "one of the readers of `KINDS`")]
fn stdout(section: &Section<'_>) -> Option<ExporterSettings> {
    let formats = [("tree", StdoutFormat::Tree), ("json", StdoutFormat::Json)];
    let colors =
        [("auto", ColorChoice::Auto), ("always", ColorChoice::Always), ("never", ColorChoice::Never)];
    Some(ExporterSettings::Stdout(StdoutSettings {
        format: section.read("format", |entry| entry.choice(&formats)).unwrap_or_default(),
        color: section.read("color", |entry| entry.choice(&colors)).unwrap_or_default(),
        columns: section.read("columns", |entry| entry.count(60..=500)),
    }))
}

fn json_lines(section: &Section<'_>) -> Option<ExporterSettings> {
    let modes = [("append", FileMode::Append), ("create", FileMode::Create)];
    let syncs = [("none", Sync::None), ("interval", Sync::Interval), ("each", Sync::Each)];
    let path = section.require("path", "path = \"traces/app.jsonl\"", Entry::path);
    let settings = JsonLinesSettings {
        path: PathBuf::new(),
        mode: section.read("mode", |entry| entry.choice(&modes)).unwrap_or_default(),
        rotate_bytes: section.read("rotate_bytes", |entry| entry.bytes(1)),
        keep_files: section.read("keep_files", |entry| entry.count(0..=1_000_000)),
        sync: section.read("sync", |entry| entry.choice(&syncs)),
    };
    if settings.keep_files.is_some() && section.entry("rotate_bytes").is_none() {
        section.read("keep_files", |_| Err::<(), _>("has no meaning without rotate_bytes".to_owned()));
    }
    Some(ExporterSettings::JsonLines(JsonLinesSettings { path: path?, ..settings }))
}

/// Two exporters may share neither a file nor the folder of a spool.
fn refuse_shared_places(source: &Source<'_>, exporters: &[PlacedExporter]) {
    let mut first: HashMap<PathBuf, usize> = HashMap::new();
    for PlacedExporter { place, exporter } in exporters {
        let (path, key, what) = match exporter {
            ExporterSettings::JsonLines(settings) => (Some(&settings.path), "path", "writes this file"),
            other => (other.delivery().and_then(DeliverySettings::spool_dir), "spool.dir", "spools there"),
        };
        let (Some(path), Some(line)) = (path, place.line) else { continue };
        let earlier = *first.entry(plain(path)).or_insert(line);
        if earlier != line {
            let message = format!("the exporter of line {earlier} {what} too; give each one of its own");
            source.report(&format!("{}.{key}", place.key), line, message);
        }
    }
}

/// The path without `.` and `..`, as far as that can be told without the disk.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            _ => plain.push(component),
        }
        plain
    })
}

/// The kinds of exporters and their keys.
#[cfg(test)]
pub(super) fn kinds() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    KINDS.iter().map(|kind| (kind.name, kind.keys()))
}
