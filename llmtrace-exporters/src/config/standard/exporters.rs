//! Where the variables say that spans go.

use super::super::settings::{ExporterSettings, Place, PlacedExporter, StdoutSettings};
use super::super::variables::{Variables, choice};
use super::{langfuse, otlp};

const EXPORTERS: &str = "OTEL_TRACES_EXPORTER";

/// The exporters that `OTEL_TRACES_EXPORTER` names, and Langfuse where its keys are set. Where that is not set, OTLP if
/// any variable of it is. If nothing says where spans go, they are printed.
pub(super) fn read(variables: &Variables<'_>) -> Vec<PlacedExporter> {
    let named = named_exporters(variables);
    let langfuse = langfuse::read(variables)
        .map(|(place, settings)| PlacedExporter { place, exporter: ExporterSettings::Langfuse(settings) });
    if named.as_ref().is_some_and(|named| named.contains(&ExporterName::None)) {
        return Vec::new();
    }
    let says_otlp =
        variables.names().any(|name| name.starts_with("OTEL_EXPORTER_OTLP_") && is_about_traces(name));
    let named = named.unwrap_or_else(|| if says_otlp { vec![ExporterName::Otlp] } else { Vec::new() });
    let named = named.into_iter().filter_map(|name| match name {
        ExporterName::Otlp => otlp::read(variables)
            .map(|(place, settings)| PlacedExporter { place, exporter: ExporterSettings::Otlp(settings) }),
        ExporterName::Console => Some(console()),
        ExporterName::None => None,
    });
    let exporters: Vec<_> = named.chain(langfuse).collect();
    if exporters.is_empty() { vec![console()] } else { exporters }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ExporterName {
    Otlp,
    Console,
    None,
}

/// What `OTEL_TRACES_EXPORTER` names, each once.
fn named_exporters(variables: &Variables<'_>) -> Option<Vec<ExporterName>> {
    let known =
        [("otlp", ExporterName::Otlp), ("console", ExporterName::Console), ("none", ExporterName::None)];
    let mut named = variables.read(&[EXPORTERS], |text| {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(|name| choice(name, &known)).collect::<Result<_, _>>()?;
        if names.len() > 1 && names.contains(&ExporterName::None) {
            return Err("\"none\" stands beside others; write it alone, or leave it out".to_owned());
        }
        Ok(names)
    })?;
    let mut seen = Vec::new();
    named.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    Some(named)
}

/// Whether a variable of the OTLP exporter is about traces.
fn is_about_traces(name: &str) -> bool {
    !["METRICS", "LOGS", "PROFILES"].iter().any(|signal| name.contains(signal))
}

fn console() -> PlacedExporter {
    let exporter = ExporterSettings::Stdout(StdoutSettings::default());
    PlacedExporter { place: Place::variable(EXPORTERS), exporter }
}
