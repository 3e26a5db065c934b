//! What holds of every picture: whatever the data, the markup is whole, safe and small.

use super::*;

const HOSTILE: [&str; 8] = [
    "</title></style><script>alert(1)</script>",
    "\" onload=\"alert(1)",
    "' onclick='x",
    "&amp;]]><![CDATA[",
    "\u{202e}evil\u{2066}",
    "\u{1b}[31m\u{0}\u{7f}\u{9b}2J",
    "\u{ffff}\u{fdd0}\u{feff}",
    "a\r\nb\t世界 🦀",
];

const ODD: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MIN, f32::MAX, 1e-40, 0.5];

type Shown = Box<dyn Picture + Send + Sync>;

/// One picture of each kind, of these tokens and values, as many of the one as of the other.
fn pictures(tokens: &[&str], values: &[f32]) -> Vec<Shown> {
    let count = tokens.len();
    let title = tokens.first().copied().unwrap_or("empty");
    let square: Vec<f32> = values.iter().copied().cycle().take(count * count).collect();
    let pairs = || tokens.iter().copied().zip(values.iter().copied());
    let cells = || pairs().map(|(_, entropy)| LensCell::new(entropy, pairs()));
    let side = |name: &str| Axis::tokens(name, tokens);
    let map = Heatmap::new(title, side(title), side(title), square.clone()).unwrap().value_is(title);
    let strip = pairs().fold(TokenStrip::new(title, Measure::Surprisal), |strip, (token, value)| {
        strip.token(token, value).alternatives(pairs())
    });
    let prompt = AttributedPrompt::new(title, title).ends(0.0, f32::NAN).method(title);
    let bars = LayerBars::new(title, title, tokens.iter().copied());
    let steps = pairs().fold(GenerationTable::new(title), |table, (token, value)| {
        let step = GenerationStep::new(token, value, value, usize::MAX).alternatives(pairs());
        table.step(step.removed(token, 3))
    });
    vec![
        Box::new(map.clone().scale(Scale::Centred).mark(0, 0).mark(9, 9)),
        Box::new(map.scale(Scale::Fitted).causal()),
        Box::new(
            AttentionGrid::new(title, tokens, [1, 1], square).unwrap().note(0, 0, title).show_first(7, 7),
        ),
        Box::new(LogitLensTable::new(title, tokens).answer(title).layer(title, cells()).unwrap()),
        Box::new(strip),
        Box::new(pairs().fold(prompt, |prompt, (token, value)| prompt.part(token, value))),
        Box::new(bars.bar(title, values).unwrap()),
        Box::new(steps),
        Box::new(circuit(title, tokens, values)),
        Box::new(tokens.iter().fold(FactLine::new(title), |line, token| line.fact(*token, *token))),
    ]
}

/// A node of each kind for every token, and links of these values.
fn circuit(title: &str, tokens: &[&str], values: &[f32]) -> CircuitMap {
    let kinds = [CircuitKind::Token, CircuitKind::Feature, CircuitKind::Error, CircuitKind::Answer];
    let rows: Vec<String> = kinds.iter().map(|_| title.to_owned()).collect();
    let places = tokens.iter().enumerate().flat_map(|(column, name)| {
        kinds.into_iter().enumerate().map(move |(row, kind)| (column, *name, row, kind))
    });
    let nodes: Vec<CircuitNode> = places
        .map(|(column, name, row, kind)| CircuitNode {
            name: name.to_owned(),
            kind,
            column,
            row,
            influence: 0.5,
        })
        .collect();
    let last = nodes.len().saturating_sub(1);
    let links = values.iter().enumerate().map(|(at, weight)| CircuitLink {
        from: at.min(last),
        to: last,
        weight: *weight,
    });
    let links = if nodes.is_empty() { Vec::new() } else { links.collect() };
    let steps: Vec<String> = tokens.iter().map(|token| (*token).to_owned()).collect();
    let ways = values.iter().map(|share| CircuitWay {
        steps: steps.clone(),
        share: f64::from(*share),
        supports: false,
    });
    CircuitMap::new(title, tokens.len(), rows, nodes, links).unwrap().ways(ways)
}

