//! Rotation: `app.jsonl` becomes `app.jsonl.1`, which becomes `app.jsonl.2`, and so on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Moves the file at `path` away, so that a new one can be made there; `keep` moved files stay.
///
/// Renaming replaces what stands at the new name, be it a link, and never follows it. Files move up only as
/// far as the first free name: a move that failed midway and is tried again deletes nothing more.
pub(super) fn move_away(path: &Path, keep: usize) -> io::Result<()> {
    if keep == 0 {
        return fs::remove_file(path);
    }
    let free =
        (1..keep).find(|&number| fs::symlink_metadata(numbered(path, number)).is_err()).unwrap_or(keep);
    for number in (1..free).rev() {
        fs::rename(numbered(path, number), numbered(path, number + 1))?;
    }
    fs::rename(path, numbered(path, 1))
}

/// The name of the `number`th file before the present one.
pub(super) fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Gives a new file the permissions of the one it follows.
pub(super) fn copy_permissions(from: &Path, to: &Path) {
    // Where that fails, the new file stays readable for its owner only.
    drop(fs::metadata(from).and_then(|found| fs::set_permissions(to, found.permissions())));
}
