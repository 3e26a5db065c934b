//! Patching the toy that answers with the capital of a city's state: what torch computes of it, and the flip that it was made to show.

use llmtrace_lens::patching::{Along, CausalTrace, Metric, Patching};
use llmtrace_lens::{Hooks, Model, Readout, Site, Slice};

use crate::support::{toy_prompt, toys};

fn id(model: &Model, word: &str) -> u32 {
    model.tokenizer().unwrap().token_to_id(word).unwrap()
}

#[test]
fn every_patch_of_oakland_into_dallas_is_what_torch_computes() {
    for (model, expected) in toys() {
        let metric = Metric::logit_difference(id(&model, "Sacramento"), id(&model, "Austin"));
        for (from, to) in [("oakland", "dallas"), ("dallas", "oakland")] {
            let ids = |name: &str| -> Vec<u32> {
                serde_json::from_value(expected["patch"][format!("{name}_ids")].clone()).unwrap()
            };
            let (clean, corrupted) = (ids(from), ids(to));
            let mut patching = Patching::new(&model, &clean, &corrupted, metric.clone()).unwrap();
            for (site, along, golden) in [
                (Site::ResidPre, Along::Positions, "resid_pre"),
                (Site::AttnOut, Along::Positions, "attn_out"),
                (Site::MlpOut, Along::Positions, "mlp_out"),
                (Site::Z, Along::Heads, "z_all_positions"),
            ] {
                let sweep = patching.sweep(site, along).unwrap();
                let rows = &expected["patch"][format!("{from}_into_{to}")][golden];
                let rows: Vec<Vec<f64>> = serde_json::from_value(rows.clone()).unwrap();
                assert_eq!(sweep.shape(), [rows.len(), rows[0].len()], "{golden}");
                for (at, (found, expected)) in sweep.values.iter().zip(rows.concat()).enumerate() {
                    assert!(
                        (found - expected).abs() < 1e-3,
                        "{golden}[{at}] is {found}, expected {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn oaklands_stream_at_the_city_turns_austin_into_sacramento() {
    for (model, _) in toys() {
        let [dallas, oakland] = ["Dallas", "Oakland"].map(|city| toy_prompt(&model, city));
        let city = (0..dallas.len()).find(|at| dallas[*at] != oakland[*at]).unwrap();
        let says = |hooks: &mut Hooks<'_>| {
            let (logits, _) = model.run_batch_with_hooks(&[&dallas], Readout::Last, hooks).unwrap();
            let best = logits.flatten_all().unwrap().argmax(0).unwrap().to_scalar::<u32>().unwrap();
            model.tokenizer().unwrap().id_to_token(best).unwrap()
        };
        let (_, cache) = model.run_with_cache(&oakland, "blocks.*.hook_resid_pre").unwrap();
        let patched = |point: &str, position: usize| {
            says(&mut Hooks::new().patch(point, &cache, Slice::position(position)))
        };
        assert_eq!(says(&mut Hooks::new()), "Austin");
        assert_eq!(patched("resid_pre0", city), "Sacramento");
        assert_eq!(patched("resid_pre0", city - 1), "Austin");
        assert_eq!(patched("resid_pre2", dallas.len() - 1), "Sacramento");
        assert_eq!(patched("resid_pre2", city), "Austin");
    }
}

#[test]
fn a_causal_trace_leads_from_the_city_to_the_last_word() {
    for (model, _) in toys() {
        let dallas = toy_prompt(&model, "Dallas");
        let (city, last) = (dallas.len() - 2, dallas.len() - 1);
        let metric = Metric::probability(id(&model, "Austin"));
        let mut trace = CausalTrace::new(&model, &dallas, [city], metric).samples(8);
        let sweep = trace.restore(Site::ResidPre).unwrap();
        assert!(sweep.corrupted < 0.5 * sweep.clean, "{} of {}", sweep.corrupted, sweep.clean);
        let share = |layer, position| sweep.at(&[layer, position]).unwrap();
        assert!((share(0, city) - 1.0).abs() < 1e-4 && share(0, last).abs() < 1e-4);
        assert!(share(2, last) > 0.9 && share(2, city) < 0.1, "{:?}", sweep.recovered);
    }
}
