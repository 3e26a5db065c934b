//! Which findings are shown, and how many there are of each kind.

use std::collections::BTreeMap;

use llmtrace_exporters::figures;

use super::{FindingsView, PATH, SEVERITIES, words};
use crate::findings::{Finding, Severity};
use crate::pages::components::menu::Choice;
use crate::pages::query::Query;

/// Which findings are shown: those that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filter {
    pub(super) rule: Option<String>,
    severity: Option<Severity>,
    model: Option<String>,
    service: Option<String>,
}

/// Choices of a menu, at most.
const MAX_CHOICES: usize = 30;

impl Filter {
    pub(super) fn read(query: &Query) -> Self {
        let text = |name: &str| query.get(name).map(str::to_owned);
        let severity = query.get("severity");
        Self {
            rule: text("rule"),
            severity: SEVERITIES.into_iter().find(|known| Some(known.as_str()) == severity),
            model: text("model"),
            service: text("service"),
        }
    }

    pub(super) fn lets_through(&self, finding: &Finding) -> bool {
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        is(&self.rule, Some(&finding.rule))
            && is(&self.model, finding.model.as_deref())
            && is(&self.service, finding.service.as_deref())
            && self.severity.is_none_or(|severity| severity == finding.severity)
    }

    /// The conditions that no row of choices shows.
    pub(super) fn set(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("rule", &self.rule), ("model", &self.model), ("service", &self.service)];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// All severities with how many findings the other filters leave of each.
pub(super) fn severities(view: &FindingsView<'_>, filter: &Filter) -> Vec<Choice> {
    let others = Filter { severity: None, ..filter.clone() };
    let left: Vec<_> = view.findings.iter().filter(|finding| others.lets_through(finding)).collect();
    let label = |name: &str, count: usize| format!("{name} {}", figures::count(count as u64));
    let mut choices = vec![Choice {
        label: label("all", left.len()),
        count: None,
        href: view.query.without(&["severity"]).href(PATH),
        chosen: filter.severity.is_none(),
    }];
    choices.extend(SEVERITIES.map(|severity| Choice {
        label: label(severity.as_str(), left.iter().filter(|finding| finding.severity == severity).count()),
        count: None,
        href: view.query.with("severity", severity.as_str()).href(PATH),
        chosen: filter.severity == Some(severity),
    }));
    choices
}

/// The rules that found something.
pub(super) fn rules(view: &FindingsView<'_>, filter: &Filter) -> Vec<Choice> {
    let others = Filter { rule: None, ..filter.clone() };
    counted(view, &others, "rule", filter.rule.as_deref(), |finding| Some(&finding.rule), words)
}

/// The models of which something was found.
pub(super) fn models(view: &FindingsView<'_>, filter: &Filter) -> Vec<Choice> {
    let others = Filter { model: None, ..filter.clone() };
    counted(
        view,
        &others,
        "model",
        filter.model.as_deref(),
        |finding| finding.model.as_deref(),
        str::to_owned,
    )
}

/// The services of which something was found.
pub(super) fn services(view: &FindingsView<'_>, filter: &Filter) -> Vec<Choice> {
    let others = Filter { service: None, ..filter.clone() };
    counted(
        view,
        &others,
        "service",
        filter.service.as_deref(),
        |finding| finding.service.as_deref(),
        str::to_owned,
    )
}

/// The values with how many findings the other filters leave of each, the most frequent first.
fn counted(
    view: &FindingsView<'_>,
    others: &Filter,
    name: &str,
    chosen: Option<&str>,
    value: fn(&Finding) -> Option<&str>,
    label: fn(&str) -> String,
) -> Vec<Choice> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in view.findings.iter().filter(|finding| others.lets_through(finding)) {
        if let Some(value) = value(finding) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let choice = |(value, count): (&str, u64)| Choice {
        label: label(value),
        count: Some(count),
        href: view.query.with(name, value).href(PATH),
        chosen: chosen == Some(value),
    };
    counts.into_iter().take(MAX_CHOICES).map(choice).collect()
}
