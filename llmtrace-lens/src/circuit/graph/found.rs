//! Rows as they are found, and which features matter by them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::backward::Row;
use crate::circuit::error::CircuitError;

/// Rows so far, each of an active feature or a target: in memory up to a limit, and past it all in a temporary file.
pub(super) struct Found {
    entries: Vec<Entry>,
    /// Edges of a row.
    width: usize,
    /// The most bytes of rows in memory.
    limit: usize,
    store: Store,
}

/// What is known of a row without reading it.
pub(super) struct Entry {
    pub(super) owner: Owner,
    pub(super) constant: f32,
    /// The sum of its edges' sizes.
    size: f64,
}

pub(super) enum Owner {
    /// A target, with its weight.
    Target(f64),
    /// An active feature's number.
    Feature(usize),
}

enum Store {
    Memory(Vec<Vec<f32>>),
    /// Row after row; nobody else can open it, and it is gone when it is closed.
    File(File),
}

impl Found {
    pub(super) fn new(width: usize, limit: usize) -> Self {
        Self { entries: Vec::new(), width, limit, store: Store::Memory(Vec::new()) }
    }

    pub(super) fn add(&mut self, owner: Owner, row: Row) -> Result<(), CircuitError> {
        let size = row.sources.iter().map(|edge| f64::from(edge.abs())).sum();
        self.entries.push(Entry { owner, constant: row.constant, size });
        let bytes = self.entries.len().saturating_mul(self.width).saturating_mul(size_of::<f32>());
        self.keep(row.sources, bytes).map_err(scratch)
    }

    fn keep(&mut self, row: Vec<f32>, bytes: usize) -> io::Result<()> {
        match &mut self.store {
            Store::Memory(rows) if bytes <= self.limit => rows.push(row),
            Store::Memory(rows) => {
                let mut file = tempfile::tempfile()?;
                for held in rows.drain(..).chain([row]) {
                    file.write_all(bytemuck::cast_slice(&held))?;
                }
                self.store = Store::File(file);
            }
            Store::File(file) => {
                file.seek(SeekFrom::End(0))?;
                file.write_all(bytemuck::cast_slice(&row))?;
            }
        }
        Ok(())
    }

    /// How much each of `features` active features matters to the targets through the rows so far: rows of sizes, each summing
    /// to 1, followed from the targets down (`compute_partial_influences` of circuit-tracer).
    pub(super) fn influence(&self, features: usize) -> Result<Vec<f64>, CircuitError> {
        let mut influence = vec![0.0; features];
        let mut buffer = Vec::new();
        // A feature's row is added to before it is read: features are numbered by layer, and none writes to its own.
        for (index, entry) in self.ordered().into_iter().rev() {
            let weight = match entry.owner {
                Owner::Target(weight) => weight,
                Owner::Feature(feature) => influence.get(feature).copied().unwrap_or(0.0),
            };
            if weight == 0.0 || entry.size == 0.0 {
                continue;
            }
            for (share, edge) in influence.iter_mut().zip(self.row(index, &mut buffer)?) {
                *share += weight * f64::from(edge.abs()) / entry.size.max(1e-8);
            }
        }
        Ok(influence)
    }

    /// The rows and where each is kept: of features in their order, then of targets in theirs.
    pub(super) fn ordered(&self) -> Vec<(usize, &Entry)> {
        let mut rows: Vec<(usize, &Entry)> = self.entries.iter().enumerate().collect();
        rows.sort_by_key(|(_, entry)| match entry.owner {
            Owner::Feature(feature) => feature,
            Owner::Target(_) => usize::MAX,
        });
        rows
    }

    /// The edges of a row by where it is kept, read into the buffer where they are in a file.
    pub(super) fn row<'a>(
        &'a self,
        index: usize,
        buffer: &'a mut Vec<f32>,
    ) -> Result<&'a [f32], CircuitError> {
        match &self.store {
            Store::Memory(rows) => Ok(rows.get(index).map(Vec::as_slice).unwrap_or_default()),
            Store::File(file) => {
                buffer.resize(self.width, 0.0);
                let place = (index * self.width * size_of::<f32>()) as u64;
                read_at(file, place, bytemuck::cast_slice_mut(buffer)).map_err(scratch)?;
                Ok(buffer)
            }
        }
    }
}

fn read_at(mut file: &File, place: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(bytes)
}

fn scratch(source: io::Error) -> CircuitError {
    CircuitError::Scratch { folder: std::env::temp_dir(), source }
}
