//! The files that pages load: styles and scripts, embedded in the program.

/// One embedded file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asset {
    /// Its name below `/assets/`.
    pub(crate) name: &'static str,
    /// Its content type.
    pub(crate) media_type: &'static str,
    /// What it holds.
    pub(crate) body: &'static str,
    /// A hash of what it holds: a new file has a new address, so that browsers may keep it for ever.
    pub(crate) hash: u64,
}

impl Asset {
    const fn style(name: &'static str, body: &'static str) -> Self {
        Self { name, media_type: "text/css; charset=utf-8", body, hash: fnv(body.as_bytes()) }
    }

    const fn script(name: &'static str, body: &'static str) -> Self {
        Self { name, media_type: "text/javascript; charset=utf-8", body, hash: fnv(body.as_bytes()) }
    }

    /// Where pages find it.
    pub(crate) fn url(&self) -> String {
        format!("/assets/{}?v={:016x}", self.name, self.hash)
    }
}

/// Style sheets, in the order in which they apply.
pub(crate) const STYLES: &[Asset] = &[
    Asset::style("base.css", include_str!("../../assets/base.css")),
    Asset::style("components.css", include_str!("../../assets/components.css")),
    Asset::style("traces.css", include_str!("../../assets/traces.css")),
    Asset::style("trace.css", include_str!("../../assets/trace.css")),
    Asset::style("charts.css", include_str!("../../assets/charts.css")),
    Asset::style("dashboard.css", include_str!("../../assets/dashboard.css")),
    Asset::style("sessions.css", include_str!("../../assets/sessions.css")),
    Asset::style("findings.css", include_str!("../../assets/findings.css")),
    Asset::style("compare.css", include_str!("../../assets/compare.css")),
];

/// Runs before the page is drawn: sets the theme that the reader chose.
pub(crate) const THEME: Asset = Asset::script("theme.js", include_str!("../../assets/theme.js"));

/// ES modules, each of one concern; they import nothing and talk through events on the document.
pub(crate) const MODULES: &[Asset] = &[
    Asset::script("fragments.js", include_str!("../../assets/fragments.js")),
    Asset::script("menus.js", include_str!("../../assets/menus.js")),
    Asset::script("times.js", include_str!("../../assets/times.js")),
    Asset::script("copy.js", include_str!("../../assets/copy.js")),
    Asset::script("keys.js", include_str!("../../assets/keys.js")),
    Asset::script("trace.js", include_str!("../../assets/trace.js")),
    Asset::script("live.js", include_str!("../../assets/live.js")),
    Asset::script("charts.js", include_str!("../../assets/charts.js")),
    Asset::script("refresh.js", include_str!("../../assets/refresh.js")),
    Asset::script("commits.js", include_str!("../../assets/commits.js")),
];

/// The style and the script of an attribution graph: one page alone needs them.
pub(crate) const CIRCUIT_STYLE: Asset = Asset::style("circuit.css", llmtrace_lens::circuit::page::STYLE);
pub(crate) const CIRCUIT_SCRIPT: Asset = Asset::script("circuit.js", llmtrace_lens::circuit::page::SCRIPT);

/// The symbols of all icons: an SVG that stands once in each page.
pub(crate) const ICONS: &str = include_str!("../../assets/icons.svg");

/// The file of that name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    STYLES
        .iter()
        .chain(MODULES)
        .chain([&THEME, &CIRCUIT_STYLE, &CIRCUIT_SCRIPT])
        .find(|asset| asset.name == name)
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
const fn fnv(bytes: &[u8]) -> u64 {
    let (mut hash, mut rest) = (0xcbf2_9ce4_8422_2325_u64, bytes);
    while let [first, others @ ..] = rest {
        hash = (hash ^ *first as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = others;
    }
    hash
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_file_is_found_by_its_name_and_names_nothing_remote() {
        let all: Vec<_> =
            STYLES.iter().chain(MODULES).chain([&THEME, &CIRCUIT_STYLE, &CIRCUIT_SCRIPT]).collect();
        let names: HashSet<_> = all.iter().map(|asset| asset.name).collect();
        assert_eq!(names.len(), all.len());
        for asset in all {
            assert_eq!(find(asset.name).map(|found| found.hash), Some(asset.hash));
            let remote = ["http://", "https://", "url(", "@import", "eval(", "import "];
            for word in remote {
                assert!(!asset.body.contains(word), "{} has {word}", asset.name);
            }
        }
        assert!(find("../main.rs").is_none());
        // The published value of the hash of "foobar".
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
