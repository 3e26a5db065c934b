//! What the address asks to compare.

use llmtrace::{Timestamp, TraceId};

use crate::arguments::time;
use crate::pages::query::Query;

/// What the address asks to compare.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// Nothing yet.
    Nothing,
    /// A trace with one that is still to be chosen.
    First(TraceId),
    /// Two traces.
    Traces(TraceId, TraceId),
    /// Two sets of spans.
    Groups(Box<[GroupAsked; 2]>),
    /// Something that cannot be understood: the name of the parameter.
    Wrong(&'static str),
}

/// A set of spans: those of traces that meet every condition that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupAsked {
    pub(crate) tag: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

/// The conditions of each side, with the names that they have in the address.
pub(super) const SIDES: [[&str; 6]; 2] = [
    ["a_tag", "a_model", "a_service", "a_name", "a_since", "a_until"],
    ["b_tag", "b_model", "b_service", "b_name", "b_since", "b_until"],
];

/// The same conditions as the list's filters call them.
const FILTERS: [&str; 6] = ["tag", "model", "service", "name", "since", "until"];

impl Asked {
    /// Reads the address.
    pub(crate) fn read(query: &Query) -> Self {
        let trace = |name: &str| query.get(name).map(|id| id.trim().parse::<TraceId>().ok());
        match (trace("a"), trace("b")) {
            (Some(None), _) => return Self::Wrong("a"),
            (_, Some(None)) => return Self::Wrong("b"),
            (Some(Some(a)), Some(Some(b))) => return Self::Traces(a, b),
            (Some(Some(one)), None) | (None, Some(Some(one))) => return Self::First(one),
            (None, None) => {}
        }
        if SIDES.iter().flatten().all(|name| query.get(name).is_none()) {
            return Self::Nothing;
        }
        match (GroupAsked::read(query, SIDES[0]), GroupAsked::read(query, SIDES[1])) {
            (Ok(a), Ok(b)) => Self::Groups(Box::new([a, b])),
            (Err(name), _) | (_, Err(name)) => Self::Wrong(name),
        }
    }
}

impl GroupAsked {
    fn read(query: &Query, names: [&'static str; 6]) -> Result<Self, &'static str> {
        let text =
            |name: &str| query.get(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let moment = |name: &'static str| text(name).map(|text| time(&text).map_err(|_| name)).transpose();
        let [tag, model, service, name, since, until] = names;
        Ok(Self {
            tag: text(tag),
            model: text(model),
            service: text(service),
            name: text(name),
            since: moment(since)?,
            until: moment(until)?,
        })
    }

    /// What it is called.
    pub(crate) fn label(&self) -> String {
        let mut words = Vec::new();
        for (name, value) in
            [("", &self.tag), ("model ", &self.model), ("service ", &self.service), ("span ", &self.name)]
        {
            words.extend(value.as_ref().map(|value| format!("{name}{value}")));
        }
        let day = |at: Timestamp| {
            at.to_string().get(..16).unwrap_or_default().replace('T', " ").replace(" 00:00", "")
        };
        words.extend(self.since.map(|since| format!("from {}", day(since))));
        words.extend(self.until.map(|until| format!("until {}", day(until))));
        if words.is_empty() { "all".to_owned() } else { words.join(", ") }
    }

    /// The list of its traces.
    pub(crate) fn href(&self) -> String {
        let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let texts = [self.tag.clone(), self.model.clone(), self.service.clone(), self.name.clone()];
        let values = texts.into_iter().chain([moment(self.since), moment(self.until)]);
        let pairs = FILTERS.into_iter().zip(values);
        let query = pairs.fold(Query::default(), |query, (name, value)| match value {
            Some(value) => query.and(name, &value),
            None => query,
        });
        query.href("/traces")
    }
}
