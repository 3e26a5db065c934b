//! Keys whose own form tells what they are.
//!
//! Names and most forms are those of gitleaks' rules (<https://github.com/gitleaks/gitleaks>, `config/gitleaks.toml`);
//! the others come from the providers' own documentation and from keys as they are issued.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

/// A key's name, what it begins with, and its whole form. Of forms that begin alike, the first that fits counts.
type Row = (&'static str, &'static [&'static str], &'static str);

/// Keys of model providers and of tools around them.
const MODELS: &[Row] = &[
    ("anthropic-api-key", &["sk-ant-"], r"sk-ant-[\w-]{16,}"),
    ("openrouter-api-key", &["sk-or-"], r"sk-or-[\w-]{20,}"),
    ("langfuse-secret-key", &["sk-lf-"], r"sk-lf-[\w-]{20,}"),
    (
        "openai-api-key",
        &["sk-"],
        r"sk-(?:[\w-]{16,}T3BlbkFJ[\w-]{16,}|(?:proj|svcacct|admin|None|service)-[\w-]{20,})",
    ),
    ("sk-api-key", &["sk-"], r"sk-(?:[A-Za-z]{2,12}-)?(?:v\d-)?[A-Za-z0-9]{20,}\b"),
    ("groq-api-key", &["gsk_"], r"gsk_[A-Za-z0-9]{32,}"),
    ("xai-api-key", &["xai-"], r"xai-[A-Za-z0-9]{40,}"),
    ("perplexity-api-key", &["pplx-"], r"pplx-[A-Za-z0-9]{32,}"),
    ("huggingface-access-token", &["hf_", "api_org_"], r"(?:hf|api_org)_[A-Za-z0-9]{30,}\b"),
    ("gcp-api-key", &["AIza"], r"AIza[\w-]{35}"),
    ("gemini-auth-key", &["AQ."], r"AQ\.[\w-]{40,}"),
    ("replicate-api-token", &["r8_"], r"r8_[A-Za-z0-9]{30,}\b"),
    ("fireworks-api-key", &["fw_"], r"fw_[A-Za-z0-9]{20,}\b"),
    ("together-api-key", &["tgp_v1_"], r"tgp_v1_[\w-]{30,}"),
    ("cerebras-api-key", &["csk-"], r"csk-[A-Za-z0-9]{32,}"),
    ("nvidia-api-key", &["nvapi-"], r"nvapi-[\w-]{40,}"),
    ("voyage-api-key", &["pa-"], r"pa-[A-Za-z0-9_-]{43}\b"),
    ("jina-api-key", &["jina_"], r"jina_[\w-]{40,}"),
    ("pinecone-api-key", &["pcsk_"], r"pcsk_\w{40,}"),
    ("tavily-api-key", &["tvly-"], r"tvly-[\w-]{20,}"),
    ("langsmith-api-key", &["lsv2_"], r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{8,}"),
    ("elevenlabs-api-key", &["sk_"], r"sk_[a-f0-9]{48}\b"),
    ("e2b-api-key", &["e2b_"], r"e2b_[a-f0-9]{32,}"),
    ("firecrawl-api-key", &["fc-"], r"fc-[a-f0-9]{32}\b"),
    ("databricks-api-token", &["dapi"], r"dapi[a-f0-9]{32}(?:-\d)?\b"),
    (
        "bedrock-api-key",
        &["ABSK", "bedrock-api-key-"],
        r"(?:ABSK[A-Za-z0-9+/%]{100,}|bedrock-api-key-[A-Za-z0-9+/%]{20,})={0,2}",
    ),
    ("friendli-token", &["flp_"], r"flp_[A-Za-z0-9]{40,}"),
    ("novita-api-key", &["sk_"], r"sk_[A-Za-z0-9_-]{43}\b"),
];

/// Keys of clouds and of hosts of code.
const CLOUDS: &[Row] = &[
    (
        "aws-access-token",
        &["A3T", "AKIA", "ASIA", "ABIA", "ACCA"],
        r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    ),
    ("gcp-oauth-token", &["ya29."], r"ya29\.[\w-]{20,}"),
    ("gcp-oauth-client-secret", &["GOCSPX-"], r"GOCSPX-[\w-]{20,}"),
    ("alibaba-access-key-id", &["LTAI"], r"LTAI[A-Za-z0-9]{20,26}\b"),
    ("digitalocean-token", &["doo_v1_", "dop_v1_", "dor_v1_"], r"do[opr]_v1_[a-f0-9]{64}"),
    ("github-fine-grained-pat", &["github_pat_"], r"github_pat_\w{36,}"),
    ("github-pat", &["ghp_"], r"ghp_[A-Za-z0-9]{36,}"),
    ("github-oauth", &["gho_"], r"gho_[A-Za-z0-9]{36,}"),
    ("github-app-token", &["ghu_", "ghs_"], r"gh[us]_[A-Za-z0-9]{36,}"),
    ("github-refresh-token", &["ghr_"], r"ghr_[A-Za-z0-9]{36,}"),
    ("gitlab-pat", &["glpat-"], r"glpat-[\w-]{20,}"),
    (
        "gitlab-token",
        &[
            "glptt-", "glrt-", "glcbt-", "gldt-", "glft-", "glimt-", "glagent-", "glsoat-", "gloas-",
            "glffct-",
        ],
        r"gl[a-z]{2,6}-[\w-]{20,}",
    ),
    ("atlassian-api-token", &["ATATT3", "ATCTT3"], r"AT[AC]TT3[\w=-]{60,}"),
    ("bitbucket-app-password", &["ATBB"], r"ATBB[A-Za-z0-9]{28,}"),
    ("hashicorp-tf-api-token", &["atlasv1."], r"atlasv1\.[\w=-]{60,}"),
    ("vault-service-token", &["hvs."], r"hvs\.[\w-]{24,}"),
    ("vault-batch-token", &["hvb."], r"hvb\.[\w-]{60,}"),
    ("pulumi-api-token", &["pul-"], r"pul-[a-f0-9]{40}\b"),
    ("doppler-api-token", &["dp."], r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:\w+\.)?[A-Za-z0-9]{40,}"),
    ("heroku-api-key", &["HRKU-"], r"HRKU-[\w-]{30,}"),
    ("planetscale-token", &["pscale_"], r"pscale_(?:tkn|pw|oauth)_[\w=.-]{32,}"),
    ("supabase-key", &["sbp_", "sb_secret_"], r"(?:sbp_[a-f0-9]{40}|sb_secret_[\w-]{20,})"),
    ("tailscale-key", &["tskey-"], r"tskey-[\w-]{16,}"),
    ("age-secret-key", &["AGE-SECRET-KEY-"], r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("fly-access-token", &["fm2_", "fm1r_", "fm1a_", "fo1_"], r"f(?:m2|m1[ar]|o1)_[\w+/=-]{40,}"),
    ("1password-service-account-token", &["ops_eyJ"], r"ops_eyJ[A-Za-z0-9+/_%-]{100,}={0,2}"),
    ("npm-access-token", &["npm_"], r"npm_[A-Za-z0-9]{36}\b"),
    ("pypi-upload-token", &["pypi-AgE"], r"pypi-AgE[\w-]{50,}"),
    ("rubygems-api-token", &["rubygems_"], r"rubygems_[a-f0-9]{48}\b"),
    ("cratesio-api-token", &["cio"], r"cio[A-Za-z0-9]{32}\b"),
    ("docker-pat", &["dckr_pat_", "dckr_oat_"], r"dckr_[po]at_[\w-]{20,}"),
    ("netlify-token", &["nfp_"], r"nfp_[A-Za-z0-9]{36,}"),
];

/// Keys of other services.
const SERVICES: &[Row] = &[
    ("jwt", &["ey"], r"ey[JKI][A-Za-z0-9_-]{14,}\.ey[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    (
        "jwe",
        &["eyJ"],
        r"eyJ[A-Za-z0-9_-]{14,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    ),
    ("slack-token", &["xox"], r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,}"),
    ("slack-app-token", &["xapp-"], r"xapp-\d-[\w-]{16,}"),
    ("stripe-access-token", &["sk_", "rk_"], r"[sr]k_(?:test|live|prod)_[A-Za-z0-9]{10,}"),
    ("stripe-webhook-secret", &["whsec_"], r"whsec_[A-Za-z0-9+/%]{24,}={0,2}"),
    ("square-access-token", &["sq0"], r"sq0[a-z]{3}-[\w-]{22,}"),
    ("shopify-token", &["shp"], r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("sendgrid-api-token", &["SG."], r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    ("sendinblue-api-token", &["xkeysib-"], r"xkeysib-[a-f0-9]{64}-\w{16}"),
    ("mailgun-api-key", &["key-"], r"key-[a-f0-9]{32}\b"),
    ("twilio-api-key", &["SK"], r"SK[a-f0-9]{32}\b"),
    ("discord-bot-token", &["M", "N", "O"], r"[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,}"),
    ("linear-api-key", &["lin_api_", "lin_oauth_"], r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    ("notion-api-token", &["ntn_", "secret_"], r"(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})\b"),
    ("airtable-personal-access-token", &["pat"], r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("figma-token", &["figd_"], r"figd_[\w-]{30,}"),
    ("postman-api-token", &["PMAK-"], r"PMAK-[a-fA-F0-9]{24}-[a-fA-F0-9]{34}"),
    ("new-relic-user-api-key", &["NRAK-"], r"NRAK-[A-Z0-9]{27}\b"),
    (
        "grafana-token",
        &["glsa_", "glc_", "eyJrIjoi"],
        r"(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/%]{32,}={0,2}|eyJrIjoi[A-Za-z0-9+/%]{60,}={0,2})",
    ),
    (
        "sentry-token",
        &["sntrys_", "sntryu_"],
        r"sntry[su]_[A-Za-z0-9+/_%]{40,}(?:={1,2}(?:_[A-Za-z0-9+/%]{20,})?)?",
    ),
    ("facebook-access-token", &["EAA"], r"EAA[A-Za-z0-9]{80,}"),
    ("twitter-bearer-token", &["AAAAAAAAAAAAAAAAAAAAA"], r"A{21}[A-Za-z0-9%]{70,}"),
    ("posthog-personal-api-key", &["phx_"], r"phx_[A-Za-z0-9_-]{40,}"),
    ("dynatrace-api-token", &["dt0c01."], r"dt0c01\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{64}"),
    ("easypost-api-token", &["EZAK", "EZTK"], r"EZ[AT]K[A-Za-z0-9]{54}"),
    (
        "1password-secret-key",
        &["A3-"],
        r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}\b",
    ),
    ("adobe-client-secret", &["p8e-"], r"p8e-[A-Za-z0-9]{32}\b"),
    ("artifactory-api-key", &["AKCp"], r"AKCp[A-Za-z0-9]{69}\b"),
    ("artifactory-reference-token", &["cmVmd"], r"cmVmd[A-Za-z0-9]{59}\b"),
    ("clickhouse-cloud-api-secret-key", &["4b1d"], r"4b1d[A-Za-z0-9]{38}\b"),
    ("clojars-api-token", &["CLOJARS_"], r"CLOJARS_[A-Za-z0-9]{60}"),
    ("cloudflare-origin-ca-key", &["v1.0-"], r"v1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),
    ("duffel-api-token", &["duffel_"], r"duffel_(?:test|live)_[\w=-]{43}"),
    ("flutterwave-secret-key", &["FLWSECK"], r"FLWSECK(?:_TEST)?-[A-Za-z0-9]{32}-X"),
    ("frameio-api-token", &["fio-u-"], r"fio-u-[\w=-]{64}"),
    ("gitlab-rrt", &["GR1348941"], r"GR1348941[\w-]{20,}"),
    ("harness-api-key", &["pat.", "sat."], r"[ps]at\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}\b"),
    ("infracost-api-token", &["ico-"], r"ico-[A-Za-z0-9]{32}\b"),
    ("intra42-client-secret", &["s-s4t2"], r"s-s4t2(?:ud|af)-[a-f0-9]{64}"),
    ("new-relic-insert-key", &["NRII-"], r"NRII-[A-Za-z0-9-]{32}"),
    ("octopus-deploy-api-key", &["API-"], r"API-[A-Z0-9]{26}\b"),
    ("prefect-api-token", &["pnu_"], r"pnu_[A-Za-z0-9]{36}\b"),
    ("readme-api-token", &["rdme_"], r"rdme_[a-z0-9]{70}"),
    ("scalingo-api-token", &["tk-us-"], r"tk-us-[\w-]{48}"),
    ("settlemint-token", &["sm_aat_", "sm_pat_", "sm_sat_"], r"sm_[aps]at_[A-Za-z0-9]{16}\b"),
    ("shippo-api-token", &["shippo_"], r"shippo_(?:live|test)_[a-fA-F0-9]{40}\b"),
    ("sourcegraph-access-token", &["sgp_"], r"sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}\b"),
    ("typeform-api-token", &["tfp_"], r"tfp_[\w.=-]{59}"),
    ("yandex-api-key", &["AQVN"], r"AQVN[\w-]{35,}"),
];

/// Longest part of a text that a form is held against, in bytes, at the start of a word.
pub(super) const MAX_KEY_BYTES: usize = 4096;

/// The same inside a word.
pub(super) const MAX_INNER_KEY_BYTES: usize = 256;

/// Most bytes of a key's form that are kept compiled.
const MAX_COMPILED_BYTES: usize = 4 * 1024 * 1024;

/// Fewest characters of a key that is cut off by the end of the text, after what it begins with.
const MIN_PARTIAL_CHARS: usize = 8;

/// A kind of key.
pub(super) struct Shape {
    pub(super) rule: &'static str,
    prefix: &'static str,
    form: &'static str,
    /// Compiled when the first text has what it begins with.
    regex: OnceLock<Option<Regex>>,
}

/// Every form once for each of its beginnings, by the first byte of it.
static BY_FIRST: LazyLock<Vec<Vec<Shape>>> = LazyLock::new(|| {
    let mut by_first: Vec<Vec<Shape>> = (0..=u8::MAX).map(|_| Vec::new()).collect();
    for (rule, prefixes, form) in rows() {
        for prefix in *prefixes {
            let first = prefix.as_bytes().first().copied().unwrap_or_default();
            if let Some(shapes) = by_first.get_mut(usize::from(first)) {
                shapes.push(Shape { rule, prefix, form, regex: OnceLock::new() });
            }
        }
    }
    by_first
});

/// What the newer keys of Azure's AI services have in their middle, and where.
const AZURE_INFIX: &[u8] = b"JQQJ99";
const AZURE_INFIX_AT: usize = 52;
const AZURE_CHARS: usize = 84;

fn rows() -> impl Iterator<Item = &'static Row> {
    MODELS.iter().chain(CLOUDS).chain(SERVICES)
}

/// Whether `bytes` begin as some key does.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let shapes = bytes.first().and_then(|first| BY_FIRST.get(usize::from(*first)));
    shapes.is_some_and(|shapes| shapes.iter().any(|shape| bytes.starts_with(shape.prefix.as_bytes())))
}

/// The key that `bytes` begin with, and its length. Forms are held against the first `max_bytes`.
pub(super) fn key(bytes: &[u8], max_bytes: usize) -> Option<(&'static str, usize)> {
    let shapes = BY_FIRST.get(usize::from(*bytes.first()?))?;
    shapes.iter().filter(|shape| bytes.starts_with(shape.prefix.as_bytes())).find_map(|shape| {
        let len = shape.len(bytes, max_bytes)?;
        Some((shape.rule, len))
    })
}

/// The kind of key that a word begins as; `word` is what stands at the end of a text that may have been cut there.
pub(super) fn partial(word: &[u8]) -> Option<&'static str> {
    let shapes = BY_FIRST.get(usize::from(*word.first()?))?;
    shapes.iter().find_map(|shape| {
        let body = word.strip_prefix(shape.prefix.as_bytes())?;
        let digits = body.iter().filter(|byte| byte.is_ascii_digit()).count();
        let breaks = body.iter().filter(|byte| matches!(byte, b'_' | b'-')).count();
        let is_key = shape.prefix.len() > 2
            && body.len() >= MIN_PARTIAL_CHARS
            && digits > 0
            && (body.iter().any(u8::is_ascii_uppercase) || digits > 3)
            && breaks * 8 <= body.len();
        is_key.then_some(shape.rule)
    })
}

/// The newer keys of Azure's AI services: a whole word that is recognised by its middle.
pub(super) fn azure(word: &[u8]) -> Option<&'static str> {
    let infix = word.get(AZURE_INFIX_AT..AZURE_INFIX_AT + AZURE_INFIX.len())?;
    (word.len() == AZURE_CHARS && infix == AZURE_INFIX).then_some("azure-api-key")
}

impl Shape {
    /// How long the key is that `bytes` begin with. One that is longer than what is looked at is as long as its word.
    fn len(&self, bytes: &[u8], max_bytes: usize) -> Option<usize> {
        let regex = self.regex.get_or_init(|| {
            let form = format!("^(?:{})", self.form);
            RegexBuilder::new(&form).unicode(false).size_limit(MAX_COMPILED_BYTES).build().ok()
        });
        let window = bytes.get(..max_bytes).unwrap_or(bytes);
        let end = regex.as_ref()?.find(window)?.end();
        if end < window.len() {
            return Some(end);
        }
        let rest = bytes.get(end..).unwrap_or_default();
        let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.=+/%".contains(byte);
        Some(end + rest.iter().take_while(|byte| is_key(byte)).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_compiles_and_has_a_beginning() {
        for (rule, prefixes, form) in rows() {
            assert!(RegexBuilder::new(form).unicode(false).build().is_ok(), "{rule}");
            assert!(!prefixes.is_empty(), "{rule}");
            assert!(rule.bytes().all(super::super::finding::is_name), "{rule}");
        }
    }
}
