//! A model folder with one file changed: what cannot be loaded is an error, and nothing takes more memory than files are long.
#![no_main]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};
use llmtrace_fuzz::value_of;
use llmtrace_lens::Model;
use serde_json::Value;
use tempfile::TempDir;

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmtrace-lens/tests/fixtures/models");

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const TOKENIZER: &str = "tokenizer.json";
const GENERATION: &str = "generation_config.json";

/// What may be changed: the folder, and one of its files.
const FILES: &[(&str, &str)] = &[
    ("gpt2", CONFIG),
    ("gpt2", WEIGHTS),
    ("gpt2", TOKENIZER),
    ("gpt2", GENERATION),
    ("llama3", CONFIG),
    ("llama3", TOKENIZER),
    ("gpt_neox", CONFIG),
    ("gemma3", CONFIG),
    ("qwen2", CONFIG),
    ("qwen2/sharded", INDEX),
];

/// What is tokenized: letters, digits, spaces, other scripts, special tokens.
const TEXT: &str = "The capital of Texas, 2-hop:  \u{1F600} naïve\n\t城市 <s></s>";

/// A folder of which one file is changed and put back with each input.
struct Folder {
    place: TempDir,
    file: &'static str,
    whole: Vec<u8>,
}

static FOLDERS: LazyLock<Vec<Folder>> = LazyLock::new(|| {
    let folder = |(model, file): &(&str, &'static str)| {
        let (source, place) = (Path::new(MODELS).join(model), tempfile::tempdir().expect("a folder"));
        for name in files(&source) {
            // Tokenizers take longer to read than all else.
            if name.as_os_str() != TOKENIZER || *file == TOKENIZER {
                fs::copy(source.join(&name), place.path().join(&name)).expect("a copy");
            }
        }
        let whole = fs::read(source.join(file)).expect("the file");
        Folder { place, file, whole }
    };
    FILES.iter().map(folder).collect()
});

/// All names and texts of the JSON files.
static TEXTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut texts = BTreeSet::new();
    for (model, file) in FILES.iter().filter(|(_, file)| *file != WEIGHTS) {
        let text = fs::read_to_string(Path::new(MODELS).join(model).join(file)).expect("the file");
        // Vocabularies are the greater part of a tokenizer, and all alike.
        let text = text.split_once("\"vocab\"").map_or(text.as_str(), |(before, _)| before);
        texts.extend(text.split('"').skip(1).step_by(2).map(str::to_owned));
    }
    texts.extend(
        ["F32", "F16", "BF16", "I64", "__metadata__", "yarn", "Unigram", "WordPiece"].map(str::to_owned),
    );
    texts
});

static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| TEXTS.iter().map(String::as_str).collect());

fuzz_target!(
    // A panic that is caught is no failure; one that is not ends the run all the same.
    init: std::panic::set_hook(Box::new(|panic| eprintln!("{panic}"))),
    |input: &[u8]| -> Corpus {
        match run(&mut Unstructured::new(input)) {
            Ok(()) => Corpus::Keep,
            Err(_) => Corpus::Reject,
        }
    }
);

fn run(bytes: &mut Unstructured<'_>) -> Result<()> {
    let folder = bytes.choose(&FOLDERS)?;
    let changed = match (bytes.int_in_range(0..=3)?, folder.file) {
        (0, _) => bytes.bytes(bytes.len())?.to_vec(),
        (_, WEIGHTS) => safetensors(bytes, &folder.whole)?,
        _ => json(bytes, &folder.whole)?,
    };
    let path = folder.place.path().join(folder.file);
    fs::write(&path, changed).expect("a written file");
    let loaded = Model::load(folder.place.path());
    fs::write(&path, &folder.whole).expect("the file as it was");
    match loaded {
        Ok(model) => {
            let tokens = model.tokenize(TEXT).unwrap_or_default();
            drop(model.run(&tokens));
            drop(model.run(&[1, 2]));
        }
        Err(error) => assert!(error.to_string().len() < 200_000, "{error}"),
    }
    Ok(())
}

/// A safetensors file with another header, another length of it, or less after it.
fn safetensors(bytes: &mut Unstructured<'_>, whole: &[u8]) -> Result<Vec<u8>> {
    let (length, rest) = whole.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
    let (header, data) = rest.split_at(usize::try_from(length).expect("a header"));
    let header = if bytes.arbitrary()? { json(bytes, header)? } else { header.to_vec() };
    let length = if bytes.ratio(1, 8)? { bytes.arbitrary()? } else { header.len() as u64 };
    let kept = if bytes.ratio(1, 8)? { bytes.int_in_range(0..=data.len())? } else { data.len() };
    Ok([&length.to_le_bytes(), header.as_slice(), &data[..kept]].concat())
}

/// A JSON file with some values replaced, added or left out.
fn json(bytes: &mut Unstructured<'_>, whole: &[u8]) -> Result<Vec<u8>> {
    let mut root: Value = serde_json::from_slice(whole).expect("JSON");
    for _ in 0..bytes.int_in_range(1..=4)? {
        change(bytes, &mut root)?;
    }
    Ok(root.to_string().into_bytes())
}

fn change(bytes: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    match value {
        Value::Object(fields) if !fields.is_empty() && !bytes.ratio(1, 32)? => {
            let at = bytes.choose_index(fields.len())?;
            let name = fields.keys().nth(at).cloned().unwrap_or_default();
            match bytes.int_in_range(0..=7)? {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert((*bytes.choose(&WORDS)?).to_owned(), value_of(bytes, &WORDS)?)),
                _ => change(bytes, &mut fields[&name])?,
            }
        }
        Value::Array(items) if !items.is_empty() && !bytes.ratio(1, 32)? => {
            let at = bytes.choose_index(items.len())?;
            match bytes.int_in_range(0..=7)? {
                0 => drop(items.remove(at)),
                1 => items.push(value_of(bytes, &WORDS)?),
                _ => change(bytes, &mut items[at])?,
            }
        }
        _ => *value = value_of(bytes, &WORDS)?,
    }
    Ok(())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path());
    let kept = entries.filter(|path| {
        path.is_file()
            && !path.to_string_lossy().contains("expected")
            && !path.to_string_lossy().contains("tl_cache")
    });
    kept.filter_map(|path| path.file_name().map(PathBuf::from)).collect()
}
