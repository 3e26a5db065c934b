//! Everything that a hub can say other than a model.

use serde_json::json;

use super::server::{Reply, Server};
use super::{COMMIT, Download, Files, NAME, download, git, tree};

/// A download that must fail, with nothing left behind but whole files; `{url}` stands for the server's address.
#[track_caller]
fn check(server: &Server, change: impl FnOnce(Download<'static>) -> Download<'static>, expected: &str) {
    let cache = tempfile::tempdir().unwrap();
    let error = change(download(&server.url, cache.path())).run().unwrap_err().to_string();
    assert_eq!(error.replace(&server.url, "{url}"), expected);
    let left = tree(cache.path());
    assert!(left.keys().all(|name| !name.contains("incomplete") && !name.contains("refs/")), "{left:?}");
}

#[test]
fn refusals_say_what_would_help() {
    let status = |status: u16| Server::new(move |_| Reply::of(status, "no"));
    let stay = |download| download;
    check(&status(404), stay, "{url} has no owner/model (main) for everyone: set HF_TOKEN if it is private");
    check(&status(401), stay, "{url} has no owner/model (main) for everyone: set HF_TOKEN if it is private");
    check(
        &status(404),
        |download| download.token("hf_a").revision("v2").unwrap(),
        "{url} has no owner/model (v2) for the owner of the token",
    );
    check(
        &status(403),
        stay,
        "{url} refuses owner/model (403): accept its licence there, and set HF_TOKEN to a token that may read it",
    );
    let asked = "{url}/api/models/owner/model/revision/main?blobs=true";
    check(&status(500), stay, &format!("cannot read {asked}: the answer is 500"));
    check(&status(418), stay, &format!("{asked}: the answer is 418"));
    check(
        &Files::small().server(),
        |download| download.most_bytes(11),
        "owner/model has 12 bytes, expected at most 11",
    );
}

#[test]
fn lists_that_lead_astray_are_refused() {
    let stay = |download| download;
    let asked = "{url}/api/models/owner/model/revision/main?blobs=true";
    let answers = |text: String| Server::new(move |_| Reply::of(200, text.clone()));
    let page = "<html>";
    let problem = "is no list of a model's files: expected value at line 1 column 1";
    check(&answers(page.to_owned()), stay, &format!("{asked}: {problem}"));
    let astray = json!({"sha": "../../../../etc", "siblings": []}).to_string();
    check(&answers(astray), stay, &format!("{asked}: states no commit: \"sha\" is no hash of 40 digits"));

    let of = |file: serde_json::Value| answers(json!({"sha": COMMIT, "siblings": [file]}).to_string());
    let config = |size: serde_json::Value, hash: &str| {
        of(json!({"rfilename": "config.json", "size": size, "blobId": hash}))
    };
    let no_file = |name: &str| {
        format!("{NAME} (main) has no {name}; only models with config.json and safetensors files can be read")
    };
    check(&of(json!({"rfilename": "pytorch_model.bin"})), stay, &no_file("config.json"));
    let at = "{url}/owner/model: ";
    check(&of(json!({"rfilename": "config.json"})), stay, &format!("{at}states no hash of config.json"));
    check(&config(json!(null), &git(b"")), stay, &format!("{at}states no size of config.json"));
    check(&config(json!(2), "../../x"), stay, &format!("{at}states no hash of config.json, but \"../../x\""));
    check(&config(json!(2), &git(b"")), stay, &no_file("model.safetensors.index.json"));
    check(
        &of(json!({"rfilename": "config.json", "size": 1, "lfs": {"sha256": "ab", "size": 1}})),
        stay,
        &format!("{at}states no hash of config.json, but \"ab\""),
    );

    let sharded = |index: &'static str| {
        Files::of(&[("config.json", "{}"), ("model.safetensors.index.json", index), ("x.bin", "")]).server()
    };
    check(&sharded(r#"{"weight_map":{"a":"model-1.safetensors"}}"#), stay, &no_file("model-1.safetensors"));
    check(
        &sharded(r#"{"weight_map":{"a":"x.bin"}}"#),
        stay,
        &format!("{at}model.safetensors.index.json names \"x.bin\", expected a safetensors file"),
    );
}

#[test]
fn other_bytes_than_stated_are_thrown_away() {
    let file = "{url}/owner/model/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors";
    let check = |change: fn(Reply) -> Reply, expected: &str| {
        let files = Files::small();
        let server = Server::new(move |request| {
            let reply = files.answer(request);
            if request.path.ends_with("model.safetensors") { change(reply) } else { reply }
        });
        check(&server, |download| download, &expected.replace("{file}", file));
    };
    check(
        |_| Reply::of(200, "012345678X"),
        "{file}: has hash dd3921bbd96800c96557c52cd590dfe918ecf2aab50d8163b8457f0f4d421501, \
         expected 84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882: other bytes than the hub states",
    );
    check(|_| Reply::of(200, "0123456789+"), "{file}: has more than the 10 bytes that the hub states");
    check(|_| Reply::of(200, "01234"), "cannot read {file}: it ends after 5 of 10 bytes");
    check(
        |_| Reply::of(404, ""),
        "{url} has no owner/model (main) for everyone: set HF_TOKEN if it is private",
    );
    check(
        |_| Reply::of(302, "").header("location", "http://192.0.2.1/blob"),
        "{file}: error following redirect: is sent on to an address without encryption",
    );
}

#[test]
fn addresses_and_names_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let check = |url: &str, token: Option<&str>, problem: &str| {
        let plain = download(url, folder.path());
        let download = if let Some(token) = token { plain.token(token) } else { plain };
        let error = download.run().unwrap_err().to_string();
        assert_eq!(error, format!("{url:?} is no address of a hub: {problem}"));
    };
    check("hub", None, "expected something like https://huggingface.co");
    check("ftp://hub", None, "expected https or http, without a user");
    check("https://user:word@hub", None, "expected https or http, without a user");
    let unsafe_way = "the token would cross the network unencrypted: use https, or no token";
    check("http://hub.example.org", Some("hf_a"), unsafe_way);
    check("https://hub.example.org", Some("hf\n"), "the token has signs that none has");
    assert_eq!(
        Download::new("../secret").unwrap_err().to_string(),
        "\"../secret\" is no model of a hub: expected owner/name, such as openai-community/gpt2"
    );
}
