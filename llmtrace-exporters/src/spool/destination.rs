//! For whom spans wait.

/// For whom spans wait: exporters that differ in one of these never deliver each other's spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The exporter's name.
    pub(crate) exporter: String,
    /// The host, for people who look into the directory.
    pub(crate) host: String,
    /// The address without user name, password and query string.
    pub(crate) address: String,
    /// As whom the exporter speaks to the server; no secret.
    pub(crate) user: String,
}

/// Longest part of a folder's name that is taken from an exporter's name or a host, in bytes.
const MAX_PART: usize = 80;

impl Destination {
    /// The name of its folder: exporter and host, and the CRC-32 of all that tells destinations apart.
    pub(super) fn folder(&self) -> String {
        let Self { exporter, host, address, user } = self;
        let all = [exporter, address, user].map(|part| format!("{}:{part}", part.len())).concat();
        format!("{}-{}-{:08x}", plain(exporter), plain(host), crc32fast::hash(all.as_bytes()))
    }
}

/// What every file system takes as part of a name.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.chars().take(MAX_PART).map(|c| if is_plain(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(exporter: &str, host: &str, address: &str, user: &str) -> String {
        let [exporter, host, address, user] = [exporter, host, address, user].map(str::to_owned);
        Destination { exporter, host, address, user }.folder()
    }

    #[test]
    fn each_destination_has_a_folder_with_a_plain_name() {
        let first = folder("otlp", "a.example", "https://a.example/v1/traces", "");
        // The checksum as Python's `zlib.crc32` works it out.
        assert_eq!(first, "otlp-a.example-ef84eac4");
        for other in [
            folder("webhook", "a.example", "https://a.example/v1/traces", ""),
            folder("otlp", "a.example", "https://a.example:4318/v1/traces", ""),
            folder("otlp", "a.example", "https://a.example/v1/traces", "pk-lf-1"),
            folder("otlp", "a.example", "https://a.example/v1/trace", "s"),
        ] {
            assert_ne!(first, other);
        }
        assert!(folder("../x/\0", "[::1]", "", "").starts_with(".._x__-___1_-"));
        assert!(folder(&"x".repeat(999), &"y".repeat(999), "", "").len() < 200);
    }
}