/// Fails where markup is not whole, or what looks like text acts.
fn check_markup(markup: &str) {
    let document = roxmltree::Document::parse(markup).unwrap_or_else(|error| panic!("{error}\n{markup}"));
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "iframe", "object", "img", "image", "use", "link"].contains(&name), "<{name}>");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
            let is_text = ["aria-label", "title"].contains(&attribute.name());
            let is_number = !attribute.value().contains("NaN") && !attribute.value().contains("inf");
            assert!(is_text || is_number, "{attribute:?}");
            assert!(attribute.name() != "href" || attribute.value().starts_with('#'), "{attribute:?}");
        }
        if name == "style" {
            assert!(!node.text().unwrap_or("").contains("url("));
        }
    }
    let acts = |char: char| {
        matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || char.is_control() && char != '\n' && char != '\t'
    };
    assert_eq!(markup.chars().find(|char| acts(*char)), None, "{markup}");
}

fn check(tokens: &[&str], values: &[f32]) {
    for picture in pictures(tokens, values) {
        check_markup(&picture.to_svg());
        check_markup(&format!(
            "<figure>{}{}</figure>",
            picture.to_html("id"),
            picture.table().to_html(picture.title())
        ));
        for width in [0, 1, 20, 80, 400] {
            let plain = picture.to_terminal(width, Colour::None);
            let controls = plain.chars().find(|char| char.is_control() && *char != '\n');
            assert_eq!(controls, None, "{plain:?}");
            for colour in [Colour::Indexed, Colour::True] {
                let painted = picture.to_terminal(width, colour);
                let acts =
                    painted.replace("\u{1b}[", "").chars().any(|char| char.is_control() && char != '\n');
                assert!(!acts, "{painted:?}");
            }
        }
    }
}

#[test]
fn tokens_never_act() {
    check(&HOSTILE, &ODD);
    for token in HOSTILE {
        check(&[token], &[0.5]);
    }
}

#[test]
fn any_token_and_any_number_can_be_drawn() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..12 {
        let count = random.usize(1..5);
        let tokens: Vec<String> =
            (0..count).map(|_| (0..random.usize(0..6)).map(|_| random.char(..)).collect()).collect();
        let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
        let values: Vec<_> = (0..count).map(|_| f32::from_bits(random.u32(..))).collect();
        check(&tokens, &values);
    }
}

#[test]
fn pictures_of_nothing_and_of_one_thing_can_be_drawn() {
    check(&[], &[]);
    for value in ODD {
        check(&["a"], &[value]);
        check(&["a", "b"], &[value, value]);
    }
}

#[test]
fn pages_are_whole_and_load_nothing() {
    let sections = pictures(&HOSTILE, &ODD)
        .into_iter()
        .map(|picture| Section::new(HOSTILE[0], HOSTILE[1]).boxed(picture));
    let page = sections.fold(Page::new(HOSTILE[0]).lead(HOSTILE[1]).foot(HOSTILE[2]), Page::section);
    let html = page.to_html();
    let body = html.split_once("<body>").unwrap().1.split_once("</body>").unwrap().0;
    check_markup(&format!("<body>{body}</body>"));
    assert!(html.contains("default-src 'none'"));
    assert!(!html.contains("<script") && !html.contains("url(") && !html.contains("@import"));
    let mut addresses = html.match_indices("://").map(|(at, _)| html[at + 3..].split('"').next());
    assert_eq!(addresses.find(|address| *address != Some("www.w3.org/2000/svg")), None);
    let mut ids: Vec<_> =
        html.match_indices(" id=\"").map(|(at, _)| html[at + 5..].split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id repeats");
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let check = |refused: Result<Shown, PictureError>, words: &str| {
        assert_eq!(refused.map(|picture| picture.to_svg()).unwrap_err().to_string(), words);
    };
    let axis = |count| Axis::counted("layer", "L", count);
    let boxed = |map: Heatmap| -> Shown { Box::new(map) };
    check(
        Heatmap::new("Patching", axis(3), axis(4), vec![0.0; 11]).map(boxed),
        "Patching: 12 values are needed (3 x 4), found 11",
    );
    check(
        AttentionGrid::new("Attention", &["a", "b"], [2, 3], vec![0.0; 6])
            .map(|grid| -> Shown { Box::new(grid) }),
        "Attention: 24 values are needed (2 x 3 x 2 x 2), found 6",
    );
    check(
        AttentionGrid::new("Attention", &["a"], [100, 100], vec![0.0; 10_000])
            .map(|grid| -> Shown { Box::new(grid) }),
        "Attention: 10000 heads, and at most 4096 can be drawn",
    );
    check(
        AttentionGrid::new("Attention", &["a"], [usize::MAX, 2], Vec::new())
            .map(|grid| -> Shown { Box::new(grid) }),
        "Attention: 18446744073709551615 values are needed (18446744073709551615 x 2 x 1 x 1), found 0",
    );
    check(
        LogitLensTable::new("Lens", &["a", "b"])
            .layer("L0", [LensCell::new(0.0, [("a", 1.0)])])
            .map(|table| -> Shown { Box::new(table) }),
        "Lens: 2 values are needed (2), found 1",
    );
    check(
        LayerBars::new("Time", "ms", ["attention"])
            .bar("L0", [1.0, 2.0])
            .map(|bars| -> Shown { Box::new(bars) }),
        "Time: 1 values are needed (1), found 2",
    );
}

#[test]
fn large_maps_stay_small_files() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut noise = |count: usize| (0..count).map(|_| random.f32()).collect::<Vec<_>>();
    let axis = |count| Axis::counted("position", "", count);
    let check = |picture: &dyn Picture, most: usize| {
        let (svg, html) = (picture.to_svg(), picture.to_html("id") + &picture.table().to_html("numbers"));
        check_markup(&svg);
        assert!(svg.len() < most && html.len() < most, "{} {}", svg.len(), html.len());
        assert!(picture.to_terminal(100, Colour::None).lines().count() < 400);
    };
    let map = Heatmap::new("map", axis(512), axis(512), noise(512 * 512)).unwrap();
    assert!(map.to_svg().contains("each cell: the strongest of 4 × 4 values"));
    check(&map, 500_000);
    check(&Heatmap::new("map", axis(2), axis(4096), noise(2 * 4096)).unwrap(), 200_000);
    let tokens = vec!["token"; 64];
    check(&AttentionGrid::new("grid", &tokens, [8, 12], noise(96 * 64 * 64)).unwrap(), 7_000_000);
    let steps = (0..2000)
        .fold(GenerationTable::new("steps"), |steps, _| steps.step(GenerationStep::new("a", 0.5, 1.0, 0)));
    check(&steps, 1_000_000);
}

