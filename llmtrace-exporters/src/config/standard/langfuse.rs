//! The variables of Langfuse's own clients (<https://langfuse.com/docs/observability/sdk/overview>;
//! `langfuse/_client/environment_variables.py` of langfuse-python lists them).

use std::time::Duration;

#[cfg(feature = "http")]
use super::super::error::ConfigProblem;
use super::super::secret::Secret;
use super::super::settings::{DeliverySettings, LangfuseSettings, Place};
use super::super::url::{self, PlainHttp};
use super::super::variables::{Variables, truth};
use super::ALLOW_HTTP;
#[cfg(feature = "http")]
use crate::env::Environment;

const PUBLIC_KEY: &str = "LANGFUSE_PUBLIC_KEY";
const SECRET_KEY: &str = "LANGFUSE_SECRET_KEY";

/// What the older JavaScript client reads.
pub(super) const BASEURL: &str = "LANGFUSE_BASEURL";

/// Where Langfuse is: the present name, and older ones.
const HOSTS: &[&str] = &["LANGFUSE_BASE_URL", BASEURL, "LANGFUSE_HOST", "LANGFUSE_URL"];

/// Where its clients send to, if nothing says otherwise.
const DEFAULT_HOST: &str = "https://cloud.langfuse.com";

/// Whether a key of Langfuse is set.
pub(super) fn is_meant(variables: &Variables<'_>) -> bool {
    variables.first(&[PUBLIC_KEY, SECRET_KEY]).is_some()
}

/// Reads what the variables say of Langfuse alone, whose keys must then be there.
#[cfg(feature = "http")]
pub(in super::super) fn read_alone(
    environment: &Environment,
) -> Result<(Place, LangfuseSettings), Vec<ConfigProblem>> {
    let variables = Variables::new(environment);
    if !is_meant(&variables) {
        variables.report(PUBLIC_KEY, format!("is not set; set it and {SECRET_KEY} to the keys of a project"));
    }
    let langfuse = read_enabled(&variables);
    let problems = variables.into_problems();
    langfuse.filter(|_| problems.is_empty()).ok_or(problems)
}

/// Reads what the variables say, unless they say that nothing goes to Langfuse.
pub(super) fn read(variables: &Variables<'_>) -> Option<(Place, LangfuseSettings)> {
    let is_on = variables.read(&["LANGFUSE_TRACING_ENABLED"], truth).unwrap_or(true);
    if is_on { read_enabled(variables) } else { None }
}

fn read_enabled(variables: &Variables<'_>) -> Option<(Place, LangfuseSettings)> {
    let (public_key, secret_key) = (variables.text(PUBLIC_KEY), variables.text(SECRET_KEY));
    for (name, key, other) in [(PUBLIC_KEY, public_key, secret_key), (SECRET_KEY, secret_key, public_key)] {
        if key.is_none() && other.is_some() {
            variables.report(name, "is not set, but the other key of Langfuse is; set both, or neither");
        }
    }
    let (public_key, secret_key) = (public_key?, secret_key?);
    let plain_http = PlainHttp::said_by(variables, &[]);
    let host = match variables.first(HOSTS) {
        Some((name, _)) => variables.read(&[name], |text| {
            url::check(text, plain_http, &format!("{ALLOW_HTTP}=true")).map(|()| text.to_owned())
        })?,
        None => DEFAULT_HOST.to_owned(),
    };
    let timeout = variables.read(&["LANGFUSE_TIMEOUT"], |text| {
        let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds > 0);
        let seconds = seconds.ok_or("expected seconds: a whole number of at least 1")?;
        Ok(Duration::from_secs(u64::from(seconds)))
    });
    let settings = LangfuseSettings {
        host,
        public_key: public_key.to_owned(),
        secret_key: Secret::new(secret_key),
        delivery: DeliverySettings {
            timeout,
            allows_http: plain_http == PlainHttp::Allowed,
            ..DeliverySettings::default()
        },
    };
    Some((Place::variable(PUBLIC_KEY), settings))
}
