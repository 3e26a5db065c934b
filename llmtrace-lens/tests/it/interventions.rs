//! What ready-made interventions do to a value, and what they refuse.

use candle_core::{Device, Tensor};
use llmtrace_lens::{Edges, Hooks, Mean, Readout, Slice};

use crate::support::{close, model, values};

const FIRST: [u32; 7] = [5, 60, 17, 99, 120, 33, 8];
const SECOND: [u32; 7] = [9, 80, 17, 44, 101, 7, 12];

/// The value at a point after an intervention there.
#[track_caller]
fn changed(point: &str, hooks: Hooks<'_>) -> Tensor {
    let (_, cache) = model("gpt2").run_with_hooks(&FIRST, &mut hooks.keep(point)).unwrap();
    cache.get(point).unwrap().clone()
}

fn plain(point: &str) -> Tensor {
    changed(point, Hooks::new())
}

/// After an intervention at `point`, every element whose index `is_in` is what `expect` makes of it, and every other one is as it was.
#[track_caller]
fn check(
    point: &str,
    hooks: Hooks<'_>,
    is_in: impl Fn(&[usize]) -> bool,
    expect: impl Fn(&[usize], f32) -> f32,
) {
    let (before, after) = (plain(point), changed(point, hooks));
    assert_eq!(before.dims(), after.dims());
    let dims = before.dims().to_vec();
    let mut inside = 0;
    for (at, (old, new)) in values(&before).into_iter().zip(values(&after)).enumerate() {
        let mut rest = at;
        let mut index: Vec<usize> = dims
            .iter()
            .rev()
            .map(|size| {
                let here = rest % size;
                rest /= size;
                here
            })
            .collect();
        index.reverse();
        let chosen = is_in(&index);
        inside += usize::from(chosen);
        let expected = if chosen { expect(&index, old) } else { old };
        assert!(
            new.to_bits() == expected.to_bits() || (new - expected).abs() < 1e-6,
            "{point}{index:?}: {new}, not {expected}"
        );
    }
    assert!(inside > 0 && inside < before.elem_count(), "{inside} of {}", before.elem_count());
}

#[test]
fn an_intervention_changes_its_slice_and_nothing_else() {
    let vector = |size: usize| Tensor::arange(0.0_f32, size as f32, &Device::Cpu).unwrap();
    check(
        "blocks.1.attn.hook_z",
        Hooks::new().zero("blocks.1.attn.hook_z", Slice::head(3)),
        |at| at[2] == 3,
        |_, _| 0.0,
    );
    check(
        "blocks.1.attn.hook_z",
        Hooks::new().scale("z1", -2.0, Slice::heads([0, 2]).and(Slice::positions([1, 6]))),
        |at| [0, 2].contains(&at[2]) && [1, 6].contains(&at[1]),
        |_, old| old * -2.0,
    );
    check(
        "blocks.0.mlp.hook_post",
        Hooks::new().zero("post0", Slice::neurons([5, 100])),
        |at| [5, 100].contains(&at[2]),
        |_, _| 0.0,
    );
    check(
        "blocks.2.hook_resid_pre",
        Hooks::new().add("resid_pre2", &vector(32), Slice::positions_from(4)),
        |at| at[1] >= 4,
        |at, old| old + at[2] as f32,
    );
    check(
        "blocks.2.hook_resid_pre",
        Hooks::new().steer("resid_pre2", &vector(32), 0.5, Slice::position(0)),
        |at| at[1] == 0,
        |at, old| old + 0.5 * at[2] as f32,
    );
    check(
        "blocks.0.attn.hook_pattern",
        Hooks::new().replace("pattern0", &Tensor::new(0.25_f32, &Device::Cpu).unwrap(), {
            Slice::head(1).and(Slice::position(3)).and(Slice::keys([0, 1, 2, 3]))
        }),
        |at| at[1] == 1 && at[2] == 3 && at[3] <= 3,
        |_, _| 0.25,
    );
    check(
        "blocks.0.attn.hook_attn_scores",
        Hooks::new().zero("attn_scores0", Slice::head(1)),
        |at| at[1] == 1,
        |at, _| if at[3] > at[2] { f32::NEG_INFINITY } else { 0.0 },
    );
    check(
        "blocks.0.attn.hook_attn_scores",
        Hooks::new().knock_out("attn_scores0", Edges::between([0, 2], [2, 5]).in_heads([1, 3])),
        |at| [1, 3].contains(&at[1]) && [2, 5].contains(&at[2]) && [0, 2].contains(&at[3]),
        |_, _| f32::NEG_INFINITY,
    );
}

#[test]
fn interventions_are_made_in_the_order_they_were_added() {
    let one = Tensor::new(1.0_f32, &Device::Cpu).unwrap();
    let hooks = Hooks::new()
        .zero("resid_pre1", Slice::position(2))
        .add("resid_pre1", &one, Slice::position(2))
        .scale("resid_pre1", 3.0, Slice::all());
    let (before, after) = (plain("resid_pre1"), changed("resid_pre1", hooks));
    for position in 0..FIRST.len() {
        let expected = before.narrow(1, position, 1).unwrap();
        let expected = if position == 2 { expected.ones_like().unwrap() } else { expected };
        close("row", &after.narrow(1, position, 1).unwrap(), &(expected * 3.0).unwrap(), 1e-5);
    }
}

