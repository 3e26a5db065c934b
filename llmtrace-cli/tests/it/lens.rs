//! `llmtrace lens`: what is printed and written of a model, and every refusal.

use std::path::Path;

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{Folder, Run, run};

pub(crate) const DALLAS: &str = "the capital of the state containing Dallas is";
const OAKLAND: &str = "the capital of the state containing Oakland is";
pub(crate) const GOLDENS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../llmtrace-lens/tests/fixtures/models");

pub(crate) fn lens(arguments: &[&str]) -> Run {
    run(&[&["lens"], arguments].concat(), "")
}

/// Runs a command that must do what it is asked for.
pub(crate) fn done(arguments: &[&str]) -> Run {
    let run = lens(arguments);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}");
    run
}

pub(crate) fn json(arguments: &[&str]) -> Value {
    done(&[arguments, &["--json"]].concat()).json()
}

/// A tensor's numbers.
fn floats(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f32>) {
    let tensor = file.tensor(name).unwrap();
    let numbers = tensor.data().chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap()));
    (tensor.shape().to_vec(), numbers.collect())
}

#[test]
fn a_dump_holds_what_transformer_lens_computes() {
    let folder = Folder::new();
    for model in ["gpt2", "llama", "gemma2", "gpt_neox"] {
        let golden = Path::new(GOLDENS).join(model);
        let expected = std::fs::read(golden.join("expected.safetensors")).unwrap();
        let expected = SafeTensors::deserialize(&expected).unwrap();
        let ids = expected.tensor("prompt.input_ids").unwrap();
        let ids = ids.data().chunks_exact(4).map(|four| i32::from_le_bytes(four.try_into().unwrap()));
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        let file = folder.path("run.safetensors");
        let out = file.to_str().unwrap();
        let printed = done(&[
            "dump",
            golden.to_str().unwrap(),
            "--tokens",
            &ids.join(","),
            "--hooks",
            "*",
            "--out",
            out,
        ])
        .json();

        let written = std::fs::read(&file).unwrap();
        let written = SafeTensors::deserialize(&written).unwrap();
        let cache = std::fs::read(golden.join("tl_cache.safetensors")).unwrap();
        let cache = SafeTensors::deserialize(&cache).unwrap();
        for name in cache.names() {
            assert!(written.tensor(name).is_ok(), "{model}: {name} is not there");
        }
        let mut compared = 0;
        for (name, tensor) in written.iter() {
            assert_eq!(printed["shapes"][name], Value::from(tensor.shape()), "{model} {name}");
            // Masked scores are minus infinity here and a large number there.
            if cache.tensor(name).is_err() || name.ends_with("attn_scores") {
                continue;
            }
            let ((found, numbers), (shape, golden)) = (floats(&written, name), floats(&cache, name));
            assert_eq!(found, shape, "{model} {name}");
            let gap = numbers.iter().zip(&golden).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(gap < 1e-4, "{model} {name}: {gap}");
            compared += 1;
        }
        assert!(compared > 30, "{model}: {compared} of {} tensors compared", written.len());
        let gap = floats(&written, "logits")
            .1
            .iter()
            .zip(&floats(&expected, "prompt.logits").1)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(gap < 1e-4, "{model} logits: {gap}");
        let tokens = written.tensor("tokens").unwrap();
        assert_eq!((tokens.dtype(), tokens.shape()), (safetensors::Dtype::I64, &[1, ids.len()][..]));
        assert_eq!(printed["tokens"].as_array().unwrap().len(), ids.len());
        assert!(printed["times"]["run_seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_dump_holds_what_was_named_and_no_more() {
    let folder = Folder::new();
    let check = |hooks: &str, expected: &[&str]| {
        let out = folder.path("named.safetensors");
        let printed =
            done(&["dump", "toy", "--prompt", DALLAS, "--hooks", hooks, "--out", out.to_str().unwrap()])
                .json();
        let mut names: Vec<&str> =
            printed["shapes"].as_object().unwrap().keys().map(String::as_str).collect();
        names.retain(|name| !["tokens", "logits"].contains(name));
        assert_eq!(names, expected, "{hooks}");
        assert_eq!(printed["texts"][6], "Dallas");
    };
    check("hook_embed", &["hook_embed"]);
    check(
        "pattern1, blocks.0.attn.hook_out",
        &["blocks.0.attn.hook_out", "blocks.0.hook_attn_out", "blocks.1.attn.hook_pattern", "pattern1"],
    );
    // Several patterns may be given one by one, and --json is what is printed in any case.
    let out = folder.path("several.safetensors");
    let several = [
        "dump",
        "toy",
        "--prompt",
        DALLAS,
        "--hooks",
        "hook_embed",
        "--hooks",
        "ln_final.*",
        "--json",
        "--out",
    ];
    let printed = done(&[&several[..], &[out.to_str().unwrap()]].concat()).json();
    assert!(
        printed["shapes"]["hook_embed"].is_array() && printed["shapes"]["ln_final.hook_scale"].is_array()
    );
    check(
        "blocks.0.hook_q_input,blocks.0.ln1.hook_scale",
        &["blocks.0.hook_q_input", "blocks.0.ln1.hook_scale"],
    );
    check(
        "*.hook_result",
        &["blocks.0.attn.hook_result", "blocks.1.attn.hook_result", "blocks.2.attn.hook_result"],
    );
}

#[test]
fn an_answer_is_told_step_by_step() {
    let answer = json(&["generate", "toy", "--prompt", DALLAS, "--max-tokens", "3", "--alternatives", "2"]);
    assert_eq!(answer["text"].as_str().unwrap().split_whitespace().next(), Some("Austin"));
    let steps = answer["tokens"].as_array().unwrap();
    let first = &steps[0]["choice"];
    assert_eq!((steps.len(), first["alternatives"].as_array().unwrap().len()), (3, 2));
    assert!(first["model"]["probability"].as_f64().unwrap() > 0.5, "{first}");
    assert_eq!(first["model"]["rank"], 1);

    // A text may begin with a hyphen, and numbers of tokens may stand apart.
    assert_eq!(
        json(&["generate", "toy", "--prompt", "- Dallas", "--max-tokens", "1"])["prompt"][1]["spelling"],
        "Dallas"
    );
    assert_eq!(json(&["generate", "toy", "--tokens", "0, 5", "--max-tokens", "1"])["prompt"][1]["id"], 5);

    let drawn = |seed: &str| {
        let answer = json(&[
            "generate",
            "toy",
            "--prompt",
            "the",
            "--seed",
            seed,
            "--temperature",
            "3",
            "--top-k",
            "50",
        ]);
        assert_eq!(answer["sampling"]["draw"]["kind"], "random");
        answer["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(drawn("5"), drawn("5"));
    assert!((0..8).any(|seed| drawn(&seed.to_string()) != drawn("5")));

    let table =
        done(&["generate", "toy", "--prompt", DALLAS, "--max-tokens", "2", "--top-k", "9", "--min-p", "0.1"])
            .out;
    for said in ["prompt: the capital", "answer: Austin", "probability", "entropy", "top_k", "finish: length"]
    {
        assert!(table.contains(said), "{said} is not in {table}");
    }
}

#[test]
fn the_logit_lens_finds_the_state_before_its_capital() {
    let found = json(&["logit-lens", "toy", "--prompt", DALLAS, "--last", "--track", "Texas"]);
    let best: Vec<&str> = found["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["cells"][0]["top"][0]["text"].as_str().unwrap())
        .collect();
    let at = |word: &str| best.iter().position(|text| text.trim() == word);
    assert!(at("Texas").is_some() && at("Texas") < at("Austin"), "{best:?}");
    assert_eq!(found["rows"][3]["cells"][0]["tracked"][0]["text"], "Texas");

    let drawn = done(&["logit-lens", "toy", "--prompt", DALLAS]).out;
    assert!(drawn.contains("Texas") && drawn.contains("Austin") && !drawn.contains('\u{1b}'), "{drawn}");
    assert!(done(&["logit-lens", "toy", "--prompt", DALLAS, "--color", "always"]).out.contains('\u{1b}'));
}

#[test]
fn attention_is_summed_up_and_shown() {
    let found = json(&["attention", "toy", "--prompt", DALLAS, "--head", "L1H2"]);
    assert_eq!((found["heads"].as_array().unwrap().len(), &found["pattern"]["layer"]), (12, &1.into()));
    for row in found["pattern"]["rows"].as_array().unwrap() {
        let sum: f64 = row.as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{row}");
    }
    let drawn = done(&["attention", "toy", "--prompt", DALLAS]).out;
    assert!(drawn.contains("L2H3") && drawn.contains("induction"), "{drawn}");
    assert!(done(&["attention", "toy", "--prompt", DALLAS, "--head", "0.1"]).out.contains("L0H1"));
}

#[test]
fn a_patch_brings_the_other_answer() {
    let found = json(&["patch", "toy", "--clean", OAKLAND, "--corrupt", DALLAS, "--what", "residual,heads"]);
    assert_eq!(
        (found["answer"].as_str().map(str::trim), found["wrong"].as_str().map(str::trim)),
        (Some("Sacramento"), Some("Austin"))
    );
    let stream = &found["sweeps"][0];
    let recovered = stream["recovered"].as_array().unwrap();
    let columns = stream["axes"][1]["labels"].as_array().unwrap().len();
    assert_eq!((columns, recovered.len()), (8, 24));
    // The city's stream before the first layer is all that differs.
    assert!(
        (recovered[6].as_f64().unwrap() - 1.0).abs() < 1e-3 && recovered[2].as_f64().unwrap().abs() < 1e-3
    );
    assert_eq!(found["sweeps"][1]["axes"][1]["name"], "head");
    let drawn = done(&["patch", "toy", "--clean", OAKLAND, "--corrupt", DALLAS]).out;
    assert!(drawn.contains("logit(Sacramento) - logit(Austin)"), "{drawn}");
}

const STATES: &str = r#"{"groups": {"Texas": ["Dallas", "Houston", "Lubbock", "Amarillo", "Laredo", "Waco"],
    "California": ["Oakland", "Fresno", "Anaheim", "Bakersfield", "Stockton", "Modesto"]}}"#;

#[test]
fn groups_that_are_answered_differently_are_told_with_what_carries_it() {
    let folder = Folder::new();
    let groups = folder.file("states.json", STATES);
    let toml = folder.file("states.toml", "[groups]\nTexas = [\"Dallas\"]\nOhio = [\"Waco\"]\n");
    let template = "the capital of the state containing {} is";
    let lines = folder.file("lines.txt", format!("{template}\n\n"));
    let arguments =
        |groups, targets| ["bias", "toy", "--template", template, "--groups", groups, "--targets", targets];
    let found = json(&[&arguments(&groups, "Austin/Sacramento,is"), &["--neurons", "8"][..]].concat());
    let rows = found["comparisons"].as_array().unwrap();
    assert_eq!((rows[0]["first"].as_str(), rows[0]["is_established"].as_bool()), (Some("Texas"), Some(true)));
    assert!(rows[0]["difference"].as_f64().unwrap() > 15.0 && rows.len() == 2, "{rows:?}");
    assert_eq!(found["scores"][0]["values"][1].as_array().unwrap().len(), 6);
    // The head that looks from the question at the city.
    assert_eq!(
        found["carriers"][0]["parts"][0]["part"],
        serde_json::json!({"kind": "head", "layer": 0, "head": 0})
    );
    let explained = json(&[&arguments(&toml, "Austin"), &["--words"][..]].concat());
    // Groups are compared in the order of their file, of either kind.
    assert_eq!(explained["words"][0]["first"], "Texas");
    assert_eq!(explained["words"][0]["templates"][0]["parts"].as_array().unwrap().len(), 7);

    let shown = done(&[&arguments(&groups, "Austin/Sacramento"), &["--neurons", "0"][..]].concat()).out;
    for text in
        ["Texas - California", "95 % interval", "0.0022", "head    L0H0", "12 heads tried in 6 prompt pairs"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let of_file = ["bias", "toy", "--templates", &lines, "--groups", &toml, "--targets", "Austin"];
    assert!(done(&of_file).out.contains("too few to establish anything"));

    let checked = lens(&[&arguments(&groups, "Austin"), &["--check", "--carriers", "none"][..]].concat());
    assert_eq!((checked.code, checked.err.lines().count()), (1, 1), "{}", checked.err);
    let refuse = |arguments: &[&str], said: &str| {
        let run = lens(arguments);
        assert!(run.code == 2 && run.out.is_empty() && run.err.contains(said), "{arguments:?}: {}", run.err);
    };
    refuse(&arguments("/nonexistent.toml", "Austin"), "cannot read /nonexistent.toml");
    refuse(&arguments(&lines, "Austin"), "lines.txt: expected");
    refuse(&arguments(&groups, "Paris"), "no \"Paris\"");
    refuse(&[&arguments(&groups, "Austin"), &["--confidence", "95"][..]].concat(), "0.5 to 0.9999");
    refuse(&["bias", "toy", "--groups", &groups, "--targets", "Austin"], "--template");
    let bare = ["bias", "toy", "--template", "{}", "--groups", &groups, "--targets", "Austin", "--words"];
    refuse(&bare, "template \"{}\" has no word beside {}");
}

#[test]
fn a_report_is_one_page_that_loads_nothing() {
    let folder = Folder::new();
    let (page, pictures) = (folder.path("page.html"), folder.path("pictures"));
    let paths = ["--out", page.to_str().unwrap(), "--svg", pictures.to_str().unwrap()];
    let found = json(&[&["report", "toy", "--prompt", DALLAS, "--beside", OAKLAND], &paths[..]].concat());
    let html = std::fs::read_to_string(&page).unwrap();
    for said in ["Austin", "Sacramento", "Where the answer lives", "Which words moved the answer", "</html>"]
    {
        assert!(html.contains(said), "{said} is not on the page");
    }
    for foreign in ["src=\"http", "href=\"http", "<script", "@import", "url("] {
        assert!(!html.contains(foreign), "{foreign}");
    }
    let written = found["pictures"].as_array().unwrap();
    assert!(
        written.len() >= 8 && written.iter().all(|path| Path::new(path.as_str().unwrap()).exists()),
        "{written:?}"
    );
    assert_eq!(found["answer"]["text"].as_str().map(str::trim), Some("Austin"));
    assert!(found["beside"]["stream"]["recovered"].is_array());

    let alone = done(&["report", "toy", "--prompt", "Dallas", "--out", page.to_str().unwrap()]);
    assert_eq!(alone.out.trim(), page.to_str().unwrap());
    assert!(!std::fs::read_to_string(&page).unwrap().contains("Where the answer lives"));
}

#[test]
fn what_cannot_be_done_is_said_on_one_line() {
    let folder = Folder::new();
    let broken = folder.path("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("config.json"), "{").unwrap();
    let (broken, empty) = (broken.to_str().unwrap(), folder.path("").to_str().unwrap().to_owned());
    let check = |arguments: &[&str], said: &[&str]| {
        let run = lens(arguments);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{arguments:?}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        for said in said {
            assert!(run.err.contains(said), "{arguments:?}: {}", run.err);
        }
    };
    let dump = |more: &[&str]| -> Vec<String> {
        [&["dump"], more].concat().into_iter().map(str::to_owned).collect()
    };
    let check_dump = |more: &[&str], said: &[&str]| {
        let arguments = dump(more);
        check(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), said);
    };
    check(&[], &["lens which? One of ", "diff", "train-transcoder", "see llmtrace lens --help"]);
    check(&["lense"], &["'lense'"]);
    check_dump(&["toy", "--prompt", "a", "--out", "x"], &["--hooks"]);
    check_dump(&["toy", "--prompt", "a", "--hooks", "*"], &["--out"]);
    check_dump(&["toy", "--hooks", "*", "--out", "x"], &["--prompt", "--tokens"]);
    check_dump(
        &["toy", "--prompt", "a", "--tokens", "1", "--hooks", "*", "--out", "x"],
        &["--prompt", "--tokens"],
    );
    check_dump(&["toy", "--tokens", "1,x", "--hooks", "*", "--out", "x"], &["--tokens", "'x'"]);
    check_dump(&["toy", "--tokens", "1,999", "--hooks", "*", "--out", "x"], &["999", "202"]);
    check_dump(
        &["toy", "--prompt", "the", "--hooks", "blocks.0.hook_resid_prr", "--out", "x"],
        &["blocks.0.hook_resid_pre"],
    );
    check_dump(&["toy", "--prompt", "the", "--hooks", "blocks.9.*", "--out", "x"], &["blocks.9.*"]);
    check_dump(
        &["toy", "--prompt", "the", "--hooks", "*", "--out", "/nonexistent/x"],
        &["cannot write /nonexistent/x", "No such file"],
    );
    check_dump(
        &["/nonexistent", "--prompt", "a", "--hooks", "*", "--out", "x"],
        &["/nonexistent", "folder of a model"],
    );
    check_dump(&[broken, "--prompt", "a", "--hooks", "*", "--out", "x"], &["config.json", "no JSON"]);
    check_dump(&[&empty, "--prompt", "a", "--hooks", "*", "--out", "x"], &["config.json", "No such file"]);
    check(&["generate", "toy", "--prompt", "the", "--top-p", "2"], &["top_p is 2"]);
    check(&["generate", "toy", "--prompt", "the", "--max-tokens", "0"], &["max_tokens is 0"]);
    check(&["generate", "toy", "--prompt", ""], &["no token"]);
    check(&["generate", "toy", "--prompt", &"the ".repeat(60)], &["60", "48"]);
    check(&["logit-lens", "toy", "--prompt", "the", "--track", "Paris Texas"], &["Paris Texas"]);
    check(
        &["logit-lens", "toy", "--prompt", "the", "--hooks", "hook_embed"],
        &["hook_embed", "residual stream"],
    );
    check(&["logit-lens", "toy", "--prompt", "the", "--top", "0"], &["--top", "0 is not in 1.."]);
    check(&["generate", "toy", "--prompt", "the", "--temperature", "-1"], &["temperature is -1"]);
    check(&["graph", "toy", "--prompt", DALLAS, "--edge-threshold", "-0.1"], &["a number from 0 to 1"]);
    check(&["graph", "toy", "--prompt", DALLAS, "--alike", "7"], &["a number from -1 to 1"]);
    check(&["graph", "toy", "--prompt", DALLAS, "--max-targets", "0"], &["0 is not in 1.."]);
    check(&["diff", "toy", "toy"], &["--prompts", "--prompt"]);
    check(&["bias", "toy", "--groups", "x", "--targets", "a"], &["--template", "--templates"]);
    check(&["attention", "toy", "--prompt", "the"], &["one token"]);
    check(&["attention", "toy", "--prompt", DALLAS, "--head", "L9H0"], &["L9H0", "3 layers of 4 heads"]);
    check(&["attention", "toy", "--prompt", DALLAS, "--head", "first"], &["L0H2", "\"first\""]);
    check(&["patch", "toy", "--clean", OAKLAND, "--corrupt", "Dallas is"], &["8 and 2 tokens"]);
    check(&["patch", "toy", "--clean", DALLAS, "--corrupt", DALLAS], &["both prompts", "Austin"]);
    if cfg!(feature = "hub") {
        check(&["generate", "hf:../secret", "--prompt", "a"], &["../secret", "openai-community/gpt2"]);
    } else {
        check(&["generate", "hf:owner/name", "--prompt", "a"], &["owner/name", "--features hub"]);
    }
    check(
        &["report", "toy", "--prompt", DALLAS, "--beside", DALLAS, "--out", "/nonexistent/x"],
        &["both prompts"],
    );
    check(
        &["report", "toy", "--prompt", DALLAS, "--out", "/nonexistent/x"],
        &["cannot write /nonexistent/x"],
    );
    if cfg!(not(feature = "cuda")) {
        check(&["generate", "toy", "--prompt", "the", "--device", "cuda"], &["--features cuda"]);
    }
}