#[test]
fn small_maps_are_read_in_a_terminal() {
    let check = |map: Heatmap, width: usize, expected: &str| {
        assert_eq!(map.to_terminal(width, Colour::None), expected.trim_start_matches('\n'));
    };
    let map = || {
        let values = [0.0, 8.1, -0.25, f32::NAN, 2.0, -8.1];
        Heatmap::new(
            "Patching",
            Axis::counted("layer", "L", 2),
            Axis::tokens("position", ["the", " Dallas", " is"]),
            values,
        )
        .unwrap()
        .scale(Scale::Centred)
        .value_is("change")
    };
    check(
        map(),
        60,
        "
Patching
rows: layer · columns: position
     the ␣Dal…   ␣is
L0     ·  +8.1 −0.25
L1   NaN    +2  −8.1
−8.1 @%=- ░▒▓█ +8.1  change
",
    );
    check(
        map(),
        9,
        "
Patching
rows: la…
   0 1 2
L0   ██
L1 ××░░@@
position: 0 the, 1 ␣Dallas, 2 ␣is
−8.1 @%=- ░▒▓█ +8.1
",
    );
    let pattern = [1.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.1, 0.0, 0.9];
    check(
        Heatmap::attention("L0H2", &["a", "b", "c"], pattern).unwrap(),
        6,
        "
L0H2
rows:…
a █
b ▒▒
c   █
0 ░▒▓█ 1
",
    );
}

#[test]
fn a_terminal_shows_heads_layer_by_layer_and_not_too_many() {
    let check = |grid: AttentionGrid, expected: &str| {
        assert_eq!(grid.to_terminal(14, Colour::None), expected.trim_start_matches('\n'));
    };
    let grid = |layers: usize, heads: usize| {
        let patterns = [1.0, 0.0, 0.5, 0.5].repeat(layers * heads);
        AttentionGrid::new("Attention", &["a", "b"], [layers, heads], patterns).unwrap()
    };
    let legend = "0 ░▒▓█ 1  share of attention; rows look, columns are looked at\n";
    check(
        grid(2, 3).note(0, 1, "first"),
        &format!(
            "Attention\nL0H0  L0H1\n█     █\n▒▒    ▒▒\nL0H2\n█\n▒▒\nL1H0  L1H1\n█     █\n▒▒    ▒▒\nL1H2\n█\n▒▒\nL0H1  first\n{legend}"
        ),
    );
    check(
        grid(10, 10).note(9, 9, "last"),
        &format!("Attention\nL9H9\n█\n▒▒\n99 more heads are not shown.\nL9H9  last\n{legend}"),
    );
}

