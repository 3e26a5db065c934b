//! Secrets made at random, of every kind that is listed. They are put together when the tests run, so that no scanner
//! takes this file for a leak.

/// Numbers that are the same on every run.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % sides as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.roll(items.len())]
    }

    /// So many characters of a class: `a` letters and digits, `w` those and `-` and `_`, `h` hex, `u` capitals and digits,
    /// `l` small letters and digits, `b` base64, `d` digits.
    pub(crate) fn word(&mut self, class: char, len: usize) -> String {
        let alphabet = match class {
            'a' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            'w' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            'h' => "0123456789abcdef",
            'u' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            'l' => "abcdefghijklmnopqrstuvwxyz0123456789",
            'b' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            'd' => "0123456789",
            class => panic!("no class {class}"),
        };
        (0..len).map(|_| char::from(*self.pick(alphabet.as_bytes()))).collect()
    }

    /// A secret by its form: `{a36}` stands for 36 characters of class `a`, and `|` for nothing.
    pub(crate) fn key(&mut self, form: &str) -> String {
        let mut key = String::new();
        let mut rest = form;
        while let Some((before, after)) = rest.split_once('{') {
            let (class, after) = after.split_once('}').unwrap();
            key.push_str(before);
            key.push_str(&self.word(class.chars().next().unwrap(), class[1..].parse().unwrap()));
            rest = after;
        }
        key.push_str(rest);
        key.replace('|', "")
    }
}

/// A kind of secret.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) rule: &'static str,
    /// What it is called where it stands.
    pub(crate) name: &'static str,
    pub(crate) form: &'static str,
}

const fn by_form(rule: &'static str, form: &'static str) -> Kind {
    Kind { rule, name: "note", form }
}

const fn by_name(name: &'static str, form: &'static str) -> Kind {
    Kind { rule: "generic-api-key", name, form }
}

pub(crate) const KINDS: &[Kind] = &[
    by_form("openai-api-key", "s|k-{a20}T3|Blbk|FJ{a20}"),
    by_form("openai-api-key", "s|k-proj-{w74}T3|Blbk|FJ{w73}a"),
    by_form("openai-api-key", "s|k-svcacct-{w74}T3|Blbk|FJ{w73}a"),
    by_form("anthropic-api-key", "s|k-ant-api03-{w93}AA"),
    by_form("anthropic-api-key", "s|k-ant-admin01-{w93}AA"),
    by_form("openrouter-api-key", "s|k-or-v1-{h64}"),
    by_form("langfuse-secret-key", "s|k-lf-{h8}-{h4}-{h4}-{h4}-{h12}"),
    by_form("sk-api-key", "s|k-{h32}"),
    by_form("groq-api-key", "g|sk_{a52}"),
    by_form("xai-api-key", "x|ai-{a80}"),
    by_form("perplexity-api-key", "p|plx-{a48}"),
    by_form("huggingface-access-token", "h|f_{a34}"),
    by_form("gcp-api-key", "A|Iza{w34}a"),
    by_form("replicate-api-token", "r|8_{a37}"),
    by_form("nvidia-api-key", "n|vapi-{w63}a"),
    by_form("langsmith-api-key", "l|sv2_pt_{h32}_{h10}"),
    by_form("databricks-api-token", "d|api{h32}"),
    by_form("bedrock-api-key", "A|BSK{b130}a="),
    by_form("aws-access-token", "A|KIA{u16}"),
    by_form("aws-access-token", "A|SIA{u16}"),
    by_form("github-pat", "g|hp_{a36}"),
    by_form("github-fine-grained-pat", "g|ithub_pat_{a22}_{a59}"),
    by_form("github-oauth", "g|ho_{a36}"),
    by_form("github-app-token", "g|hs_{a36}"),
    by_form("github-refresh-token", "g|hr_{a36}"),
    by_form("gitlab-pat", "g|lpat-{w20}a"),
    by_form("slack-token", "x|oxb-{d12}-{d12}-{a24}"),
    by_form("stripe-access-token", "s|k_live_{a24}"),
    by_form("stripe-access-token", "r|k_test_{a24}"),
    by_form("sendgrid-api-token", "S|G.{w21}a.{w42}a"),
    by_form("npm-access-token", "n|pm_{a36}"),
    by_form("pypi-upload-token", "p|ypi-AgEIcHlwaS5vcmc{w80}a"),
    by_form("jwt", "e|yJhbGciOiJIUzI1NiJ9.e|yJ{w60}.{w42}a"),
    by_form(
        "private-key",
        "-----BE|GIN RSA PRIV|ATE KEY-----\n{b64}\n{b64}\n{b20}\n-----E|ND RSA PRIV|ATE KEY-----",
    ),
    by_form("digitalocean-token", "d|op_v1_{h64}"),
    by_form("hashicorp", "h|vs.{w90}a"),
    by_form("telegram-bot-api-token", "{d9}1:A|A{w32}a"),
    by_form("azure-api-key", "{a52}J|QQJ99{a26}"),
    by_form("twilio-api-key", "S|K{h32}"),
    by_form("grafana-token", "g|lsa_{a32}_{h8}"),
    by_form("1password-secret-key", "A|3-{u6}-{u11}-{u5}-{u5}-{u5}"),
    by_form("adobe-client-secret", "p|8e-{l32}"),
    by_form("artifactory-api-key", "A|KCp{a69}"),
    by_form("azure-ad-client-secret", "{a3}8|Q~{a10}~{a10}.{a5}_{a3}-a"),
    by_form("clickhouse-cloud-api-secret-key", "4|b1d{a38}"),
    by_form("cloudflare-origin-ca-key", "v|1.0-{h24}-{h146}"),
    by_form("flutterwave-secret-key", "F|LWSECK-{h32}-X"),
    by_form("fly-access-token", "f|m1a_{b120}"),
    by_form("gitlab-rrt", "G|R1348941{w19}a"),
    by_form("grafana-token", "g|lc_{b80}"),
    by_form("grafana-token", "e|yJrIjoi{a80}"),
    by_form("harness-api-key", "p|at.{w21}a.{a24}.{a20}"),
    by_form("new-relic-insert-key", "N|RII-{a32}"),
    by_form("octopus-deploy-api-key", "A|PI-{u26}"),
    by_form("openshift-user-token", "s|ha256~{w42}a"),
    by_form("prefect-api-token", "p|nu_{a36}"),
    by_form("readme-api-token", "r|dme_{l70}"),
    by_form("sentry-token", "s|ntrys_eyJpYXQiO{b100}==_{b42}a"),
    by_form("settlemint-token", "s|m_pat_{a16}"),
    by_form("shippo-api-token", "s|hippo_live_{h40}"),
    by_form("sourcegraph-access-token", "s|gp_{h16}_{h40}"),
    by_form("yandex-api-key", "A|QVN{w35}a"),
    by_name("azure_openai_api_key", "{h32}"),
    by_name("COHERE_API_KEY", "{a40}"),
    by_name("mistral_api_key", "{a32}"),
    by_name("aws_secret_access_key", "{b38}aZ"),
    by_name("clientSecret", "{a12}9~{a20}"),
    by_name("db_password", "{a10}7!"),
    by_name("access_token", "{w40}8a"),
    by_name("x-api-key", "{a24}"),
];
