//! The keys of exporters that send over the network.

use std::path::PathBuf;
use std::time::Duration;

use super::entry::Entry;
use super::secret::Secret;
use super::section::Section;
use super::settings::{
    DeliverySettings, ExporterSettings, LangfuseSettings, OtlpSettings, SpoolSettings, Target,
    WebhookSettings,
};
use super::url::{self, PlainHttp};
use crate::{Profile, Protocol};

/// The keys of delivery, which all of them have.
pub(super) const DELIVERY_KEYS: &[&str] =
    &["headers", "gzip", "timeout", "retry_for", "certificate", "allow_http", "spool"];

/// Least size of a spool.
const MIN_SPOOL_BYTES: u64 = 1 << 20;

pub(super) fn otlp(section: &Section<'_>) -> Option<ExporterSettings> {
    let protocols = [("protobuf", Protocol::Protobuf), ("json", Protocol::Json)];
    let profiles = Profile::EVERY.map(|profile| (profile.as_str(), profile));
    let endpoint =
        section.require("endpoint", "endpoint = \"http://localhost:4318\"", |entry| url(section, entry));
    let protocol = section.read("protocol", |entry| entry.choice(&protocols)).unwrap_or_default();
    let profile = section.read("profile", |entry| entry.choice(&profiles)).unwrap_or_default();
    let delivery = delivery(section);
    Some(ExporterSettings::Otlp(OtlpSettings {
        endpoint: Target::of(endpoint?),
        protocol,
        profile,
        delivery,
    }))
}

pub(super) fn langfuse(section: &Section<'_>) -> Option<ExporterSettings> {
    let host = section.require("host", "host = \"https://cloud.langfuse.com\"", |entry| url(section, entry));
    let public_key =
        section.require("public_key", "public_key = { env = \"LANGFUSE_PUBLIC_KEY\" }", Entry::string);
    let secret_key =
        section.require("secret_key", "secret_key = { env = \"LANGFUSE_SECRET_KEY\" }", Entry::secret);
    let delivery = delivery(section);
    Some(ExporterSettings::Langfuse(LangfuseSettings {
        host: host?,
        public_key: public_key?,
        secret_key: secret_key?,
        delivery,
    }))
}

pub(super) fn webhook(section: &Section<'_>) -> Option<ExporterSettings> {
    let url = section.require("url", "url = \"https://example.com/traces\"", |entry| url(section, entry));
    let secret = section.read("secret", Entry::secret);
    let delivery = delivery(section);
    Some(ExporterSettings::Webhook(WebhookSettings { url: url?, secret, delivery }))
}

/// A URL, plain `http` to another computer only where `allow_http` says so.
fn url(section: &Section<'_>, entry: &Entry<'_>) -> Result<String, String> {
    let text = entry.text()?;
    let plain_http = if allows_http(section) { PlainHttp::Allowed } else { PlainHttp::Refused };
    url::check(text, plain_http, "allow_http = true")?;
    Ok(text.to_owned())
}

fn allows_http(section: &Section<'_>) -> bool {
    section.entry("allow_http").is_some_and(|entry| entry.value.as_bool() == Some(true))
}

fn delivery(section: &Section<'_>) -> DeliverySettings {
    let positive = |entry: &Entry<'_>| entry.duration(Duration::from_millis(1));
    DeliverySettings {
        headers: section.entry("headers").map(|entry| headers(&entry)).unwrap_or_default(),
        gzip: section.read("gzip", Entry::boolean),
        timeout: section.read("timeout", positive),
        retry_for: section.read("retry_for", |entry| entry.duration(Duration::ZERO)),
        certificate: section.read("certificate", certificate),
        allows_http: section.read("allow_http", Entry::boolean).unwrap_or(false),
        spool: section.entry("spool").and_then(|entry| spool(&entry)),
    }
}

fn headers(entry: &Entry<'_>) -> Vec<(String, Secret)> {
    let Some(section) = Section::unchecked(entry) else { return Vec::new() };
    let read = |(name, entry): (&str, Entry<'_>)| {
        let value = check_header_name(name).and_then(|()| entry.text());
        let value = value.and_then(|value| check_header_value(value).map(|()| Secret::new(value)));
        Some((name.to_owned(), entry.report(value)?))
    };
    section.entries().filter_map(read).collect()
}

/// A file that can be read; what it holds is for the exporter.
fn certificate(entry: &Entry<'_>) -> Result<PathBuf, String> {
    let path = entry.path()?;
    check_certificate(&path)?;
    Ok(path)
}

fn spool(entry: &Entry<'_>) -> Option<SpoolSettings> {
    let section = Section::of(entry, &["dir", "max_bytes"], |_| None)?;
    let dir = section.require("dir", "dir = \"traces/spool\"", Entry::path);
    let max_bytes =
        section.require("max_bytes", "max_bytes = \"1 GiB\"", |entry| entry.bytes(MIN_SPOOL_BYTES));
    Some(SpoolSettings { dir: dir?, max_bytes: max_bytes? })
}

/// Whether the name is a token of RFC 9110, section 5.1, that the program may choose.
pub(super) fn check_header_name(name: &str) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("is no name of an HTTP header; expected letters, digits and -".to_owned());
    }
    let fixed = ["content-type", "content-length", "content-encoding", "host", "transfer-encoding"];
    if fixed.iter().any(|fixed| name.eq_ignore_ascii_case(fixed)) {
        return Err("is set by the exporter itself; leave it out".to_owned());
    }
    Ok(())
}

/// Whether the value can be sent. The message shows nothing of it.
pub(super) fn check_header_value(value: &str) -> Result<(), String> {
    if value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    Err("expected a value of printable ASCII characters".to_owned())
}

pub(super) fn check_certificate(path: &std::path::Path) -> Result<(), String> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    if text.windows(begin.len()).any(|window| window == begin) {
        return Ok(());
    }
    Err(format!("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", path.display()))
}

impl Target {
    /// What a user wrote: the address of the server, or the whole URL if it ends in `/v1/traces`.
    pub(super) fn of(text: String) -> Self {
        if text.trim_end_matches('/').ends_with("/v1/traces") {
            Self::Traces(text)
        } else {
            Self::Server(text)
        }
    }
}

impl DeliverySettings {
    pub(super) fn spool_dir(&self) -> Option<&PathBuf> {
        self.spool.as_ref().map(|spool| &spool.dir)
    }
}
