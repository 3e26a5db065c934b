//! The environment as Hugging Face's own tools read it: the only place that does so here.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::model::json_file;

/// What the environment says of the hub.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Environment {
    /// Where downloads lie.
    pub(super) folder: Option<PathBuf>,
    /// Another hub.
    pub(super) endpoint: Option<String>,
    pub(super) token: Option<String>,
    /// Nothing may be downloaded.
    pub(super) offline: bool,
}

/// The longest token file that is read, in bytes.
const LONGEST_TOKEN: u64 = 1 << 12;

impl Environment {
    /// What it says now.
    pub(super) fn now() -> Self {
        Self::of(|name| env::var_os(name), env::home_dir())
    }

    /// What these variables say. One that is empty is as good as none.
    fn of(variable: impl Fn(&str) -> Option<OsString>, user: Option<PathBuf>) -> Self {
        let text = |name: &str| {
            let value = variable(name)?.into_string().ok()?.trim().to_owned();
            Some(value).filter(|value| !value.is_empty())
        };
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let caches = path("XDG_CACHE_HOME").or_else(|| Some(user?.join(".cache")));
        let home = path("HF_HOME").or_else(|| Some(caches?.join("huggingface")));
        let folder = path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE"));
        let token_file = path("HF_TOKEN_PATH").or_else(|| Some(home.as_ref()?.join("token")));
        let token = text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN"));
        let yes = |value: String| matches!(value.to_ascii_lowercase().as_str(), "1" | "on" | "true" | "yes");
        Self {
            folder: folder.or_else(|| Some(home?.join("hub"))),
            endpoint: text("HF_ENDPOINT"),
            token: token.or_else(|| token_in(&token_file?)),
            offline: text("HF_HUB_OFFLINE").is_some_and(yes),
        }
    }
}

/// The token that a file holds; there need not be one.
fn token_in(path: &Path) -> Option<String> {
    let bytes = json_file::bytes(path, LONGEST_TOKEN).ok()?;
    let text = String::from_utf8(bytes).ok()?.trim().to_owned();
    Some(text).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_say_what_they_say_to_the_tools_of_the_hub() {
        let check = |variables: &[(&str, &str)], user: Option<&str>, expected: Environment| {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            assert_eq!(Environment::of(variable, user.map(PathBuf::from)), expected, "{variables:?}");
        };
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("token"), "hf_file\n").unwrap();
        let home = home.path().to_str().unwrap();
        let none = Environment::default;
        let lies = |folder: &str| Environment { folder: Some(folder.into()), ..none() };
        check(&[], None, none());
        check(&[], Some("/u"), lies("/u/.cache/huggingface/hub"));
        check(&[("XDG_CACHE_HOME", "/c")], Some("/u"), lies("/c/huggingface/hub"));
        check(&[("HF_HOME", "/h"), ("XDG_CACHE_HOME", "/c")], Some("/u"), lies("/h/hub"));
        check(&[("HF_HUB_CACHE", "/b"), ("HF_HOME", "/h")], None, lies("/b"));
        check(&[("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", "/b")], None, lies("/b"));
        let token = |token: &str| Environment { token: Some(token.to_owned()), ..none() };
        check(&[("HF_TOKEN", " hf_a ")], None, token("hf_a"));
        let here = Environment { folder: Some(Path::new(home).join("hub")), ..token("hf_file") };
        check(&[("HF_HOME", home)], None, here.clone());
        check(
            &[("HF_HOME", home), ("HF_TOKEN", "hf_a")],
            None,
            Environment { folder: here.folder, ..token("hf_a") },
        );
        check(&[("HF_TOKEN_PATH", &format!("{home}/token"))], None, token("hf_file"));
        check(&[("HF_TOKEN_PATH", "/nowhere")], None, none());
        check(
            &[("HF_ENDPOINT", "https://m")],
            None,
            Environment { endpoint: Some("https://m".to_owned()), ..none() },
        );
        for (value, offline) in [("1", true), ("True", true), ("yes", true), ("0", false), ("", false)] {
            check(&[("HF_HUB_OFFLINE", value)], None, Environment { offline, ..none() });
        }
    }
}
