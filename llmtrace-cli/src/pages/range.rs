//! The stretch of time that a page is about.

use std::time::Duration;

use llmtrace::Timestamp;
use maud::Markup;

use super::components::menu::{Choice, segments};
use super::query::Query;
use crate::arguments::time;

/// The stretch of time that a page is about, from the state in its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) chosen: Chosen,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

/// How the reader chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// The time up to now.
    Last(Preset),
    /// All that is stored.
    All,
    /// From one moment to another.
    Between,
}

/// A stretch of time up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Preset {
    /// Its name in addresses, which is also what it says.
    pub(crate) name: &'static str,
    pub(crate) length: Duration,
}

/// What can be chosen, the shortest first.
const PRESETS: [Preset; 5] = [
    Preset { name: "1h", length: Duration::from_secs(3_600) },
    Preset { name: "6h", length: Duration::from_secs(6 * 3_600) },
    Preset { name: "24h", length: Duration::from_secs(24 * 3_600) },
    Preset { name: "7d", length: Duration::from_secs(7 * 86_400) },
    Preset { name: "30d", length: Duration::from_secs(30 * 86_400) },
];

/// What is chosen where the address says nothing: the third preset.
const USUAL: Preset = PRESETS[2];

/// The names in an address that choose a stretch of time.
pub(crate) const NAMES: [&str; 3] = ["range", "since", "until"];

impl Range {
    /// Reads it; `oldest` is the start of the oldest trace, for the choice of all.
    pub(crate) fn read(query: &Query, now: Timestamp, oldest: Option<Timestamp>) -> Self {
        let moment = |name: &str| query.get(name).and_then(|text| time(text).ok());
        let (since, until) = (moment("since"), moment("until"));
        if since.is_some() || until.is_some() {
            let until = until.unwrap_or(now);
            let since = since.or(oldest).unwrap_or(until).min(until);
            return Self { chosen: Chosen::Between, since, until };
        }
        match query.get("range") {
            Some("all") => Self { chosen: Chosen::All, since: oldest.unwrap_or(now).min(now), until: now },
            name => {
                let preset = PRESETS.into_iter().find(|preset| Some(preset.name) == name).unwrap_or(USUAL);
                Self { chosen: Chosen::Last(preset), since: before(now, preset.length), until: now }
            }
        }
    }

    /// The stretch of the same length that ends where this one begins; `None` where all is chosen.
    pub(crate) fn before(&self) -> Option<Self> {
        let length = self.until.since(self.since);
        (self.chosen != Chosen::All && !length.is_zero()).then(|| Self {
            chosen: Chosen::Between,
            since: before(self.since, length),
            until: self.since,
        })
    }

    /// What it is called in a sentence: `the last 24h`.
    pub(crate) fn words(&self) -> String {
        match self.chosen {
            Chosen::Last(preset) => format!("the last {}", preset.name),
            Chosen::All => "all time".to_owned(),
            Chosen::Between => format!("{} to {}", seconds(self.since), seconds(self.until)),
        }
    }

    /// The filters of the list that let through what started in it.
    pub(crate) fn filters(&self) -> Query {
        match self.chosen {
            Chosen::All => Query::default(),
            _ => between(self.since, self.until),
        }
    }
}

/// The filters of the list that let through what started between two moments, widened to whole seconds.
pub(crate) fn between(since: Timestamp, until: Timestamp) -> Query {
    Query::default().and("since", &seconds(since)).and("until", &seconds(ceiling(until)))
}

/// Links to the same page of other stretches of time.
pub(crate) fn presets(query: &Query, path: &str, chosen: Chosen) -> Markup {
    let rest = query.without(&NAMES);
    let choice = |name: &str, is_chosen: bool| Choice {
        label: name.to_owned(),
        count: None,
        href: rest.with("range", name).href(path),
        chosen: is_chosen,
    };
    let mut choices: Vec<_> =
        PRESETS.iter().map(|preset| choice(preset.name, chosen == Chosen::Last(*preset))).collect();
    choices.push(choice("all", chosen == Chosen::All));
    segments("Time", &choices)
}

fn before(at: Timestamp, length: Duration) -> Timestamp {
    let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    Timestamp::from_unix_nanos(at.unix_nanos().saturating_sub(nanos))
}

/// The next whole second.
fn ceiling(at: Timestamp) -> Timestamp {
    let nanos = at.unix_nanos();
    Timestamp::from_unix_nanos(nanos.checked_next_multiple_of(1_000_000_000).unwrap_or(nanos))
}

/// A moment as an address holds it: `2026-11-22T08:30:00Z`.
fn seconds(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}Z", text.get(..19).unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_address_says_which_time() {
        let now = at("2026-11-22T08:30:00.5Z");
        let oldest = Some(at("2026-01-01T00:00:00Z"));
        let check = |query: &str, oldest: Option<Timestamp>, since: &str, until: &str| {
            let range = Range::read(&Query::parse(query), now, oldest);
            assert_eq!((range.since, range.until), (at(since), at(until)), "{query}");
        };
        let day = "2026-11-21T08:30:00.5Z";
        check("", oldest, day, "2026-11-22T08:30:00.5Z");
        check("range=nonsense", oldest, day, "2026-11-22T08:30:00.5Z");
        check("range=1h", oldest, "2026-11-22T07:30:00.5Z", "2026-11-22T08:30:00.5Z");
        check("range=all", oldest, "2026-01-01T00:00:00Z", "2026-11-22T08:30:00.5Z");
        check("range=all", None, "2026-11-22T08:30:00.5Z", "2026-11-22T08:30:00.5Z");
        check("since=2026-11-20&until=2026-11-21", oldest, "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
        check("since=2027-01-01", oldest, "2026-11-22T08:30:00.5Z", "2026-11-22T08:30:00.5Z");
        check("until=2026-11-21", oldest, "2026-01-01T00:00:00Z", "2026-11-21T00:00:00Z");
    }

    #[test]
    fn the_time_before_is_as_long() {
        let range = Range::read(&Query::parse("range=1h"), at("2026-11-22T08:30:00Z"), None);
        let before = range.before().unwrap();
        assert_eq!((before.since, before.until), (at("2026-11-22T06:30:00Z"), at("2026-11-22T07:30:00Z")));
        assert_eq!(Range::read(&Query::parse("range=all"), at("2026-11-22T08:30:00Z"), None).before(), None);
    }

    #[test]
    fn links_keep_the_rest_and_lose_no_moment() {
        let query = Query::parse("by=user&since=2026-11-20");
        let links = presets(&query, "/dashboard", Chosen::Between).into_string();
        assert!(links.contains("href=\"/dashboard?by=user&amp;range=7d\""), "{links}");
        assert!(!links.contains("aria-current"), "{links}");
        let filters = between(at("2026-11-22T08:30:00.5Z"), at("2026-11-22T08:30:01.5Z"));
        assert_eq!(filters.href(""), "?since=2026-11-22T08%3A30%3A00Z&until=2026-11-22T08%3A30%3A02Z");
    }
}
