//! Gradients of every family against torch's and against candle's autograd on the same forward pass.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{D, DType, Device, Tensor, Var};
use llmtrace_lens::gradient::{Gradient, Target};
use llmtrace_lens::{Filter, HookPoint, Hooks, Model, Readout, RunError};

use crate::support::{golden_models, ids, tensors};

fn expected(folder: &Path) -> HashMap<String, Tensor> {
    tensors(folder.join("expected.safetensors"))
}

/// Within `tolerance` of the greatest expected value.
#[track_caller]
fn close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let [found, expected]: [Vec<f64>; 2] = [found, expected]
        .map(|tensor| tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap());
    let greatest = expected.iter().fold(0.0_f64, |greatest, value| greatest.max(value.abs()));
    assert!(greatest > 0.0, "{what} is nothing");
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * greatest,
            "{what}[{at}] is {found}, expected {expected}; greatest {greatest}"
        );
    }
}

/// What a target reads of logits `[b, t, V]`, written so that candle can differentiate it.
fn score(logits: &Tensor, target: &Target, prompt: usize) -> Tensor {
    let token = |row: &Tensor, token: u32| row.narrow(D::Minus1, token as usize, 1).unwrap();
    let row = |at: usize| logits.narrow(1, at, 1).unwrap();
    let log = |row: &Tensor, of: u32| {
        let greatest = row.max_keepdim(D::Minus1).unwrap();
        let sum = row.broadcast_sub(&greatest).unwrap().exp().unwrap().sum_keepdim(D::Minus1).unwrap();
        (token(row, of) - (sum.log().unwrap() + greatest).unwrap()).unwrap()
    };
    let last = row(prompt - 1);
    let found = match target {
        target if *target == Target::logit(7) => token(&last, 7),
        target if *target == Target::logit_difference(7, 9) => (token(&last, 7) - token(&last, 9)).unwrap(),
        target if *target == Target::log_probability(7) => log(&last, 7),
        target if *target == Target::log_probability(7).at(1) => log(&row(1), 7),
        target if *target == Target::continuation(&[7, 9, 3]) => {
            ((log(&last, 7) + log(&row(prompt), 9)).unwrap() + log(&row(prompt + 1), 3)).unwrap()
        }
        other => panic!("{other}"),
    };
    found.flatten_all().unwrap()
}

#[test]
fn the_gradient_by_the_embeddings_is_that_of_torch() {
    for folder in golden_models() {
        let model = Model::load(&folder).unwrap();
        let values = expected(&folder);
        let Some(golden) = values.get("prompt.grad_top_logit_wrt_inputs_embeds") else { continue };
        let tokens = ids(&values["prompt.input_ids"]);
        let logits = model.run_batch(&[&tokens], Readout::Last).unwrap().flatten_all().unwrap();
        let top = logits.argmax(0).unwrap().to_scalar::<u32>().unwrap();
        let gradient = model.gradient(&tokens, &Target::logit(top)).unwrap();
        let what = folder.display().to_string();
        // Gemma 2's softcap leaves gradients of 1e-4, which torch too has in f32.
        close(&what, gradient.embeddings(), golden, 3e-5);
        let value = f64::from(logits.to_vec1::<f32>().unwrap()[top as usize]);
        assert!((gradient.values()[0] - value).abs() < 1e-5, "{what}: {:?}, {value}", gradient.values());
    }
}

