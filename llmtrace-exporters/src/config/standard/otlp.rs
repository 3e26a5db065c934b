//! The variables of OpenTelemetry's OTLP exporter
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

#[cfg(feature = "http")]
use super::super::error::ConfigProblem;
use super::super::network::{check_certificate, check_header_name, check_header_value};
use super::super::secret::Secret;
use super::super::settings::{DeliverySettings, OtlpSettings, Place, Target};
use super::super::url::{self, PlainHttp};
use super::super::variables::{Variables, choice, pairs, timeout};
#[cfg(feature = "http")]
use crate::env::Environment;
use crate::{Profile, Protocol};

const SERVER: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const INSECURE: &str = "OTEL_EXPORTER_OTLP_INSECURE";
const CLIENT_KEYS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"];

/// Where OTLP goes by the specification, if nothing says otherwise.
const DEFAULT_SERVER: &str = "http://localhost:4318";

pub(super) fn read(variables: &Variables<'_>) -> Option<(Place, OtlpSettings)> {
    if let Some((name, _)) = variables.first(&CLIENT_KEYS) {
        variables.report(
            name,
            "client certificates are not supported; unset it, and send a header that says who you are",
        );
    }
    let protocols = [Protocol::Protobuf, Protocol::Json].map(|protocol| (protocol.as_str(), protocol));
    let protocol = |text: &str| match text {
        "grpc" => {
            Err("gRPC is not spoken here; write http/protobuf, and the server's HTTP port, usually 4318, \
                       in the endpoint"
                .to_owned())
        }
        _ => choice(text, &protocols),
    };
    let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    let protocol = variables.read(&names, protocol).unwrap_or_default();
    let plain_http = PlainHttp::said_by(variables, &["OTEL_EXPORTER_OTLP_TRACES_INSECURE", INSECURE]);
    let url =
        |text: &str| url::check(text, plain_http, &format!("{INSECURE}=true")).map(|()| text.to_owned());
    let (key, endpoint) = match variables.first(&[TRACES, SERVER]) {
        Some((TRACES, _)) => (TRACES, variables.read(&[TRACES], url).map(Target::Traces)),
        Some(_) => (SERVER, variables.read(&[SERVER], url).map(Target::Server)),
        None => (SERVER, Some(Target::Server(DEFAULT_SERVER.to_owned()))),
    };
    let allows_http = plain_http == PlainHttp::Allowed;
    let delivery = DeliverySettings { allows_http, ..delivery(variables) };
    let settings = OtlpSettings { endpoint: endpoint?, protocol, profile: Profile::default(), delivery };
    Some((Place::variable(key), settings))
}

/// What the variables say of OTLP alone.
#[cfg(feature = "http")]
pub(in super::super) fn read_alone(
    environment: &Environment,
) -> Result<(Place, OtlpSettings), Vec<ConfigProblem>> {
    let variables = Variables::new(environment);
    let otlp = read(&variables);
    let problems = variables.into_problems();
    otlp.filter(|_| problems.is_empty()).ok_or(problems)
}

fn delivery(variables: &Variables<'_>) -> DeliverySettings {
    let compressions = [("gzip", true), ("none", false)];
    let certificate = |text: &str| {
        let path = std::path::PathBuf::from(text);
        check_certificate(&path).map(|()| path)
    };
    DeliverySettings {
        headers: headers(variables),
        gzip: variables
            .read(&["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"], |text| {
                choice(text, &compressions)
            }),
        timeout: variables
            .read(&["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"], timeout),
        certificate: variables
            .read(&["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"], certificate),
        ..DeliverySettings::default()
    }
}

fn headers(variables: &Variables<'_>) -> Vec<(String, Secret)> {
    let read = |text: &str| {
        let headers = pairs(text)?;
        for (name, value) in &headers {
            check_header_name(name).map_err(|message| format!("{name} {message}"))?;
            check_header_value(value).map_err(|message| format!("{name}: {message}"))?;
        }
        Ok(headers.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
    };
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    variables.read(&names, read).unwrap_or_default()
}
