//! From variables of the environment to settings, or to what is wrong with them.

use std::time::Duration;

use llmtrace::ContentPolicy;

use super::super::settings::{ExporterSettings, LangfuseSettings, OtlpSettings, Settings, Target};
use super::super::standard;
use super::read_variables;
use crate::Protocol;
use crate::env::Environment;

fn settings(variables: &[(&str, &str)]) -> Settings {
    read_variables(variables).unwrap()
}

fn exporters(variables: &[(&str, &str)]) -> String {
    let exporters = settings(variables).exporters;
    exporters.iter().map(|placed| placed.exporter.name()).collect::<Vec<_>>().join(" ")
}

fn otlp(variables: &[(&str, &str)]) -> OtlpSettings {
    match settings(variables).exporters.remove(0).exporter {
        ExporterSettings::Otlp(otlp) => otlp,
        other => panic!("{other:?}"),
    }
}

fn langfuse(variables: &[(&str, &str)]) -> LangfuseSettings {
    let keys = [("LANGFUSE_PUBLIC_KEY", "pk-lf-1"), ("LANGFUSE_SECRET_KEY", "sk-lf-hunter2")];
    match settings(&[&keys, variables].concat()).exporters.remove(0).exporter {
        ExporterSettings::Langfuse(langfuse) => langfuse,
        other => panic!("{other:?}"),
    }
}