#[test]
fn one_sequence_of_a_batch_can_be_changed_alone() {
    let model = model("llama");
    let (_, other) = model.run_with_cache(&FIRST, "resid_pre1").unwrap();
    let alone = |tokens: &[u32], hooks: &mut Hooks<'_>| model.run_with_hooks(tokens, hooks).unwrap().0;
    let mut hooks = Hooks::new()
        .patch("resid_pre1", &other, Slice::sequence(1).and(Slice::position(3)))
        .zero("z2", Slice::sequences([0, 2]).and(Slice::head(1)));
    let (batch, _) =
        model.run_batch_with_hooks(&[&SECOND, &SECOND, &FIRST], Readout::All, &mut hooks).unwrap();
    let row = |at: usize| batch.narrow(0, at, 1).unwrap();
    let zero = || Hooks::new().zero("z2", Slice::head(1));
    close("zeroed", &row(0), &alone(&SECOND, &mut zero()), 2e-5);
    let mut patch = Hooks::new().patch("resid_pre1", &other, Slice::position(3));
    close("patched", &row(1), &alone(&SECOND, &mut patch), 2e-5);
    close("zeroed", &row(2), &alone(&FIRST, &mut zero()), 2e-5);
}

#[test]
fn a_mean_is_that_of_the_reference_or_of_the_run() {
    let model = model("gpt2");
    let mut hooks = Hooks::new().keep("z1, pattern1");
    let (_, reference) = model.run_batch_with_hooks(&[&FIRST, &SECOND], Readout::All, &mut hooks).unwrap();
    let z = reference.get("z1").unwrap();
    let head = Slice::head(2);
    let narrow = |tensor: &Tensor| tensor.narrow(2, 2, 1).unwrap();
    let shape = narrow(&plain("z1"));
    for (mean, expected) in [
        (Mean::over(&reference), z.mean_keepdim((0, 1)).unwrap()),
        (Mean::by_position(&reference), z.mean_keepdim(0).unwrap()),
        (Mean::of_this_run(), plain("z1").mean_keepdim(1).unwrap()),
    ] {
        let after = changed("z1", Hooks::new().mean("z1", mean, head.clone()));
        let expected = narrow(&expected).broadcast_as(shape.shape()).unwrap();
        close("mean", &narrow(&after), &expected, 1e-6);
        close("others", &after.narrow(2, 0, 2).unwrap(), &plain("z1").narrow(2, 0, 2).unwrap(), 0.0);
    }
    let by_position = changed("pattern1", Hooks::new().mean("pattern1", Mean::by_position(&reference), head));
    let sums = by_position.sum(3).unwrap();
    close("rows", &sums, &sums.ones_like().unwrap(), 1e-5);
}

#[test]
fn what_a_point_does_not_have_is_one_clear_error() {
    let model = model("gpt2");
    let (_, cache) = model.run_with_cache(&FIRST[..5], "resid_pre0, z0").unwrap();
    let wide = Tensor::zeros(33, candle_core::DType::F32, &Device::Cpu).unwrap();
    let check = |hooks: Hooks<'_>, expected: &str| {
        let error = model.run_with_hooks(&FIRST, &mut { hooks }).unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    check(
        Hooks::new().zero("blocks.1.attn.hook_z", Slice::head(4)),
        "at blocks.1.attn.hook_z: there are 4 heads, and none is number 4",
    );
    check(
        Hooks::new().zero("resid_pre1", Slice::head(0)),
        "at blocks.1.hook_resid_pre: its value has no heads",
    );
    check(
        Hooks::new().zero("resid_pre1", Slice::position(7)),
        "at blocks.1.hook_resid_pre: there are 7 positions, and none is number 7",
    );
    check(
        Hooks::new().zero("post1", Slice::neuron(128)),
        "at blocks.1.mlp.hook_post: there are 128 neurons, and none is number 128",
    );
    check(
        Hooks::new().zero("resid_pre1", Slice::sequence(1)),
        "at blocks.1.hook_resid_pre: there are 1 sequences, and none is number 1",
    );
    check(
        Hooks::new().zero("pattern1", Slice::keys([9])),
        "at blocks.1.attn.hook_pattern: there are 7 keys, and none is number 9",
    );
    check(
        Hooks::new().add("resid_pre1", &wide, Slice::all()),
        "at blocks.1.hook_resid_pre: its value has shape [1, 7, 32], which [33] cannot fill",
    );
    check(
        Hooks::new().patch("resid_pre0", &cache, Slice::all()),
        "at blocks.0.hook_resid_pre: the other run's value has the positions 0 to 4, but not 5",
    );
    check(
        Hooks::new().patch("resid_pre0", &cache, Slice::position(6)),
        "at blocks.0.hook_resid_pre: the other run's value has the positions 0 to 4, but not 6",
    );
    check(
        Hooks::new().patch("resid_pre1", &cache, Slice::all()),
        "blocks.1.hook_resid_pre was not kept: name it in the filter of the run",
    );
    check(
        Hooks::new().knock_out("resid_pre1", Edges::one(0, 1)),
        "at blocks.1.hook_resid_pre: attention is cut at attn.hook_attn_scores alone",
    );
    check(
        Hooks::new().knock_out("attn_scores1", Edges::one(5, 2)),
        "at blocks.1.attn.hook_attn_scores: position 2 does not see position 5: attention goes back from a position, not forward",
    );
    check(
        Hooks::new().knock_out("attn_scores1", Edges::between(0..7, [3]).in_heads([2])),
        "at blocks.1.attn.hook_attn_scores: position 3 would see nothing in head 2: leave it at least one position",
    );
    check(
        Hooks::new().mean("pattern1", Mean::of_this_run(), Slice::all()),
        "at blocks.1.attn.hook_pattern: a mean over positions would look at later ones: use Mean::by_position",
    );
}
