//! Where spans are sent.

use clap::ValueEnum;
use llmtrace::Exporter;
use llmtrace_exporters::{ConfigError, Endpoint, EndpointError, Langfuse, Otlp, Webhook};

use super::Options;
use crate::failure::Failure;

/// What takes the spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Backend {
    /// Whatever takes OTLP over HTTP.
    #[value(help = "whatever takes OTLP over HTTP")]
    Otlp,
    /// Langfuse.
    #[value(help = "Langfuse, with scores")]
    Langfuse,
    /// A URL of the user's own.
    #[value(help = "a URL of your own, as JSON")]
    Webhook,
}

/// The exporter of a backend.
pub(super) enum Target {
    Otlp(Otlp),
    Langfuse(Langfuse),
    Webhook(Box<Webhook>),
}

/// Reads a header. Its value may be a key, so that it is never shown.
fn header(text: &str) -> Result<(&str, &str), Failure> {
    let wrong = |why: String| Err(Failure::Wrong(format!("--header: {why}")));
    let Some((name, value)) = text.split_once('=') else {
        return wrong("expected NAME=VALUE, such as authorization='Bearer ...'".to_owned());
    };
    let (name, value) = (name.trim(), value.trim());
    let is_name_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_name_char) {
        return wrong("what stands before the = is not the name of a header".to_owned());
    }
    if value.chars().any(char::is_control) {
        return wrong(format!("the value of {name} has characters that no header may have"));
    }
    Ok((name, value))
}

impl Target {
    pub(super) fn new(options: &Options) -> Result<Self, Failure> {
        refuse_what_has_no_meaning(options)?;
        let endpoint = options.endpoint.as_deref().map(|text| endpoint(text, options)).transpose()?;
        let target = match options.to {
            Backend::Otlp => Self::Otlp(otlp(options, endpoint)?),
            Backend::Langfuse => Self::Langfuse(langfuse(options, endpoint)?),
            Backend::Webhook => Self::Webhook(Box::new(webhook(options, endpoint)?)),
        };
        let headers: Vec<_> = options.headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?;
        Ok(target.with_delivery(options, &headers))
    }

    fn with_delivery(self, options: &Options, headers: &[(&str, &str)]) -> Self {
        macro_rules! told {
            ($exporter:expr) => {{
                let mut exporter = $exporter.retry_for(options.retry_for());
                for (name, value) in headers {
                    exporter = exporter.header(name, value);
                }
                if options.gzip { exporter.gzip() } else { exporter }
            }};
        }
        match self {
            Self::Otlp(otlp) => Self::Otlp(told!(otlp)),
            Self::Langfuse(langfuse) => Self::Langfuse(told!(langfuse)),
            Self::Webhook(webhook) => Self::Webhook(Box::new(told!(*webhook))),
        }
    }

    pub(super) fn exporter(&mut self) -> &mut dyn Exporter {
        match self {
            Self::Otlp(otlp) => otlp,
            Self::Langfuse(langfuse) => langfuse,
            Self::Webhook(webhook) => webhook,
        }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Otlp(otlp) => otlp.endpoint(),
            Self::Langfuse(langfuse) => langfuse.endpoint(),
            Self::Webhook(webhook) => webhook.endpoint(),
        }
    }

    pub(super) fn refused_scores(&self) -> u64 {
        match self {
            Self::Langfuse(langfuse) => langfuse.refused_scores(),
            Self::Otlp(_) | Self::Webhook(_) => 0,
        }
    }
}

fn refuse_what_has_no_meaning(options: &Options) -> Result<(), Failure> {
    let to = options.to;
    let wrong = match () {
        () if to != Backend::Otlp && options.profile.is_some() => "--profile is for --to otlp",
        () if to != Backend::Langfuse && options.public_key.is_some() => "--public-key is for --to langfuse",
        () if to == Backend::Otlp && options.secret_key.is_some() => {
            "--secret-key is for --to langfuse and --to webhook; for OTLP, send a --header"
        }
        () if to == Backend::Langfuse && options.secret_key.is_some() && options.public_key.is_none() => {
            "--secret-key needs --public-key and --endpoint; or set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        }
        () => return Ok(()),
    };
    Err(Failure::Wrong(wrong.to_owned()))
}

fn endpoint(text: &str, options: &Options) -> Result<Endpoint, Failure> {
    let endpoint = if options.allow_http { Endpoint::insecure(text) } else { Endpoint::parse(text) };
    endpoint.map_err(|error| {
        let why = match error {
            EndpointError::Unencrypted { shown } => {
                format!("{shown}: spans would cross the network unencrypted; use https, or add --allow-http")
            }
            other => other.to_string(),
        };
        Failure::Wrong(format!("--endpoint: {why}"))
    })
}

fn otlp(options: &Options, endpoint: Option<Endpoint>) -> Result<Otlp, Failure> {
    // Headers of the environment are for the server of the environment.
    let otlp = endpoint
        .map_or_else(|| Otlp::from_env().map_err(|error| wrong(&error)), |endpoint| Ok(Otlp::to(endpoint)))?;
    Ok(otlp.profile(options.profile.unwrap_or_default()))
}

fn langfuse(options: &Options, endpoint: Option<Endpoint>) -> Result<Langfuse, Failure> {
    match (endpoint, &options.public_key, &options.secret_key) {
        (Some(host), Some(public_key), Some(secret_key)) => Ok(Langfuse::to(host, public_key, secret_key)),
        (Some(host), ..) => Langfuse::from_env_to(host).map_err(|error| wrong(&error)),
        (None, ..) => Langfuse::from_env().map_err(|error| wrong(&error)),
    }
}

fn webhook(options: &Options, endpoint: Option<Endpoint>) -> Result<Webhook, Failure> {
    let Some(endpoint) = endpoint else {
        return Err(Failure::Wrong("--to webhook needs --endpoint with its URL".to_owned()));
    };
    let webhook = Webhook::to(endpoint);
    Ok(options.secret_key.iter().fold(webhook, Webhook::secret))
}

/// What is wrong with the environment, on one line.
fn wrong(error: &ConfigError) -> Failure {
    Failure::Wrong(error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" "))
}