#[test]
fn heads_are_shown_large_by_their_address() {
    let grid =
        AttentionGrid::new("Attention", &["a", "b"], [2, 1], vec![1.0, 0.0, 0.5, 0.5, 1.0, 0.0, 0.1, 0.9])
            .unwrap();
    let html = format!("<figure>{}</figure>", grid.clone().note(1, 0, "induction 0.9").to_html("id"));
    let document = roxmltree::Document::parse(&html).unwrap();
    let class_of = |id: &str| {
        let node = document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
        node.attribute("class").unwrap().to_owned()
    };
    assert_eq!(["idL0H0", "idL1H0"].map(class_of), ["large", "large first"]);
    let addresses = document.descendants().filter_map(|node| node.attribute("href"));
    assert!(addresses.map(|address| class_of(&address[1..])).all(|class| !class.is_empty()));
    assert_eq!(
        grid.head(1, 0).map(|map| map.table().rows()[1].clone()),
        Some(["b", "0.1", "0.9"].map(String::from).to_vec())
    );
    assert!(grid.head(2, 0).is_none() && grid.head(0, 1).is_none());
}

#[test]
fn heads_are_told_apart_by_numbers() {
    let patterns = [1.0, 0.0, 0.0, 0.1, 0.9, 0.0, 0.2, 0.7, 0.1];
    let table = AttentionGrid::new("Attention", &["a", " b", "c"], [1, 1], patterns)
        .unwrap()
        .note(0, 0, "sharp")
        .table();
    assert_eq!(table.rows(), [["L0H0", "sharp", "␣b (1)", "0.7", "0.8"]]);
}

#[test]
fn the_answer_is_marked_by_more_than_colour() {
    let cell = |token: &str, p: f32| LensCell::new(1.0 - p, [(token, p), (" Texas", 0.01)]);
    let table = LogitLensTable::new("Lens", &[" Dallas", " is"])
        .answer(" Austin")
        .layer("after layer 0", [cell(" is", 0.5), cell(" Texas", 0.6)])
        .unwrap()
        .layer("after layer 1", [cell(" is", 0.9), cell(" Austin", 0.978)])
        .unwrap();
    assert_eq!(table.to_html("id").matches("◆ ").count(), 2);
    assert_eq!(table.to_svg().matches("class=\"mark\"").count(), 1);
    assert!(table.to_html("id").contains("title=\"␣Austin 98%\n␣Texas 1%\nentropy 0.022 bits\""));
    assert_eq!(
        table.to_terminal(60, Colour::None),
        "Lens
              ␣Dallas   ␣is
after layer 0 ␣is   50% ␣Texas      60%
after layer 1 ␣is   90% ◆ ␣Austin   98%
◆ ␣Austin, which the model says in the end
"
    );
}

#[test]
fn bars_and_prompts_tell_their_numbers() {
    let bars = LayerBars::new("Time", "ms", ["attention", "MLP"])
        .bar("L0", [3.0, 1.0])
        .unwrap()
        .bar("L1", [f32::NAN, 2.0])
        .unwrap();
    assert_eq!(
        bars.to_terminal(24, Colour::None),
        "Time\nL0 ███████████▒▒▒ 4 ms\nL1 ▒▒▒▒▒▒▒ NaN ms\n██ attention  ▒▒ MLP\n"
    );
    let prompt = AttributedPrompt::new("Shapley", "log-probability")
        .part("the", -0.5)
        .part(" Dallas", 2.0)
        .ends(-2.0, -0.5);
    assert_eq!(
        prompt.to_terminal(40, Colour::None),
        "Shapley
the[−0.5] ␣Dallas[+2]
␣Dallas (1)     +2 ████████████████████
    the (0)   −0.5 █████
log-probability; blue and + raised it,
red and − lowered it. Without the parts
−2, with all −0.5; the parts' sum is
+1.5.
"
    );
    assert!(
        prompt
            .clone()
            .gap(-0.002)
            .to_terminal(400, Colour::None)
            .contains("sum is +1.5, which leaves a gap of −0.002.")
    );
    assert!(prompt.clone().count_from(1).to_terminal(40, Colour::None).contains("Dallas (2)"));
    let shares = AttributedPrompt::new("Rollout", "share").part("the", 0.25).part(" Dallas", 0.5).unsigned();
    assert_eq!(
        shares.to_terminal(40, Colour::None),
        "Rollout
the[0.25] ␣Dallas[0.5]
␣Dallas (1)    0.5 ████████████████████
    the (0)   0.25 ██████████
share; the bluer, the more.
"
    );
    assert!(!shares.to_html("id").contains("lowered") && !shares.to_svg().contains("+0.5"));
}
