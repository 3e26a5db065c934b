//! Texts without secrets: prose, code, data and logs, with the ids that are not secret.

use super::keys::Dice;

const PROSE: &[&str] = &[
    "The sky is blue because shorter wavelengths of sunlight are scattered more by the air.",
    "Enter your password: then press enter. If you forgot the password, ask for a new token: it comes by mail.",
    "The key: patience. A secret: there is none. Authorization: who may do what; authentication: who one is.",
    "Der Schlüssel liegt unter der Matte; das Passwort kennt nur sie: niemand sonst.",
    "El token expiró y la contraseña: desconocida. ¿Quién tiene la clave?",
    "Le mot de passe est secret : personne ne le connaît. La clé, c'est la patience.",
    "空が青いのは、波長の短い光がより強く散乱されるからです。パスワード:不明。",
    "Bearer tokens are sent in the Authorization header; Bearer authentication is defined by an RFC from 2012.",
    "Set OPENAI_API_KEY in the environment, or pass api_key=... to the client. Never commit an API key.",
    "Use --password to be asked for it, --token-file for a file, and --api-key KEY otherwise.",
];

const CODE: &[&str] = &[
    "def login(user: str, password: str, token: Optional[str] = None) -> Session:\n    return Session(user, password=password, token=token)\n",
    "let token = auth.access_token().await?;\nlet client = Client::builder().api_key(&settings.api_key).build()?;\n",
    "client = OpenAI(api_key=os.environ[\"OPENAI_API_KEY\"], base_url=settings.base_url)\n",
    "const apiKey = process.env.OPENAI_API_KEY;\nconst secret = await vault.read(path);\n",
    "if (password !== confirmPassword) { throw new Error('Passwords do not match'); }\n",
    "pub struct Config { pub api_key: Option<SecretString>, pub token: String, pub secret: Vec<u8> }\n",
    "password = getpass.getpass('Password: ')\ntokens = tokenizer.encode(text, add_special_tokens=False)\n",
    "env:\n  GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n  API_KEY: ${API_KEY}\n",
    "API_KEY=<your-api-key>\nPASSWORD=\nTOKEN=$TOKEN\nPWD=/home/ann/src\n",
    "SELECT id, token_count, password_hash FROM users WHERE key = ? AND secret IS NOT NULL;\n",
    "for key, value in sorted(config.items()):\n    print(f\"{key}: {value}\", file=sys.stderr)\n",
    "assert_eq!(parse(\"key=value; other=thing\"), vec![(\"key\", \"value\"), (\"other\", \"thing\")]);\n",
    "#[derive(Debug)]\nenum Token { Ident(String), Number(f64), Secret { key: u64 } }\n",
];

const DATA: &[&str] = &[
    "{\"token\": \" the\", \"logprob\": -0.0013, \"bytes\": [32, 116, 104, 101], \"top_logprobs\": []}",
    "{\"eos_token\": \"<|endoftext|>\", \"pad_token\": \"[PAD]\", \"max_tokens\": 4096, \"next_page_token\": \"CAUQAA1b2c3d4e5f6g7\"}",
    "{\"type\": \"object\", \"properties\": {\"password\": {\"type\": \"string\"}, \"token\": {\"type\": \"string\", \"minLength\": 8}}}",
    "{\"key\": \"user_profile_settings_2024\", \"value\": true, \"cache_key\": \"embeddings/v2/en\"}",
    "{\"type\": \"thinking\", \"thinking\": \"Let me see\", \"signature\": \"EqQBCgIYAhIMr8Kd0aXv2Lq7YtPbGgzEw9Hs4uQo1nVcBxJm5tRk\"}",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
];

/// Ids that are no secrets, as [`Dice::key`] makes them.
const IDS: &[&str] = &[
    "chatcmpl-{a29}",
    "resp_{h50}",
    "msg_01{a22}",
    "msg_{h48}",
    "toolu_01{a22}",
    "call_{a24}",
    "fp_{h10}",
    "req_{h32}",
    "req_011C{a20}",
    "{h8}-{h4}-4{h3}-a{h3}-{h12}",
    "{h40}",
    "{h32}",
    "{h64}",
    "{h7}",
    "00-{h32}-{h16}-01",
    "gen-17{d8}-{a20}",
    "asst_{a24}",
    "thread_{a24}",
    "file-{a22}",
    "batch_{h32}",
    "run_{a24}",
    "vs_{h32}",
    "ft:gpt-4o-mini-2024-07-18:org::{a8}",
    "org-{a24}",
    "proj_{a24}",
    "cus_{a14}",
    "claude-sonnet-4-5-20250929",
    "gpt-4o-mini-2024-07-18",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "2026-01-0{d1}T1{d1}:00:00.{d6}Z",
    "17{d8}",
    "17{d11}",
    "{d3}.{d3}.{d2}",
    "192.168.{d2}.{d2}:8080",
    "sha256:{h64}",
    "pk-lf-{h8}-{h4}-{h4}-{h4}-{h12}",
    "01{u24}",
    "{a21}",
    "https://example.com/a/{h24}/b?page={d2}&id={h32}&q=blue+sky#part-{d2}",
    "s3://bucket/{h8}/part-{d5}.parquet",
    "arn:aws:iam::{d12}:role/app",
    "/usr/lib/x86_64-linux-gnu/libssl.so.{d1}",
    "crates/llmtrace-exporters/src/jsonl/line.rs:{d3}:{d2}",
    "projects/{d12}/locations/us-central1",
    "Qm{a44}",
    "bafy{l55}",
    "W/\"{h32}\"",
    "integrity: sha512-{b86}==",
    "{b76}",
    "pub_{a20}",
    "user_{a24}",
    "session-{d8}-{a6}",
    "v1.{d2}.{d2}",
];

/// About four hundred thousand characters.
pub(crate) fn texts() -> Vec<String> {
    let mut dice = Dice::new(11);
    let fixed = PROSE.iter().chain(CODE).chain(DATA).map(|text| (*text).to_owned());
    let mut texts: Vec<String> = fixed.collect();
    for _ in 0..2_000 {
        let id = dice.pick(IDS);
        let id = dice.key(id);
        let (before, after) = (*dice.pick(PROSE), *dice.pick(CODE));
        texts.push(match dice.roll(6) {
            0 => format!("{before} {id} {after}"),
            1 => format!("{{\"id\": \"{id}\", \"parent_id\": \"{id}\", \"text\": {after:?}}}"),
            2 => {
                format!("2026-01-01T00:00:00.000Z INFO served request_id={id} status=200 took=12ms\n{before}")
            }
            3 => format!("{after}// {id}\nlet id = \"{id}\";\n"),
            4 => format!("| id | text |\n|---|---|\n| `{id}` | {before} |\n"),
            _ => format!("x-request-id: {id}\ntrace: {id}\nname: {id}\n{before}"),
        });
    }
    texts
}
