//! Interventions in batches and in the steps of a session: each is what it is in a whole run.

use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use llmtrace_lens::generate::Stop;
use llmtrace_lens::handmade::Induction;
use llmtrace_lens::{
    ActivationCache, Edges, Filter, HookPoint, Hooks, Mean, Model, Readout, RunError, Session, Site, Slice,
};

use crate::support::{close, model};

const FIRST: [u32; 7] = [5, 60, 17, 99, 120, 33, 8];
const SECOND: [u32; 7] = [9, 80, 17, 44, 101, 7, 12];

fn models() -> impl Iterator<Item = Model> {
    ["gpt2", "llama", "gemma2", "gpt_neox"].into_iter().map(model)
}

/// Each site of a model with the names of all its points and a run that kept them, so that its values can be put into
/// another run. Points that cost extra work are kept in a run of their own: inputs of heads give the first norm other shapes.
fn everything(model: &Model, sequences: &[&[u32]]) -> (Tensor, Vec<(Site, String, ActivationCache)>) {
    let (logits, _) = model.run_batch_with_hooks(sequences, Readout::All, &mut Hooks::new()).unwrap();
    let mut existing: Vec<Site> = model.hook_points().map(HookPoint::site).collect();
    existing.sort_unstable();
    existing.dedup();
    assert!(existing.len() > 25, "{existing:?}");
    let points = |site: Site| {
        if site.in_block() { format!("blocks.*.{}", site.name()) } else { site.name().to_owned() }
    };
    let costly = existing.iter().filter(|site| site.is_costly()).map(|site| points(*site));
    let mut kept = Vec::new();
    for filter in ["*".to_owned(), costly.collect::<Vec<_>>().join(",")] {
        let mut hooks = Hooks::new().keep(filter.as_str());
        let (_, cache) = model.run_batch_with_hooks(sequences, Readout::All, &mut hooks).unwrap();
        let mut sites: Vec<Site> = cache.iter().map(|(point, _)| point.site()).collect();
        sites.sort_unstable();
        sites.dedup();
        kept.extend(sites.into_iter().map(|site| (site, points(site), cache.clone())));
    }
    let mut found: Vec<Site> = kept.iter().map(|(site, ..)| *site).collect();
    found.sort_unstable();
    assert_eq!(found, existing, "{}: each site once", model.name());
    (logits, kept)
}

#[test]
fn every_point_patched_with_its_own_value_changes_nothing() {
    for model in models() {
        let (logits, own) = everything(&model, &[&FIRST, &SECOND]);
        let (_, other) = everything(&model, &[&SECOND, &FIRST]);
        for ((site, points, own), (_, _, other)) in own.iter().zip(&other) {
            let run = |cache: &ActivationCache| {
                let mut hooks = Hooks::new().patch(points.as_str(), cache, Slice::all());
                model.run_batch_with_hooks(&[&FIRST, &SECOND], Readout::All, &mut hooks).unwrap().0
            };
            close(points, &run(own), &logits, 2e-5);
            let moved = (run(other) - &logits).unwrap().abs().unwrap().max_all().unwrap();
            let same = *site == Site::PosEmbed;
            assert!(
                same || moved.to_scalar::<f32>().unwrap() > 1e-4,
                "{points}: another run's value changes nothing"
            );
        }
    }
}

/// Reads a text in steps of these sizes.
fn in_steps(model: &Model, sizes: &[usize], hooks: &mut Hooks<'_>) -> Result<Tensor, RunError> {
    let mut session: Session<'_> = model.session();
    let mut logits = Err(RunError::Input("no step".to_owned()));
    let mut rest = &FIRST[..];
    for size in sizes {
        let (step, later) = rest.split_at(*size);
        logits = session.read_with_hooks(step, hooks).map(|(logits, _)| logits);
        logits.as_ref().map_err(|error| RunError::Input(error.to_string()))?;
        rest = later;
    }
    assert!(rest.is_empty());
    logits
}

#[test]
fn interventions_in_steps_are_those_of_the_whole_run() {
    let cases: [fn(&ActivationCache, usize) -> Hooks<'static>; 9] = [
        |_, _| Hooks::new().zero("z1", Slice::head(1).and(Slice::position(5))),
        |_, _| Hooks::new().zero("z0, post1", Slice::positions([2, 4])),
        |_, width| {
            let direction = Tensor::arange(0.0_f32, width as f32, &Device::Cpu).unwrap();
            Hooks::new().steer("resid_pre1", &direction, 0.1, Slice::positions_from(3))
        },
        |_, _| Hooks::new().knock_out("blocks.*.attn.hook_attn_scores", Edges::between([1, 2], [4, 6])),
        |other, _| Hooks::new().patch("resid_pre1", other, Slice::positions([1, 5])),
        |other, _| Hooks::new().patch("pattern1, attn_scores0", other, Slice::head(2)),
        |other, _| Hooks::new().patch("k0, v1", other, Slice::positions([0, 4, 6])),
        |other, _| Hooks::new().mean("mlp_out1", Mean::over(other), Slice::all()),
        |other, _| Hooks::new().patch("unembed.hook_in", other, Slice::positions([6])),
    ];
    for model in models() {
        let (_, other) = model.run_with_cache(&SECOND, Filter::all()).unwrap();
        let plain = model.run_batch(&[&FIRST], Readout::Last).unwrap();
        for (case, hooks) in cases.iter().enumerate() {
            let mut whole = hooks(&other, model.config().d_model);
            let (expected, _) = model.run_batch_with_hooks(&[&FIRST], Readout::Last, &mut whole).unwrap();
            let moved = (&expected - &plain).unwrap().abs().unwrap().max_all().unwrap();
            assert!(moved.to_scalar::<f32>().unwrap() > 1e-4, "case {case} of {}", model.name());
            for sizes in [&[7][..], &[4, 1, 1, 1], &[1, 2, 4], &[5, 2]] {
                let found = in_steps(&model, sizes, &mut hooks(&other, model.config().d_model)).unwrap();
                let what = format!("case {case} of {} in steps {sizes:?}", model.name());
                close(&what, &found, &expected, 2e-4);
            }
        }
    }
}

