//! What traces can be filtered by.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};

use super::commit::Commit;
use crate::store::facets::Facet;
use crate::store::fact::Fact;
use crate::store::totals::{ERROR, OK, Totals};
use crate::store::varint;

/// What one trace can be filtered by: facets, and numbers of names.
pub(in crate::store) type FacetSet = BTreeSet<(u8, i64)>;

/// How many more traces have a value than before.
#[derive(Debug, Default)]
pub(super) struct FacetCounts {
    all: BTreeMap<(u8, i64), i64>,
}

/// Values of one trace, at most; further names of spans are left out.
pub(in crate::store) const MAX_VALUES: usize = 2_000;

impl FacetCounts {
    pub(super) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let add = "INSERT INTO facet_counts (facet, value, traces) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET traces = traces + excluded.traces";
        let mut add = conn.prepare_cached(add)?;
        let remove = "DELETE FROM facet_counts WHERE facet = ?1 AND value = ?2 AND traces <= 0";
        let mut remove = conn.prepare_cached(remove)?;
        for ((facet, value), more) in std::mem::take(&mut self.all) {
            if more != 0 {
                add.execute(params![facet, value, more])?;
            }
            if more < 0 {
                remove.execute(params![facet, value])?;
            }
        }
        Ok(())
    }
}

impl Commit<'_> {
    /// What a trace can be filtered by: what its spans tell, and tags and scores that are known otherwise.
    pub(super) fn facets(
        &mut self,
        facts: &[Fact],
        totals: &Totals,
        others: impl IntoIterator<Item = (u8, i64)>,
    ) -> rusqlite::Result<FacetSet> {
        let mut set = FacetSet::new();
        let status = match totals.status {
            OK => "ok",
            ERROR => "error",
            _ => "unfinished",
        };
        set.insert((Facet::Status as u8, self.state.names.number(self.conn, Some(status))?));
        set.extend(others);
        let kinds: BTreeSet<_> = facts.iter().map(|fact| fact.kind).collect();
        for kind in kinds {
            set.insert((Facet::Kind as u8, self.state.names.number(self.conn, Some(kind.as_str()))?));
        }
        for fact in facts {
            let labels = &fact.labels;
            let all = [
                (Facet::Model, labels.model),
                (Facet::Provider, labels.provider),
                (Facet::Service, labels.service),
                (Facet::Session, labels.session),
                (Facet::User, labels.user),
                (Facet::Environment, labels.environment),
                (Facet::Name, labels.name),
            ];
            if set.len() < MAX_VALUES {
                set.extend(
                    all.into_iter()
                        .filter(|(_, value)| *value != 0)
                        .map(|(facet, value)| (facet as u8, value)),
                );
            }
        }
        Ok(set)
    }

    /// Writes what a trace can be filtered by, in place of what it could.
    pub(super) fn write_facets(
        &mut self,
        trace: i64,
        (old_start, old): (i64, &FacetSet),
        (start, set): (i64, &FacetSet),
    ) -> rusqlite::Result<()> {
        let delete = "DELETE FROM facets WHERE facet = ?1 AND value = ?2 AND start = ?3 AND trace = ?4";
        let insert = "INSERT OR IGNORE INTO facets (facet, value, start, trace) VALUES (?1, ?2, ?3, ?4)";
        let (mut delete, mut insert) = (self.conn.prepare_cached(delete)?, self.conn.prepare_cached(insert)?);
        for (facet, value) in old {
            if old_start != start || !set.contains(&(*facet, *value)) {
                delete.execute(params![facet, value, old_start, trace])?;
            }
            *self.facet_counts.all.entry((*facet, *value)).or_default() -= 1;
        }
        for (facet, value) in set {
            if old_start != start || !old.contains(&(*facet, *value)) {
                insert.execute(params![facet, value, start, trace])?;
            }
            *self.facet_counts.all.entry((*facet, *value)).or_default() += 1;
        }
        Ok(())
    }
}

/// Facets as a column holds them.
pub(in crate::store) fn to_bytes(set: &FacetSet) -> Vec<u8> {
    let mut out = Vec::with_capacity(set.len() * 3);
    for (facet, value) in set {
        out.push(*facet);
        varint::put(value.unsigned_abs(), &mut out);
    }
    out
}

/// Facets from their column.
pub(in crate::store) fn from_bytes(mut bytes: &[u8]) -> FacetSet {
    let mut set = FacetSet::new();
    while let Some((facet, rest)) = bytes.split_first() {
        bytes = rest;
        let Some(value) = varint::take(&mut bytes).and_then(|value| i64::try_from(value).ok()) else { break };
        set.insert((*facet, value));
    }
    set
}
