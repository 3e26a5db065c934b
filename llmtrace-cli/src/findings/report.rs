//! Findings for people.

use std::collections::HashMap;

use llmtrace_exporters::{figures, text};

use super::command::Found;
use super::finding::{Finding, Severity};

/// Findings that are alike of which each is shown.
const MAX_ALIKE: usize = 3;

/// Columns of a severity.
const SEVERITY_CHARS: usize = 8;

/// Columns before the lines below a title.
const INDENT: &str = "    ";

/// Columns that a line has at least.
const MIN_ROOM: usize = 20;

/// Chars of a text from a trace that are kept.
const MAX_CHARS: usize = 300;

const FAINT: &str = "\x1b[2m";
const STRONG: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// The findings, those that are alike together, and how many there are.
pub(super) fn text(found: &Found, columns: usize, is_colored: bool) -> String {
    let mut out = String::new();
    let paint = Paint { columns, is_colored };
    for alike in grouped(&found.findings) {
        for finding in alike.iter().take(MAX_ALIKE) {
            paint.finding(finding, &mut out);
        }
        if let (more @ 1.., Some(first)) = (alike.len().saturating_sub(MAX_ALIKE), alike.first()) {
            let of = about(first);
            let more = format!(
                "… {} more like this{}{of}",
                figures::count(more as u64),
                if of.is_empty() { "" } else { " · " }
            );
            paint.lines(&more, FAINT, &mut out);
            out.push('\n');
        }
    }
    out.push_str(&summary(found));
    out
}

/// Findings that are alike: of one rule, name, model and severity, in the order of the first of each.
pub(crate) fn grouped(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut places: HashMap<_, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let alike = (&finding.rule, &finding.name, &finding.model, finding.severity);
        let place = *places.entry(alike).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(place) {
            group.push(finding);
        }
    }
    groups
}

struct Paint {
    columns: usize,
    is_colored: bool,
}

impl Paint {
    fn finding(&self, finding: &Finding, out: &mut String) {
        let (sign, color) = match finding.severity {
            Severity::Critical => ("✗", RED),
            Severity::Warning => ("▲", YELLOW),
            Severity::Info => ("·", ""),
        };
        let head = format!("{sign} {:SEVERITY_CHARS$}", finding.severity.as_str());
        let title = shown(&finding.title);
        let room = self.columns.saturating_sub(text::width(&head) + 2).max(MIN_ROOM);
        let title = text::cut(&title, room);
        out.push_str(&self.styled(&head, color));
        out.extend(["  ", &self.styled(&title, STRONG), "\n"]);
        self.lines(&finding.evidence.sentence, "", out);
        let time = finding.time.to_string();
        let time = time.get(..19).unwrap_or_default().replace('T', " ");
        let trace = finding.trace_id.map(|trace_id| format!("trace {trace_id}"));
        let parts = [finding.rule.to_string(), about(finding), time];
        let at = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
        match trace {
            Some(trace) if text::width(&at) + text::width(&trace) + 3 <= self.room() => {
                self.lines(&format!("{at} · {trace}"), FAINT, out);
            }
            trace => {
                self.lines(&at, FAINT, out);
                if let Some(trace) = trace {
                    self.lines(&trace, FAINT, out);
                }
            }
        }
        out.push('\n');
    }

    /// Columns of a line below a title.
    fn room(&self) -> usize {
        self.columns.saturating_sub(INDENT.len()).max(MIN_ROOM)
    }

    /// A text on as many lines as it needs.
    fn lines(&self, said: &str, style: &str, out: &mut String) {
        let room = self.room();
        let mut line = String::new();
        let mut end = |line: &mut String| {
            out.extend([INDENT, &self.styled(line, style), "\n"]);
            line.clear();
        };
        for word in shown(said).split(' ') {
            if !line.is_empty() && text::width(&line) + 1 + text::width(word) > room {
                end(&mut line);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&text::cut(word, room));
        }
        end(&mut line);
    }

    fn styled(&self, said: &str, style: &str) -> String {
        if self.is_colored && !style.is_empty() { format!("{style}{said}{PLAIN}") } else { said.to_owned() }
    }
}

/// Whom a finding is about: span, model, service, as far as they say more than each other.
fn about(finding: &Finding) -> String {
    let name = finding.name.as_deref();
    let model = finding.model.as_deref().filter(|model| name.is_none_or(|name| !name.contains(model)));
    let parts = [name, model, finding.service.as_deref()];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).map(shown).collect::<Vec<_>>().join(" · ")
}

fn shown(said: &str) -> String {
    let kept: String = said.chars().take(MAX_CHARS).collect();
    text::escaped(&kept)
}

fn summary(found: &Found) -> String {
    let counted = |count: u64, one: &str, many: &str| {
        format!("{} {}", figures::count(count), if count == 1 { one } else { many })
    };
    let of = |severity| found.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let among =
        format!("{} of {}", counted(found.spans, "span", "spans"), counted(found.traces, "trace", "traces"));
    if found.findings.is_empty() {
        return format!("Nothing stands out among {among}.\n");
    }
    let counts = [
        (of(Severity::Critical), "critical", "critical"),
        (of(Severity::Warning), "warning", "warnings"),
        (of(Severity::Info), "note", "notes"),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counts = counts.map(|(count, one, many)| counted(count, one, many)).collect::<Vec<_>>().join(", ");
    let more = match found.left_out {
        0 => String::new(),
        more => format!("; {} more were left out", figures::count(more)),
    };
    format!("{counts} among {among}{more}\n")
}
