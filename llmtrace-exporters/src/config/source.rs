//! The text of a configuration file, and what was found wrong with it.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::ConfigProblem;
use super::settings::Place;
use crate::env::Environment;

/// A file that is being read. Problems are gathered, so that all of them are told at once.
pub(super) struct Source<'a> {
    path: &'a Path,
    environment: &'a Environment,
    /// Where each line begins.
    lines: Vec<usize>,
    problems: RefCell<Vec<ConfigProblem>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &'a Path, text: &str, environment: &'a Environment) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect();
        Self { path, environment, lines, problems: RefCell::default() }
    }

    /// The line, from 1, of a place in the text.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.lines.partition_point(|begin| *begin <= span.start)
    }

    pub(super) fn place(&self, key: &str, line: usize) -> Place {
        Place { file: Some(self.path.to_owned()), line: Some(line), key: key.to_owned() }
    }

    /// Takes note of something wrong.
    pub(super) fn report(&self, key: &str, line: usize, message: impl Into<String>) {
        self.problems.borrow_mut().push(self.place(key, line).problem(message));
    }

    /// A path as the file means it: relative to the folder that the file is in.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    pub(super) fn environment(&self) -> &'a Environment {
        self.environment
    }

    /// What was found, in the order of the lines.
    pub(super) fn into_problems(self) -> Vec<ConfigProblem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

impl Place {
    /// A variable of the environment.
    pub(super) fn variable(name: &str) -> Self {
        Self { file: None, line: None, key: name.to_owned() }
    }

    /// What is wrong at this place.
    pub(super) fn problem(&self, message: impl Into<String>) -> ConfigProblem {
        let Self { file, line, key } = self.clone();
        ConfigProblem { file, line, key, message: message.into() }
    }
}
