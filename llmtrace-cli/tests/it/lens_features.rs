//! `llmtrace lens features`: what it says of features, and every refusal.

use serde_json::Value;

use crate::support::{Folder, Run, run};

const TEXT: &str = "\
the capital of the state containing Dallas is Austin .

the capital of the state containing Oakland is Sacramento .
the capital of Texas is Austin .
Waco is in Texas .
";

fn features(folder: &Folder, arguments: &[&str]) -> Run {
    let text = folder.path("text.txt");
    std::fs::write(&text, TEXT).unwrap();
    let given = ["lens", "features", "toy", "--text", text.to_str().unwrap()];
    run(&[&given, arguments].concat(), "")
}

#[test]
fn a_feature_is_told_with_its_label_its_words_and_its_places() {
    let folder = Folder::new();
    let labels = folder.path("toy.labels");
    std::fs::write(&labels, "# of the toy\nL1 F181 Texas\n").unwrap();
    let asked = ["--layer", "1", "--feature", "181,7", "--labels", labels.to_str().unwrap()];
    let printed = features(&folder, &[&asked[..], &["--json"]].concat());
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let json = printed.json();
    assert_eq!(json["model"], "toy-relu");
    let [texas, other] = json["features"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!((&texas["label"], &other["label"]), (&Value::from("Texas"), &Value::Null));
    assert_eq!((&texas["layer"], &texas["feature"], &other["feature"]), (&1.into(), &181.into(), &7.into()));
    assert_eq!(texas["tokens"], 32);
    assert_eq!(texas["promoted"][0]["text"], "Austin");
    let first = &texas["contexts"][0];
    assert_eq!((&first["line"], &first["tokens"][7]), (&1.into(), &" is".into()));
    assert_eq!(first["at"], 7);
    let sum: u64 = texas["histogram"]["counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(Some(sum), texas["active"].as_u64());

    let shown = features(&folder, &asked);
    let place = "line 1     the capital of the state containing Dallas [is] Austin .";
    for part in ["L1 F181  Texas\n", "\n  makes likelier Austin +", place, "\n\nL1 F7\n"] {
        assert!(shown.out.contains(part), "{part:?} in {}", shown.out);
    }
    assert!(!shown.out.contains('\u{1b}'), "{}", shown.out);
    let colored = features(&folder, &[&asked[..], &["--color", "always"]].concat());
    assert!(colored.out.contains("containing Dallas \u{1b}[33mis\u{1b}[0m Austin"), "{}", colored.out);
}

#[test]
fn the_strongest_are_told_where_none_is_named() {
    let folder = Folder::new();
    for (arguments, count, layers) in [
        (&["--json"][..], 10, 0..3),
        (&["--top", "4", "--json"], 4, 0..3),
        (&["--top", "2", "--layer", "2", "--contexts", "1", "--words", "3", "--json"], 2, 2..3),
    ] {
        let json = features(&folder, arguments).json();
        let found = json["features"].as_array().unwrap();
        assert_eq!(found.len(), count, "{arguments:?}");
        for feature in found {
            assert!(layers.contains(&feature["layer"].as_u64().unwrap()), "{feature}");
            assert!(feature["active"].as_u64().unwrap() > 0);
            if count == 2 {
                assert_eq!(feature["contexts"].as_array().unwrap().len(), 1);
                assert_eq!(feature["promoted"].as_array().unwrap().len(), 3);
            }
        }
    }
    assert_eq!(features(&folder, &["--json"]).out, features(&folder, &["--json"]).out);
}

#[test]
fn a_feature_that_is_never_active_is_told_and_is_nothing_found() {
    let folder = Folder::new();
    let text = folder.path("dot.txt");
    std::fs::write(&text, "the\n").unwrap();
    let asked =
        ["lens", "features", "toy", "--text", text.to_str().unwrap(), "--layer", "2", "--feature", "325"];
    let run = run(&[&asked[..], &["--json"]].concat(), "");
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("no feature is active in"), "{}", run.err);
    let card = &run.json()["features"][0];
    assert_eq!((&card["active"], &card["promoted"][0]["text"]), (&0.into(), &"Austin".into()));
}

#[test]
fn labels_name_the_nodes_and_paths_of_a_graph() {
    let folder = Folder::new();
    let (labels, file) = (folder.path("toy.labels"), folder.path("dallas.json"));
    std::fs::write(&labels, "L1 F181 Texas\nL1 F261 Texas\nL2 F325 say Austin\n").unwrap();
    let asked =
        ["lens", "graph", "toy", "--prompt", "the capital of the state containing Dallas is", "--json"];
    let files = ["--labels", labels.to_str().unwrap(), "--out", file.to_str().unwrap()];
    let printed = run(&[&asked[..], &files].concat(), "");
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let summary = printed.json();
    let group = |label: &str| {
        let groups = summary["supernodes"].as_array().unwrap();
        groups.iter().find(|group| group["label"] == label).map(|group| group["nodes"].clone())
    };
    assert_eq!(group("Texas").unwrap(), serde_json::json!(["1_181_7", "1_261_7"]));
    assert_eq!(group("say Austin").unwrap(), serde_json::json!(["2_325_7"]));
    let paths = summary["paths"].as_array().unwrap();
    let through = |path: &&Value| path["steps"].as_array().unwrap().contains(&"say Austin".into());
    assert!(paths.iter().any(|path| through(&path)), "{paths:?}");
    let graph: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let nodes = graph["nodes"].as_array().unwrap();
    let named = nodes.iter().find(|node| node["node_id"] == "1_181_7").unwrap();
    assert_eq!(named["clerp"], "Texas");
    assert_eq!(graph["qParams"]["supernodes"][0], serde_json::json!(["Texas", "1_181_7", "1_261_7"]));
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let folder = Folder::new();
    let labels = folder.path("bad.labels");
    std::fs::write(&labels, "L1 F181 Texas\nL1 F181 Georgia\n").unwrap();
    let (labels, empty) = (labels.to_str().unwrap(), folder.path("empty.txt"));
    std::fs::write(&empty, "\n \n").unwrap();
    let check = |arguments: &[&str], code: i32, parts: &[&str]| {
        let run = features(&folder, arguments);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{arguments:?} {}", run.err);
        assert!(parts.iter().all(|part| run.err.contains(part)), "{arguments:?} {}", run.err);
        if parts.len() == 1 {
            assert_eq!(run.err.trim_end().lines().count(), 1, "{}", run.err);
        }
    };
    check(&["--layer", "3"], 2, &["there is no layer 3: there are 3, from 0"]);
    check(&["--layer", "1", "--feature", "512"], 2, &["layer 1 has 512 features, and no 512"]);
    check(&["--labels", labels], 2, &["line 2: L1 F181 has a label in line 1 already; one is enough"]);
    check(&["--labels", "nowhere.labels"], 2, &["cannot read nowhere.labels"]);
    check(&["--transcoders", "nowhere"], 2, &["nowhere is not there: expected the folder of transcoders"]);
    check(&["--feature", "3"], 2, &["--layer", "required"]);
    check(&["--layer", "1", "--feature", "3", "--top", "3"], 2, &["--top", "cannot be used with"]);
    check(&["--window", "1"], 2, &["--window", "1 is not in 2.."]);
    check(&["--top", "0"], 2, &["--top", "0 is not in 1.."]);
    for (text, expected) in
        [(empty.to_str().unwrap(), "empty.txt has no text"), ("nowhere.txt", "cannot read nowhere.txt")]
    {
        let run = run(&["lens", "features", "toy", "--text", text], "");
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(expected), "{}", run.err);
    }
    let gelu = run(&["lens", "features", "toy-gelu", "--text", "x"], "");
    assert_eq!(gelu.code, 2);
    assert!(gelu.err.contains("train-transcoder"), "{}", gelu.err);
}
