//! Downloads from a hub on this computer.

mod refusals;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::{Value, json};

use self::server::{Reply, Request, Server};
use super::listing::hex;
use super::{Download, HubError};
use crate::Model;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const NAME: &str = "owner/model";

/// The files of a model, and which of them are stored as large ones.
#[derive(Clone, Default)]
struct Files(BTreeMap<&'static str, Vec<u8>>);

impl Files {
    fn of(files: &[(&'static str, &str)]) -> Self {
        Self(files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect())
    }

    fn small() -> Self {
        Self::of(&[("README.md", "read me"), ("config.json", "{}"), ("model.safetensors", "0123456789")])
    }

    /// The list as the hub gives it.
    fn listing(&self) -> Value {
        let siblings = self.0.iter().map(|(name, bytes)| {
            let mut sibling = json!({"rfilename": name, "size": bytes.len(), "blobId": git(bytes)});
            if name.ends_with(".safetensors") {
                sibling["lfs"] = json!({"sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 134});
            }
            sibling
        });
        json!({"id": NAME, "sha": COMMIT, "siblings": siblings.collect::<Vec<_>>()})
    }

    /// What a hub with these files answers.
    fn answer(&self, request: &Request) -> Reply {
        if request.path.starts_with("/api/") {
            let right = request.path == format!("/api/models/{NAME}/revision/main?blobs=true")
                || request.path == format!("/api/models/{NAME}/revision/{COMMIT}?blobs=true");
            return if right { Reply::of(200, self.listing().to_string()) } else { Reply::of(404, "") };
        }
        let file = request.path.strip_prefix(&format!("/{NAME}/resolve/{COMMIT}/"));
        file.and_then(|file| self.0.get(file))
            .map_or_else(|| Reply::of(404, ""), |bytes| Reply::of(200, bytes.clone()))
    }

    fn server(&self) -> Server {
        let files = self.clone();
        Server::new(move |request| files.answer(request))
    }
}

fn git(bytes: &[u8]) -> String {
    let object = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &object).as_ref())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// A download that knows nothing of this computer's environment.
fn download<'a>(url: &str, folder: &Path) -> Download<'a> {
    let mut download = Download::new(NAME).unwrap();
    download.environment = super::env::Environment::default();
    download.endpoint(url).folder(folder)
}

/// Every file below a folder, links as what they lead to.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn paths(server: &Server) -> Vec<String> {
    let paths = server.requests().into_iter().map(|request| request.path);
    paths.map(|path| path.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn hashes_are_those_of_git_and_of_sha256sum() {
    assert_eq!(git(b"hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a");
    assert_eq!(sha256(b"hello\n"), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
}

#[test]
fn a_model_is_downloaded_loaded_and_not_downloaded_again() {
    let toy = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/toy-relu");
    let names = ["config.json", "model.safetensors", "tokenizer.json"];
    let files = Files(names.map(|name| (name, std::fs::read(toy.join(name)).unwrap())).into());
    let (server, cache) = (files.server(), tempfile::tempdir().unwrap());
    let seen = Mutex::new(Vec::new());
    let folder = download(&server.url, cache.path())
        .on_progress(|progress| seen.lock().unwrap().push(progress.clone()))
        .run()
        .unwrap();
    assert_eq!(folder, cache.path().join(format!("models--owner--model/snapshots/{COMMIT}")));
    let seen = seen.into_inner().unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.file.as_str(), last.done_bytes), ("model.safetensors", last.total_bytes));
    assert_eq!(last.total_bytes, files.0["model.safetensors"].len() as u64);
    assert_eq!(paths(&server), ["main?blobs=true", "config.json", "tokenizer.json", "model.safetensors"]);

    let model = download(&server.url, cache.path()).load_on(&candle_core::Device::Cpu).unwrap();
    assert_eq!((model.name(), paths(&server)), (NAME, vec!["main?blobs=true".to_owned()]));
    let tokens = model.tokenize("the capital of the state containing Dallas is").unwrap();
    let expected = Model::load(&toy).unwrap().run(&tokens).unwrap().flatten_all().unwrap();
    let found = model.run(&tokens).unwrap().flatten_all().unwrap();
    assert_eq!(found.to_vec1::<f32>().unwrap(), expected.to_vec1::<f32>().unwrap());

    // A branch is asked for again, a commit is not.
    assert_eq!(download(&server.url, cache.path()).run().unwrap(), folder);
    assert_eq!(paths(&server), ["main?blobs=true"]);
    assert_eq!(download(&server.url, cache.path()).revision(COMMIT).unwrap().run().unwrap(), folder);
    assert!(paths(&server).is_empty());
}

#[test]
fn the_cache_is_laid_out_as_the_hub_tools_do() {
    let files = Files::of(&[
        ("config.json", "{}"),
        ("model-1.safetensors", "one"),
        ("model-2.safetensors", "two"),
        (
            "model.safetensors.index.json",
            r#"{"weight_map":{"a":"model-2.safetensors","b":"model-1.safetensors"}}"#,
        ),
        ("pytorch_model.bin", "not read"),
        ("tokenizer.json", "words"),
    ]);
    let (server, cache) = (files.server(), tempfile::tempdir().unwrap());
    let folder = download(&server.url, cache.path()).run().unwrap();
    let mut expected = BTreeMap::from([("refs/main".to_owned(), COMMIT.as_bytes().to_vec())]);
    for (name, bytes) in files.0.iter().filter(|(name, _)| **name != "pytorch_model.bin") {
        let hash = if name.ends_with(".safetensors") { sha256(bytes) } else { git(bytes) };
        expected.insert(format!("blobs/{hash}"), bytes.clone());
        expected.insert(format!("snapshots/{COMMIT}/{name}"), bytes.clone());
    }
    assert_eq!(tree(&cache.path().join("models--owner--model")), expected);
    if cfg!(unix) {
        let link = std::fs::read_link(folder.join("config.json")).unwrap();
        assert_eq!(link, PathBuf::from(format!("../../blobs/{}", git(b"{}"))));
    }
}

#[test]
fn a_file_that_breaks_off_is_gone_on_with() {
    // What the server does with a request that goes on at a byte.
    let check = |ranges: bool, expected: &[Option<&str>]| {
        let (files, tries) = (Files::small(), Mutex::new(0));
        let server = Server::new(move |request| {
            let mut reply = files.answer(request);
            if request.path.ends_with("model.safetensors") {
                let mut tries = tries.lock().unwrap();
                *tries += 1;
                if let Some(from) = request.header("range").filter(|_| ranges) {
                    let from: usize =
                        from.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
                    reply = Reply::of(206, reply.body.split_off(from));
                }
                match *tries {
                    1 => reply.sent = 4,
                    2 => reply = Reply::of(503, "wait"),
                    3 => reply.sent = 2,
                    _ => {}
                }
            }
            reply
        });
        let cache = tempfile::tempdir().unwrap();
        let folder = download(&server.url, cache.path()).run().unwrap();
        assert_eq!(std::fs::read(folder.join("model.safetensors")).unwrap(), b"0123456789");
        let requests = server.requests();
        let asked = requests.iter().filter(|request| request.path.ends_with("model.safetensors"));
        assert_eq!(asked.map(|request| request.header("range")).collect::<Vec<_>>(), expected);
    };
    check(true, &[None, Some("bytes=4-"), Some("bytes=4-"), Some("bytes=6-")]);
    check(false, &[None, Some("bytes=4-"), Some("bytes=4-"), Some("bytes=2-")]);
}

#[test]
fn a_token_is_for_the_hub_alone() {
    let (files, cache) = (Files::small(), tempfile::tempdir().unwrap());
    let (stored, storage) = (files.0["model.safetensors"].clone(), "/bucket/blob");
    let storage_server = Server::new(move |_| Reply::of(200, stored.clone()));
    let elsewhere = format!("{}{storage}", storage_server.url);
    let hub = Server::new(move |request| {
        if request.path.ends_with("model.safetensors") {
            return Reply::of(302, "").header("location", elsewhere.clone());
        }
        files.answer(request)
    });
    download(&hub.url, cache.path()).token("hf_secret").run().unwrap();
    for request in hub.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer hf_secret"), "{}", request.path);
        assert_eq!(request.header("accept-encoding"), Some("identity"));
    }
    let [request] = <[Request; 1]>::try_from(storage_server.requests()).unwrap();
    assert_eq!((request.path.as_str(), request.header("authorization")), (storage, None));
    assert!(!format!("{:?}", download(&hub.url, cache.path()).token("hf_secret")).contains("hf_secret"));
}

#[test]
fn what_is_in_the_cache_needs_no_hub() {
    let (server, cache) = (Files::small().server(), tempfile::tempdir().unwrap());
    let error = download(&server.url, cache.path()).offline().run().unwrap_err();
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
    let folder = download(&server.url, cache.path()).run().unwrap();
    server.requests();
    assert_eq!(download(&server.url, cache.path()).offline().run().unwrap(), folder);
    assert!(server.requests().is_empty());
    // Nobody listens there.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(download(&format!("http://{gone}"), cache.path()).run().unwrap(), folder);
    std::fs::remove_file(folder.join("model.safetensors")).unwrap();
    let error = download(&format!("http://{gone}"), cache.path()).run().unwrap_err();
    assert!(matches!(error, HubError::Network { .. }), "{error}");
}
