//! Tensors in a file.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::{fs, io};

use candle_core::Tensor;

/// Writes a safetensors file, with what its header says of it.
///
/// The file is written where the path leads, as any other is; the library's own way would put a new file in the place of a link
/// or a device, which nobody but its owner may read.
pub(crate) fn write<'t, N: AsRef<str> + Ord + Display>(
    path: &Path,
    tensors: impl IntoIterator<Item = (N, &'t Tensor)>,
    header: Option<HashMap<String, String>>,
) -> io::Result<()> {
    fs::write(path, safetensors::serialize(tensors, header).map_err(io::Error::other)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_permissions_are_those_of_other_files() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let [file, link, other] = ["file", "link", "other"].map(|name| folder.path().join(name));
        fs::write(&other, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let tensor = Tensor::new(&[1.0_f32, 2.0], &Device::Cpu).unwrap();
        write(&link, [("a", &tensor)], None).unwrap();
        assert!(link.is_symlink());
        let found = candle_core::safetensors::load(&file, &Device::Cpu).unwrap();
        assert_eq!(found["a"].to_vec1::<f32>().unwrap(), [1.0, 2.0]);
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&other));
    }

    #[test]
    fn an_error_is_the_systems() {
        let tensor = Tensor::new(1.0_f32, &Device::Cpu).unwrap();
        let error = write(Path::new("/nowhere/at/all"), [("a", &tensor)], None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