#[test]
fn each_point_of_a_session_patched_with_its_own_value_changes_nothing() {
    for model in models() {
        let (logits, kept) = everything(&model, &[&FIRST]);
        let last = logits.narrow(1, FIRST.len() - 1, 1).unwrap();
        for (_, points, cache) in &kept {
            let mut hooks = Hooks::new().patch(points.as_str(), cache, Slice::all());
            let found = in_steps(&model, &[3, 1, 2, 1], &mut hooks).unwrap();
            close(&format!("{points} of {}", model.name()), &found, &last, 2e-4);
        }
    }
}

#[test]
fn later_steps_go_on_after_a_patched_prompt() {
    let model = model("llama");
    let (_, other) = model.run_with_cache(&SECOND[..4], "resid_pre1").unwrap();
    let mut hooks = Hooks::new().patch("resid_pre1", &other, Slice::all());
    let found = in_steps(&model, &[4, 1, 2], &mut hooks).unwrap();
    let mut whole = Hooks::new().patch("resid_pre1", &other, Slice::positions(0..4));
    let (expected, _) = model.run_batch_with_hooks(&[&FIRST], Readout::Last, &mut whole).unwrap();
    close("prompt", &found, &expected, 2e-4);
    let error = in_steps(&model, &[5, 2], &mut Hooks::new().patch("resid_pre1", &other, Slice::all()));
    assert!(error.unwrap_err().to_string().contains("but not 4"));
}

#[test]
fn hooks_know_which_positions_they_look_at() {
    let model = model("gpt2");
    let mut seen = Vec::new();
    let mut hooks = Hooks::new().read("resid_pre0, hook_unembed", |moment, value| {
        seen.push((moment.point.site(), moment.start, moment.end, value.dim(1)?));
        Ok(())
    });
    let mut session = model.session();
    session.read_with_hooks(&FIRST[..4], &mut hooks).unwrap();
    session.read_with_hooks(&FIRST[4..6], &mut hooks).unwrap();
    model.run_batch_with_hooks(&[&FIRST], Readout::Last, &mut hooks).unwrap();
    model.run_with_hooks(&FIRST, &mut hooks).unwrap();
    drop(hooks);
    let (stream, logits) = (Site::ResidPre, Site::Unembed);
    assert_eq!(
        seen,
        [
            (stream, 0, None, 4),
            (logits, 3, None, 1),
            (stream, 4, None, 2),
            (logits, 5, None, 1),
            (stream, 0, Some(7), 7),
            (logits, 6, Some(7), 1),
            (stream, 0, Some(7), 7),
            (logits, 0, Some(7), 7),
        ]
    );
}

#[test]
fn interventions_are_live_in_the_steps_of_a_generation() {
    let model = Induction::model().unwrap();
    let mut towards_k = vec![0.0_f32; model.config().d_model];
    towards_k[Induction::NEXT.start + 11] = 1.0;
    let towards_k = Tensor::new(towards_k.as_slice(), &Device::Cpu).unwrap();
    let check = |hooks: Hooks<'_>, expected: &str| {
        // Half as strong as an occurrence, k is said where there is none.
        let mut hooks = hooks.steer("resid_post1", &towards_k, 0.5, Slice::all());
        let generator = model.generator().stop(Stop::after(5));
        let answer = generator.run_with("d a b c a", &mut hooks, |_| ControlFlow::Continue(())).unwrap();
        let words: Vec<String> =
            answer.ids().iter().map(|id| model.tokenizer().unwrap().id_to_token(*id).unwrap()).collect();
        assert_eq!(words.join(" "), expected);
    };
    // Positions 0 to 5 are the prompt's: <bos> d a b c a. Position 6 is the b that is written first.
    let circuit = || Slice::head(Induction::INDUCTION_HEAD.1);
    check(Hooks::new(), "b c a b c");
    check(Hooks::new().zero("z1", circuit().and(Slice::position(6))), "b k k k k");
    check(Hooks::new().zero("z1", circuit().and(Slice::position(7))), "b c k k k");
    check(Hooks::new().zero("z1", Slice::head(0).and(Slice::positions_from(5))), "b c a b c");
    check(Hooks::new().steer("resid_post1", &towards_k, 2.0, Slice::position(9)), "b c a b k");
    check(Hooks::new().knock_out("attn_scores1", Edges::one(4, 6)), "b k k k k");
    check(Hooks::new().knock_out("attn_scores1", Edges::one(4, 7)), "b c a b c");
}
