//! From settings to exporters that send over the network.

use std::fs;

use super::error::ConfigError;
use super::settings::{DeliverySettings, OtlpSettings, Target};
use super::standard;
use crate::env::Environment;
use crate::{Endpoint, Otlp};

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

pub(super) fn otlp(settings: &OtlpSettings) -> Result<Otlp, String> {
    let DeliverySettings { headers, gzip, timeout, retry_for, certificate, allows_http, spool } =
        &settings.delivery;
    let endpoint = |text: &str| {
        let endpoint = if *allows_http { Endpoint::insecure(text) } else { Endpoint::parse(text) };
        endpoint.map_err(|error| error.to_string())
    };
    let mut otlp = match &settings.endpoint {
        Target::Server(url) => Otlp::to(endpoint(url)?),
        Target::Traces(url) => Otlp::exactly_to(endpoint(url)?),
    };
    otlp = otlp.protocol(settings.protocol).profile(settings.profile);
    for (name, value) in headers {
        otlp = otlp.header(name, value.expose());
    }
    if *gzip == Some(true) {
        otlp = otlp.gzip();
    }
    if let Some(timeout) = timeout {
        otlp = otlp.timeout(*timeout);
    }
    if let Some(time) = retry_for {
        otlp = otlp.retry_for(*time);
    }
    if let Some(path) = certificate {
        let failed = |error: String| format!("certificate {}: {error}", path.display());
        let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
        otlp = otlp.root_certificates(&pem).map_err(|error| failed(error.to_string()))?;
    }
    if let Some(spool) = spool {
        otlp = otlp.spool(&spool.dir, spool.max_bytes).map_err(|error| error.to_string())?;
    }
    Ok(otlp)
}
