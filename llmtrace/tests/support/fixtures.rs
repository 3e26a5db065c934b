//! Where recordings are, which are not part of the project.

use std::path::{Path, PathBuf};

/// What stands at `path` of the folder that `LLMTRACE_FIXTURES` names, else of `../../shared/fixtures` beside the
/// crate; where nothing does, says so and gives `None`.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn at(path: &str) -> Option<PathBuf> {
    let named = std::env::var_os("LLMTRACE_FIXTURES").map(PathBuf::from);
    let root = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures"));
    let found = root.join(path);
    if !found.exists() {
        println!("skipped: there are no recordings at {}", found.display());
        return None;
    }
    Some(found)
}
