//! From settings to exporters that send over the network.

use std::fs;

use super::error::ConfigError;
use super::settings::{DeliverySettings, LangfuseSettings, OtlpSettings, Target, WebhookSettings};
use super::standard;
use crate::env::Environment;
use crate::{Endpoint, Langfuse, Otlp, Webhook};

/// The exporter with what the settings say of its delivery: the exporters' options have the same names.
macro_rules! delivered {
    ($exporter:ident, $delivery:expr) => {{
        let DeliverySettings { headers, gzip, timeout, retry_for, certificate, allows_http: _, spool } =
            $delivery;
        let mut exporter = $exporter;
        for (name, value) in headers {
            exporter = exporter.header(name, value.expose());
        }
        if *gzip == Some(true) {
            exporter = exporter.gzip();
        }
        if let Some(timeout) = timeout {
            exporter = exporter.timeout(*timeout);
        }
        if let Some(time) = retry_for {
            exporter = exporter.retry_for(*time);
        }
        if let Some(path) = certificate {
            let failed = |error: String| format!("certificate {}: {error}", path.display());
            let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
            exporter = exporter.root_certificates(&pem).map_err(|error| failed(error.to_string()))?;
        }
        if let Some(problem) = exporter.problem() {
            return Err(problem.to_owned());
        }
        if let Some(spool) = spool {
            exporter = exporter.spool(&spool.dir, spool.max_bytes).map_err(|error| error.to_string())?;
        }
        Ok(exporter)
    }};
}

impl Otlp {
    /// Sends as the standard variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` and the others that
    /// [`Config`](crate::Config) lists): to `http://localhost:4318` where they do not say where to.
    ///
    /// # Errors
    ///
    /// A variable is wrong; the error names it and says what would be right.
    pub fn from_env() -> Result<Self, ConfigError> {
        let read = standard::read_otlp(&Environment::of_process());
        let (place, settings) = read.map_err(ConfigError::Wrong)?;
        otlp(&settings).map_err(|message| ConfigError::Wrong(vec![place.problem(message)]))
    }
}

impl Langfuse {
    /// Sends as the variables of Langfuse's own clients say (`LANGFUSE_PUBLIC_KEY`, `LANGFUSE_SECRET_KEY` and the others
    /// that [`Config`](crate::Config) lists): to `https://cloud.langfuse.com` where they do not say where to.
    ///
    /// # Errors
    ///
    /// A key is not set, or a variable is wrong; the error names it and says what would be right.
    pub fn from_env() -> Result<Self, ConfigError> {
        let read = standard::read_langfuse(&Environment::of_process());
        let (place, settings) = read.map_err(ConfigError::Wrong)?;
        langfuse(&settings).map_err(|message| ConfigError::Wrong(vec![place.problem(message)]))
    }

    /// Sends to a host with the keys that `LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY` hold.
    ///
    /// # Errors
    ///
    /// A key is not set, or a variable is wrong; the error names it and says what would be right.
    pub fn from_env_to(host: Endpoint) -> Result<Self, ConfigError> {
        let read = standard::read_langfuse(&Environment::of_process());
        let (place, settings) = read.map_err(ConfigError::Wrong)?;
        let langfuse = Self::to(host, &settings.public_key, settings.secret_key.expose());
        match langfuse.problem() {
            Some(problem) => Err(ConfigError::Wrong(vec![place.problem(problem.to_owned())])),
            None => Ok(langfuse),
        }
    }
}

pub(super) fn otlp(settings: &OtlpSettings) -> Result<Otlp, String> {
    let delivery = &settings.delivery;
    let otlp = match &settings.endpoint {
        Target::Server(url) => Otlp::to(endpoint(url, delivery)?),
        Target::Traces(url) => Otlp::exactly_to(endpoint(url, delivery)?),
    };
    let otlp = otlp.protocol(settings.protocol).profile(settings.profile);
    delivered!(otlp, delivery)
}

pub(super) fn langfuse(settings: &LangfuseSettings) -> Result<Langfuse, String> {
    let host = endpoint(&settings.host, &settings.delivery)?;
    let langfuse = Langfuse::to(host, &settings.public_key, settings.secret_key.expose());
    delivered!(langfuse, &settings.delivery)
}

pub(super) fn webhook(settings: &WebhookSettings) -> Result<Webhook, String> {
    let mut webhook = Webhook::to(endpoint(&settings.url, &settings.delivery)?);
    if let Some(secret) = &settings.secret {
        webhook = webhook.secret(secret.expose());
    }
    delivered!(webhook, &settings.delivery)
}

fn endpoint(text: &str, delivery: &DeliverySettings) -> Result<Endpoint, String> {
    let endpoint = if delivery.allows_http { Endpoint::insecure(text) } else { Endpoint::parse(text) };
    endpoint.map_err(|error| error.to_string())
}