#[test]
fn the_gradient_at_every_hook_point_is_that_of_autograd() {
    let targets = [
        Target::logit(7),
        Target::logit_difference(7, 9),
        Target::log_probability(7),
        Target::log_probability(7).at(1),
        Target::continuation(&[7, 9, 3]),
    ];
    for folder in golden_models() {
        let model = Model::load(&folder).unwrap();
        let long = ids(&expected(&folder)["long.input_ids"]);
        let prompts = [&long[..12], &long[10..22]];
        for target in &targets {
            let mut inputs: Vec<Vec<u32>> = prompts.iter().map(|prompt| prompt.to_vec()).collect();
            if *target == targets[4] {
                for input in &mut inputs {
                    input.extend([7, 9]);
                }
            }
            // A variable of zeros is added to the value at each point: its gradient is that of the value.
            let mut variables: Vec<(HookPoint, Var)> = Vec::new();
            let mut hooks = Hooks::new().on(Filter::all(), |moment, value| {
                let variable = Var::zeros(value.shape(), value.dtype(), value.device())?;
                let moved = (value + variable.as_tensor())?;
                variables.push((moment.point, variable));
                Ok(Some(moved))
            });
            let inputs: Vec<&[u32]> = inputs.iter().map(Vec::as_slice).collect();
            let (logits, _) = model.run_batch_with_hooks(&inputs, Readout::All, &mut hooks).unwrap();
            drop(hooks);
            let score = score(&logits, target, 12);
            let oracle = score.sum_all().unwrap().backward().unwrap();
            let gradient = model.gradient_at(&prompts[..], target, Filter::all()).unwrap();
            let what = |name: &str| format!("{} {target} {name}", folder.display());
            let values = Tensor::new(gradient.values(), &Device::Cpu).unwrap();
            close(&what("value"), &values, &score, 1e-5);
            assert_eq!(gradient.points().len(), variables.len());
            for (point, variable) in &variables {
                let found = gradient.points().at(*point).unwrap();
                let expected = oracle.get(variable.as_tensor()).unwrap();
                close(&what(&point.to_string()), found, expected, 1e-4);
            }
            let whole = gradient.points().get("hook_embed").unwrap().narrow(1, 0, 12).unwrap();
            close(&what("embeddings"), gradient.embeddings(), &whole, 0.0);
            let alone = model.gradient(prompts[1], target).unwrap();
            close(&what("alone"), alone.embeddings(), &whole.narrow(0, 1, 1).unwrap(), 1e-5);
            let embedded = model.embeddings(&prompts[..]).unwrap();
            let again = model.gradient(&embedded, target).unwrap();
            close(&what("embedded"), again.embeddings(), &whole, 1e-6);
        }
    }
}

#[test]
fn a_step_along_the_gradient_changes_the_value_as_it_says() {
    for folder in golden_models() {
        let model = Model::load(&folder).unwrap();
        let tokens = ids(&expected(&folder)["long.input_ids"]);
        let target = Target::log_probability(7);
        let embeddings = model.embeddings(&tokens).unwrap();
        let gradient = model.gradient(&tokens, &target).unwrap();
        let slope = gradient.embeddings().sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        let slope = f64::from(slope).sqrt();
        let step = 1e-2;
        let unit = (gradient.embeddings() / slope).unwrap();
        let value = |by: f64| {
            let moved = (&embeddings + (&unit * by).unwrap()).unwrap();
            model.gradient(&moved, &target).unwrap().values()[0]
        };
        let found = (value(step) - value(-step)) / (2.0 * step);
        assert!((found - slope).abs() < 5e-3 * slope, "{}: {found}, {slope}", folder.display());
    }
}

#[test]
fn what_cannot_be_differentiated_is_refused() {
    let model = Model::load(golden_models().remove(0)).unwrap();
    let check = |found: Result<Gradient, RunError>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    let vocab = model.config().vocab;
    let tokens = [1, 2, 3];
    check(
        model.gradient(&tokens, &Target::logit(99_999)),
        &format!("token 99999 is outside the vocabulary of {vocab} tokens"),
    );
    check(model.gradient(&tokens, &Target::logit(1).at(3)), "there is no position 3: the prompt has 3");
    check(model.gradient(&tokens, &Target::continuation(&[])), "the continuation has no token");
    check(
        model.gradient(&tokens, &Target::continuation(&[1]).at(0)),
        "a continuation follows the prompt: it has no position to choose",
    );
    check(model.gradient(&[] as &[u32; 0], &Target::logit(1)), "there is no token to run");
    check(
        model.gradient_at(&tokens, &Target::logit(1), "blocks.1.attn.hook_result"),
        "no gradient is computed at blocks.1.attn.hook_result",
    );
    let gpt2 =
        Model::load(golden_models().into_iter().find(|folder| folder.ends_with("gpt2")).unwrap()).unwrap();
    let (context, width) = (gpt2.config().context, gpt2.config().d_model);
    let long = Tensor::zeros((1, context + 1, width), DType::F32, &Device::Cpu).unwrap();
    check(
        gpt2.gradient(&long, &Target::logit(1)),
        &format!("{} positions are more than the {context} that the model has", context + 1),
    );
    let full = vec![1; context];
    check(
        gpt2.gradient(&full, &Target::continuation(&[1, 2])),
        &format!("{} positions are more than the {context} that the model has", context + 1),
    );
}
