//! `llmtrace lens train-transcoder`: what is printed and written, and every refusal.

use crate::support::{Folder, run};

const CITIES: &str = "Dallas is in Texas .\n\nthe capital of Texas is Austin .\nthe state containing Oakland is California .\n";

fn train(folder: &Folder, more: &[&str]) -> crate::support::Run {
    let text = folder.path("text.txt");
    std::fs::write(&text, CITIES).unwrap();
    let out = folder.path("plt");
    let paths = ["--text", text.to_str().unwrap(), "--out", out.to_str().unwrap()];
    run(&[&["lens", "train-transcoder", "toy-gelu"], &paths[..], more].concat(), "")
}

#[test]
fn each_layer_is_told_and_written() {
    let folder = Folder::new();
    let small = ["--features", "24", "--top-k", "4", "--steps", "5", "--seed", "3"];
    let printed = train(&folder, &small);
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    let lines: Vec<&str> = printed.out.lines().collect();
    assert_eq!(lines.len(), 5, "{}", printed.out);
    let names: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(names, ["layer", "loss", "FVU", "L0", "features", "dead"]);
    for (layer, line) in lines[1..4].iter().enumerate() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((cells[0], cells[3], cells[4]), (layer.to_string().as_str(), "4.0", "24"), "{line}");
        assert!(folder.path(&format!("plt/layer_{layer}.safetensors")).exists());
    }
    assert!(
        lines[4].starts_with("learnt from 19 positions, judged by the same; written to "),
        "{}",
        lines[4]
    );
    assert!(folder.path("plt/config.yaml").exists());

    let jump = train(&folder, &["--features", "24", "--jump-relu", "6.5", "--steps", "5", "--layers", "0,2"]);
    assert_eq!((jump.code, jump.err.as_str()), (0, ""));
    let layers: Vec<&str> = jump.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(layers, ["layer", "0", "2", "learnt"], "{}", jump.out);

    let json = train(&folder, &[&small[..], &["--json"]].concat()).json();
    let layers = json["layers"].as_array().unwrap();
    assert_eq!((json["model"].as_str(), layers.len()), (Some("toy-gelu"), 3));
    for key in ["layer", "positions", "held_out", "loss", "fvu", "l0", "features", "dead"] {
        assert!(layers[1][key].is_number(), "{key}: {json}");
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let folder = Folder::new();
    let refused = |more: &[&str], expected: &str| {
        let printed = train(&folder, more);
        assert_eq!((printed.code, printed.out.as_str()), (2, ""), "{more:?}");
        assert!(printed.err.contains(expected), "{}, expected {expected}", printed.err);
        assert!(!folder.path("plt").exists(), "{more:?}");
    };
    refused(&["--features", "0"], "0 features learns nothing: give 1 or more");
    refused(
        &["--features", "99999999999999999"],
        "99999999999999999 features do not fit into memory: give 8388608 or fewer",
    );
    refused(&["--window", "1"], "1 is not in 2..");
    refused(&["--features", "8", "--top-k", "9"], "9 of 8 features cannot be active: give 1 to 8");
    refused(&["--top-k", "9", "--l1", "0.1"], "cannot be used with");
    refused(&["--top-k", "9", "--jump-relu", "9"], "cannot be used with");
    refused(&["--jump-relu", "9", "--l1", "0.1"], "cannot be used with");
    refused(
        &["--features", "8", "--jump-relu", "9"],
        "9 of 8 features cannot be active on average: give a number above 0, 8 at most",
    );
    refused(&["--jump-relu=-1"], "give a number above 0");
    refused(&["--layers", "1,3"], "there is no layer 3 among 3: give 0 to 2");
    refused(&["--steps", "0"], "0 steps learns nothing");
    refused(&["--rate=-1"], "a learning rate of -1 is none");
    refused(&["--max-positions", "0"], "there is nothing to learn from");
    std::fs::write(folder.path("empty.txt"), " \n\n").unwrap();
    let empty = folder.path("empty.txt");
    let empty =
        run(&["lens", "train-transcoder", "toy", "--text", empty.to_str().unwrap(), "--out", "plt"], "");
    assert_eq!(empty.code, 2);
    assert!(empty.err.contains("there is nothing to learn from"), "{}", empty.err);
    let missing = run(&["lens", "train-transcoder", "toy", "--text", "no.txt", "--out", "plt"], "");
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("cannot read no.txt"), "{}", missing.err);
}