#[test]
fn where_spans_go() {
    let check = |variables: &[(&str, &str)], expected: &str| {
        assert_eq!(exporters(variables), expected, "{variables:?}");
    };
    let keys = [("LANGFUSE_PUBLIC_KEY", "pk"), ("LANGFUSE_SECRET_KEY", "sk")];
    let with_keys = |variables: &[(&'static str, &'static str)]| [&keys, variables].concat();
    check(&[], "stdout");
    check(&[("OTEL_SERVICE_NAME", "bot")], "stdout");
    check(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], "stdout");
    check(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost")], "stdout");
    check(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost")], "otlp");
    check(&[("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b")], "otlp");
    check(&[("OTEL_TRACES_EXPORTER", "otlp")], "otlp");
    check(&[("OTEL_TRACES_EXPORTER", "console")], "stdout");
    check(&[("OTEL_TRACES_EXPORTER", "console, otlp,console")], "stdout otlp");
    check(&[("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost")], "");
    check(&with_keys(&[]), "langfuse");
    check(&with_keys(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost")]), "otlp langfuse");
    check(&with_keys(&[("OTEL_TRACES_EXPORTER", "none")]), "");
    check(&with_keys(&[("LANGFUSE_TRACING_ENABLED", "False")]), "stdout");
    check(&[("LANGFUSE_BASE_URL", "https://lf.example")], "stdout");
}

#[test]
fn otlp_variables() {
    let asked = |variables: &[(&'static str, &'static str)]| {
        otlp(&[&[("OTEL_TRACES_EXPORTER", "otlp")], variables].concat())
    };
    let server = |url: &str| Target::Server(url.to_owned());
    assert_eq!(asked(&[]).endpoint, server("http://localhost:4318"));
    assert_eq!(
        asked(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:1/base")]).endpoint,
        server("http://localhost:1/base")
    );
    let both = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/in"),
    ];
    assert_eq!(asked(&both).endpoint, Target::Traces("https://t/in".to_owned()));
    assert_eq!(asked(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]).protocol, Protocol::Json);
    let both =
        [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")];
    assert_eq!(asked(&both).protocol, Protocol::Protobuf);
    let delivery = asked(&[
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2,x-team=a"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ])
    .delivery;
    let headers: Vec<_> =
        delivery.headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(headers, [("authorization", "Bearer hunter2"), ("x-team", "a")]);
    assert_eq!((delivery.timeout, delivery.gzip), (Some(Duration::from_millis(2500)), Some(true)));
    assert!(!format!("{delivery:?}").contains("hunter2"));
    assert_eq!(asked(&[("OTEL_EXPORTER_OTLP_COMPRESSION", "none")]).delivery.gzip, Some(false));
}

#[cfg(feature = "http")]
#[test]
fn no_time_at_all_means_no_limit_or_no_delay() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost");
    let unlimited = otlp(&[endpoint, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0")]).delivery.timeout;
    assert_eq!(unlimited, Some(Duration::from_millis(u64::from(u32::MAX))));
    assert_eq!(settings(&[("OTEL_BSP_SCHEDULE_DELAY", "0")]).batch.delay, Some(Duration::ZERO));
}

#[cfg(feature = "http")]
#[test]
fn plain_http_is_allowed_where_it_is_said() {
    let otlp = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")];
    let langfuse = [
        ("LANGFUSE_PUBLIC_KEY", "pk"),
        ("LANGFUSE_SECRET_KEY", "sk"),
        ("LANGFUSE_BASE_URL", "http://langfuse:3000"),
    ];
    let check = |variables: &[(&str, &str)], said: (&str, &str), expected: &str| {
        let problems = read_variables(variables).err().unwrap_or_default();
        assert_eq!(
            problems,
            [format!(
                "{}: spans would cross the network unencrypted; write https://, or allow it with {expected}",
                variables.last().unwrap().0
            )]
        );
        let settings = settings(&[variables, &[said]].concat());
        let delivery = match &settings.exporters[0].exporter {
            ExporterSettings::Otlp(otlp) => &otlp.delivery,
            ExporterSettings::Langfuse(langfuse) => &langfuse.delivery,
            other => panic!("{other:?}"),
        };
        assert!(delivery.allows_http);
    };
    check(&otlp, ("OTEL_EXPORTER_OTLP_INSECURE", "true"), "OTEL_EXPORTER_OTLP_INSECURE=true");
    check(&otlp, ("LLMTRACE_ALLOW_HTTP", "true"), "OTEL_EXPORTER_OTLP_INSECURE=true");
    check(&langfuse, ("LLMTRACE_ALLOW_HTTP", "true"), "LLMTRACE_ALLOW_HTTP=true");
}

#[test]
fn langfuse_variables() {
    assert_eq!(langfuse(&[]).host, "https://cloud.langfuse.com");
    assert_eq!(langfuse(&[("LANGFUSE_URL", "https://c")]).host, "https://c");
    assert_eq!(langfuse(&[("LANGFUSE_URL", "https://c"), ("LANGFUSE_HOST", "https://b")]).host, "https://b");
    assert_eq!(
        langfuse(&[("LANGFUSE_BASEURL", "https://d"), ("LANGFUSE_HOST", "https://b")]).host,
        "https://d"
    );
    let all = [("LANGFUSE_HOST", "https://b"), ("LANGFUSE_BASE_URL", "https://a"), ("LANGFUSE_TIMEOUT", "7")];
    let settings = langfuse(&all);
    assert_eq!((settings.host.as_str(), settings.public_key.as_str()), ("https://a", "pk-lf-1"));
    assert_eq!(settings.delivery.timeout, Some(Duration::from_secs(7)));
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn what_the_process_is() {
    let check =
        |variables: &[(&str, &str)], name: Option<&str>, environment: Option<&str>, resource: &str| {
            let settings = settings(variables);
            let said: Vec<_> =
                settings.resource.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!(settings.service_name.as_deref(), name, "{variables:?}");
            assert_eq!(settings.environment.as_deref(), environment, "{variables:?}");
            assert_eq!(said.join(" "), resource, "{variables:?}");
        };
    check(&[("OTEL_SERVICE_NAME", "bot")], Some("bot"), None, "");
    check(
        &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=a%2Cb,team=x")],
        None,
        None,
        "service.name=a,b team=x",
    );
    check(&[("LANGFUSE_TRACING_ENVIRONMENT", "staging")], None, Some("staging"), "");
    let both = [
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod"),
        ("LANGFUSE_TRACING_ENVIRONMENT", "staging"),
        ("LANGFUSE_RELEASE", "v7"),
    ];
    check(&both, None, None, "deployment.environment.name=prod service.version=v7");
}

#[test]
fn content_and_switches() {
    let check = |variables: &[(&str, &str)], expected: Option<ContentPolicy>| {
        assert_eq!(settings(variables).content, expected, "{variables:?}");
    };
    let theirs = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
    let omit = Some(ContentPolicy::Omit);
    check(&[], None);
    check(&[("LLMTRACE_CONTENT", "omit")], omit);
    check(&[("LLMTRACE_CONTENT", "keep")], None);
    for omitted in ["false", "False", "NO_CONTENT", "no_content", "EVENT_ONLY"] {
        check(&[(theirs, omitted)], omit);
        check(&[(theirs, omitted), ("LLMTRACE_CONTENT", "keep")], None);
    }
    for kept in ["true", "SPAN_ONLY", "span_and_event"] {
        check(&[(theirs, kept)], None);
        check(&[(theirs, kept), ("LLMTRACE_CONTENT", "omit")], omit);
    }
    assert!(settings(&[("OTEL_SDK_DISABLED", "TRUE")]).is_disabled);
    assert!(!settings(&[("OTEL_SDK_DISABLED", "false")]).is_disabled);
}

#[test]
fn switches_beside_a_file_only_take_away() {
    let apply = |variables: &[(&str, &str)], content| {
        let mut settings = Settings { content, ..Settings::default() };
        standard::apply_switches(&Environment::of(variables), &mut settings).unwrap();
        settings
    };
    let (keep, omit) = (Some(ContentPolicy::Keep), Some(ContentPolicy::Omit));
    assert_eq!(apply(&[("LLMTRACE_CONTENT", "omit")], keep).content, omit);
    assert_eq!(apply(&[("LLMTRACE_CONTENT", "keep")], omit).content, omit);
    assert_eq!(apply(&[], keep).content, keep);
    assert!(apply(&[("OTEL_SDK_DISABLED", "true")], None).is_disabled);
}

#[test]
fn batches_and_sampling() {
    let settings_of = settings;
    let settings = settings(&[("OTEL_BSP_SCHEDULE_DELAY", "1000"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64")]);
    assert_eq!((settings.batch.spans, settings.batch.delay), (Some(64), Some(Duration::from_secs(1))));
    let check = |variables: &[(&str, &str)], expected: Option<f64>| {
        assert_eq!(settings_of(variables).sampling.ratio, expected, "{variables:?}");
    };
    check(&[], None);
    check(&[("OTEL_TRACES_SAMPLER_ARG", "0.5")], None);
    check(&[("OTEL_TRACES_SAMPLER", "always_on")], Some(1.0));
    check(&[("OTEL_TRACES_SAMPLER", "parentbased_always_off")], Some(0.0));
    check(&[("OTEL_TRACES_SAMPLER", "traceidratio")], Some(1.0));
    check(
        &[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")],
        Some(0.25),
    );
    let keys =
        [("LANGFUSE_PUBLIC_KEY", "pk"), ("LANGFUSE_SECRET_KEY", "sk"), ("LANGFUSE_SAMPLE_RATE", "0.1")];
    check(&keys, Some(0.1));
    check(&keys[2..], None);
}

#[test]
fn wrong_variables() {
    let check = |variables: &[(&str, &str)], expected: &[&str]| {
        let problems = read_variables(variables).err().unwrap_or_default();
        assert_eq!(problems, expected, "{variables:?}");
        assert!(!problems.concat().contains("hunter2"));
    };
    let one = |name: &str, value: &str, expected: &str| check(&[(name, value)], &[expected]);
    #[cfg(feature = "http")]
    one(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "localhost:4318",
        "OTEL_EXPORTER_OTLP_ENDPOINT: expected a URL that begins with http:// or https://",
    );
    one(
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "grpc",
        "OTEL_EXPORTER_OTLP_PROTOCOL: gRPC is not spoken here; write http/protobuf, and the server's HTTP port, \
         usually 4318, in the endpoint",
    );
    one(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "http/protobuff",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: expected \"http/protobuf\" or \"http/json\"; did you mean \
         \"http/protobuf\"?",
    );
    one(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "hunter2",
        "OTEL_EXPORTER_OTLP_HEADERS: part 1 is no key=value; expected key1=value1,key2=value2, with commas in values \
         written as %2C",
    );
    one(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "a=%0Ahunter2",
        "OTEL_EXPORTER_OTLP_HEADERS: a: expected a value of printable ASCII characters",
    );
    for wrong in ["10s", "-1", "1.5", "4294967296"] {
        one(
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            wrong,
            "OTEL_EXPORTER_OTLP_TIMEOUT: expected milliseconds: a whole number from 0 to 4294967295",
        );
    }
    one(
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "zstd",
        "OTEL_EXPORTER_OTLP_COMPRESSION: expected \"gzip\" or \"none\"",
    );
    one(
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "/absent.pem",
        "OTEL_EXPORTER_OTLP_CERTIFICATE: cannot read /absent.pem: No such file or directory (os error 2)",
    );
    one(
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        "/key.pem",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY: client certificates are not supported; unset it, and send a header that says \
         who you are",
    );
    one("OTEL_TRACES_EXPORTER", "zipkin", "OTEL_TRACES_EXPORTER: expected \"otlp\", \"console\" or \"none\"");
    one(
        "OTEL_TRACES_EXPORTER",
        "none,otlp",
        "OTEL_TRACES_EXPORTER: \"none\" stands beside others; write it alone, or leave it out",
    );
    one("OTEL_SDK_DISABLED", "1", "OTEL_SDK_DISABLED: expected \"true\" or \"false\"");
    one(
        "OTEL_RESOURCE_ATTRIBUTES",
        "team",
        "OTEL_RESOURCE_ATTRIBUTES: part 1 is no key=value; expected key1=value1,key2=value2, with commas in values \
         written as %2C",
    );
    one(
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        "0",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE: expected a whole number from 1 to 65536",
    );
    one("LLMTRACE_CONTENT", "omitted", "LLMTRACE_CONTENT: expected \"keep\" or \"omit\"");
    one("LLMTRACE_CONTNET", "omit", "LLMTRACE_CONTNET: unknown variable; did you mean LLMTRACE_CONTENT?");
    check(&[("LLMTRACE_FIXTURES", "x")], &[]);
    one(
        "LANGFUSE_SECRET_KEY",
        "hunter2",
        "LANGFUSE_PUBLIC_KEY: is not set, but the other key of Langfuse is; set both, or neither",
    );
    let sampler = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "25%")];
    check(&sampler, &["OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, such as 0.25"]);
    let keys = [("LANGFUSE_PUBLIC_KEY", "pk"), ("LANGFUSE_SECRET_KEY", "hunter2")];
    let rates = [("LANGFUSE_SAMPLE_RATE", "0.5"), ("OTEL_TRACES_SAMPLER", "always_on")];
    check(
        &[&keys[..], &rates].concat(),
        &["LANGFUSE_SAMPLE_RATE: OTEL_TRACES_SAMPLER says another share; set one of the two"],
    );
    #[cfg(feature = "http")]
    check(
        &[&keys[..], &[("LANGFUSE_BASE_URL", "lf.example"), ("OTEL_SDK_DISABLED", "yes")]].concat(),
        &[
            "LANGFUSE_BASE_URL: not a URL: relative URL without a base; expected something like https://otel.example.com:4318",
            "OTEL_SDK_DISABLED: expected \"true\" or \"false\"",
        ],
    );
}

#[test]
fn a_misspelt_standard_variable_is_wrong() {
    let misspelt = [
        ("LANGFUSE_BASE_ULR", "LANGFUSE_BASE_URL"),
        ("OTEL_EXPORTER_OTPL_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ("OTEL_EXPORTER_OTLP_HEADER", "OTEL_EXPORTER_OTLP_HEADERS"),
    ];
    for (name, meant) in misspelt {
        let problems = standard::read(&Environment::of(&[(name, "hunter2")])).unwrap_err();
        let expected = format!("{name}: unknown variable; did you mean {meant}?");
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn variables_of_others_are_let_alone() {
    let names = [
        "LANGFUSE_BASEURL",
        "LANGFUSE_DEBUG",
        "LANGFUSE_FLUSH_AT",
        "LANGFUSE_LOG_LEVEL",
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
        "OTEL_BLRP_SCHEDULE_DELAY",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        "OTEL_EXPORTER_OTLP_SPAN_INSECURE",
        "OTEL_LOGS_EXPORTER",
        "OTEL_LOG_LEVEL",
        "OTEL_METRICS_EXPORTER",
        "OTEL_SERVICE_VERSION",
    ];
    for name in names {
        let problems = standard::read(&Environment::of(&[(name, "http://localhost")])).err();
        assert!(problems.is_none(), "{name}: {problems:?}");
    }
}

#[test]
fn a_variable_that_is_not_text_is_wrong() {
    let environment = Environment::of(&[]).with_not_text("OTEL_SERVICE_NAME").with_not_text("PATH");
    let problems = standard::read(&environment).unwrap_err();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["OTEL_SERVICE_NAME: is not valid UTF-8"]);
}
