//! The sums as tables for people.

use std::time::Duration;

use llmtrace_exporters::{figures, text};

use super::By;
use super::call::{Reason, Tokens};
use super::group::{Group, Sorted};
use super::quantiles::Quantiles;
use super::table::{Column, NOTHING, Table};
use crate::unit::compact;

/// Chars of a name that are kept.
const MAX_NAME_CHARS: usize = 200;

/// A column of token counts: its title and the counts that it shows.
type TokenColumn = (&'static str, fn(&Tokens) -> Option<u64>);

const TOKEN_COLUMNS: [TokenColumn; 5] = [
    ("input", |tokens| tokens.input),
    ("cached", |tokens| tokens.cache_read),
    ("written", |tokens| tokens.cache_write),
    ("output", |tokens| tokens.output),
    ("reasoning", |tokens| tokens.reasoning),
];

/// One table where there is room for it, else one of calls and cost, one of tokens and one of times; and below them
/// what they leave open.
pub(super) fn text(sorted: Sorted, by: By, columns: usize, is_colored: bool) -> String {
    let Sorted { groups, others, total } = sorted;
    let notes = notes(&total);
    let mut rows: Vec<(String, Group)> = Vec::with_capacity(groups.len() + 2);
    for (key, group) in groups {
        let name = key.as_deref().filter(|key| !key.trim().is_empty());
        rows.push((name.map_or_else(|| format!("(no {})", by.name()), shown), group));
    }
    rows.extend(others.map(|group| ("(others)".to_owned(), group)));
    rows.push(("total".to_owned(), total));

    let names = Column::new(by.name(), rows.iter().map(|(name, _)| name.clone()).collect());
    let times = times(names.clone(), &mut rows);
    let mut tables = sums(&names, &rows, columns);
    match tables.last().map(|last| last.beside(&times)) {
        Some(all) if tables.len() == 1 && all.width() <= columns => tables = vec![all],
        _ => tables.push(times),
    }
    let mut out = String::new();
    for (number, table) in tables.iter().enumerate() {
        out.push_str(if number > 0 { "\n" } else { "" });
        table.write(columns, is_colored, &mut out);
    }
    for (number, note) in notes.iter().enumerate() {
        out.extend([if number > 0 { "" } else { "\n" }, note, "\n"]);
    }
    out
}

fn shown(name: &str) -> String {
    let kept: String = name.chars().take(MAX_NAME_CHARS).collect();
    text::escaped(&kept)
}

/// Calls and cost, and tokens: in one table with counts written out or in three digits, else in two.
fn sums(names: &Column, rows: &[(String, Group)], columns: usize) -> Vec<Table> {
    let costs = costs(names.clone(), rows);
    let exact = tokens(names.clone(), rows, figures::count);
    let short = tokens(names.clone(), rows, compact);
    let fitting =
        [&exact, &short].map(|tokens| costs.beside(tokens)).into_iter().find(|both| both.fits(columns));
    match fitting {
        Some(both) => vec![both],
        None => vec![costs, if exact.fits(columns) { exact } else { short }],
    }
}

fn costs(names: Column, rows: &[(String, Group)]) -> Table {
    let mut table = Table::new(names);
    let mut add = |title, cell: &dyn Fn(&Group) -> String| {
        table.column(Column::new(title, rows.iter().map(|(_, group)| cell(group)).collect()));
    };
    let some = |count: u64| if count > 0 { figures::count(count) } else { NOTHING.to_owned() };
    add("calls", &|group| figures::count(group.calls));
    add("errors", &|group| some(group.errors));
    add("unpriced", &|group| some(group.unpriced()));
    add("cost", &|group| match group.cost {
        Some(cost) if group.is_cost_lower_bound() => format!("≥{}", figures::cost(cost)),
        Some(cost) => figures::cost(cost),
        None => NOTHING.to_owned(),
    });
    table
}

fn tokens(names: Column, rows: &[(String, Group)], counted: fn(u64) -> String) -> Table {
    let mut table = Table::new(names);
    for (title, count) in TOKEN_COLUMNS {
        let cell = |(_, group): &(String, Group)| match count(&group.tokens) {
            Some(count) => format!("{}{}", mark(group), counted(count)),
            None => NOTHING.to_owned(),
        };
        table.column(Column::new(title, rows.iter().map(cell).collect()));
    }
    table
}

/// What stands before token counts: `≥` where some are missing, `~` where some are estimates.
fn mark(group: &Group) -> &'static str {
    match (group.uncounted, group.estimated) {
        (1.., _) => "≥",
        (0, 1..) => "~",
        (0, 0) => "",
    }
}

fn times(names: Column, rows: &mut [(String, Group)]) -> Table {
    let mut columns: [Vec<String>; 6] = Default::default();
    for (_, group) in rows {
        let [p50, p95, p99] = durations(&mut group.latency);
        let [first50, first95, first99] = durations(&mut group.first_chunk);
        for (column, cell) in columns.iter_mut().zip([p50, p95, p99, first50, first95, first99]) {
            column.push(cell);
        }
    }
    let mut table = Table::new(names);
    let titles = ["latency p50", "p95", "p99", "first chunk p50", "p95", "p99"];
    for (title, cells) in titles.into_iter().zip(columns) {
        table.column(Column::new(title, cells));
    }
    table
}

fn durations(nanos: &mut Quantiles) -> [String; 3] {
    let shown = |nanos| figures::duration(Duration::from_nanos(nanos));
    nanos.at([50, 95, 99]).map_or_else(|| [NOTHING; 3].map(str::to_owned), |nanos| nanos.map(shown))
}

/// What the figures leave open, in words.
fn notes(total: &Group) -> Vec<String> {
    let calls = |count: u64| format!("{} call{}", figures::count(count), if count == 1 { "" } else { "s" });
    let mut notes = Vec::new();
    if total.unpriced() > 0 {
        let reasons = total.unpriced.iter().map(|(reason, count)| match reason {
            Reason::Failed => format!("{} failed", figures::count(*count)),
            reason => format!("{} {}", figures::count(*count), reason.words()),
        });
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        notes.push(format!("unpriced: {reasons}"));
    }
    if total.uncounted > 0 {
        notes.push(format!("≥ the tokens of {} are not stated in full", calls(total.uncounted)));
    }
    if total.is_cost_incomplete {
        notes.push("≥ some costs lack fees that have no known price".to_owned());
    }
    if total.estimated > 0 {
        notes.push(format!("~ the tokens of {} are estimates", calls(total.estimated)));
    }
    notes
}
