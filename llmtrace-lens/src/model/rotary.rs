//! The frequencies of rotary position embeddings (Su et al. 2021), with the scalings that config.json can ask for.

pub(crate) use super::config::Rotary;
use super::fields::Fields;
use crate::error::LoadError;

/// What holds where config.json does not say.
#[derive(Clone, Copy)]
pub(crate) struct Defaults {
    pub(crate) head_dim: usize,
    pub(crate) theta: f64,
    /// The share of a head's dimensions that is rotated.
    pub(crate) partial: f64,
    /// Positions that the model was made for.
    pub(crate) context: usize,
}

/// The largest head that is rotated: many times that of any model, and small enough for a table in every block.
const LARGEST_HEAD: usize = 4096;

/// The rotation of a model: `rope_parameters` as transformers 5 writes it, else the fields of files before it.
pub(crate) fn read(fields: &Fields<'_>, defaults: &Defaults) -> Result<Rotary, LoadError> {
    let theta = fields.positive(&["rotary_emb_base", "rope_theta"])?.unwrap_or(defaults.theta);
    let partial = fields.share(&["rotary_pct", "partial_rotary_factor"])?.unwrap_or(defaults.partial);
    let defaults = Defaults { theta, partial, ..*defaults };
    let scaling = fields.object(&["rope_scaling"])?;
    match scaling.map_or_else(|| fields.object(&["rope_parameters"]), |scaling| Ok(Some(scaling)))? {
        Some(parameters) => read_parameters(&parameters, &defaults),
        None => plain(fields, &defaults),
    }
}

/// The rotation that one `rope_parameters` or `rope_scaling` states.
pub(crate) fn read_parameters(parameters: &Fields<'_>, defaults: &Defaults) -> Result<Rotary, LoadError> {
    let theta = parameters.positive(&["rope_theta"])?.unwrap_or(defaults.theta);
    let partial = parameters.share(&["partial_rotary_factor"])?.unwrap_or(defaults.partial);
    let defaults = Defaults { theta, partial, ..*defaults };
    let kinds = ["full_attention", "sliding_attention"];
    if parameters.value(&kinds).is_some() {
        return Err(parameters.wrong(&kinds, "is a rotation by kind of block, which this family has not"));
    }
    let mut rotary = plain(parameters, &defaults)?;
    let kind = ["rope_type", "type"];
    match parameters.text(&kind)?.unwrap_or("default") {
        "default" => {}
        "linear" => {
            let factor = needed(parameters, "factor")?;
            rotary.frequencies.iter_mut().for_each(|frequency| *frequency /= factor);
        }
        "llama3" => llama3(parameters, defaults.context, &mut rotary)?,
        other => {
            let problem = format!("is {other:?}, expected default, linear or llama3");
            return Err(parameters.wrong(&kind, &problem));
        }
    }
    finite(parameters, rotary)
}

/// `theta^(-2i/d)` for the first `d` dimensions of a head; an odd `d` is rounded up, as transformers does.
pub(crate) fn plain(fields: &Fields<'_>, defaults: &Defaults) -> Result<Rotary, LoadError> {
    let Defaults { head_dim, theta, partial, .. } = *defaults;
    if head_dim > LARGEST_HEAD {
        let problem = format!("is {head_dim}, expected at most {LARGEST_HEAD}");
        return Err(fields.wrong(&["head_dim"], &problem));
    }
    let rotated = (head_dim as f64 * partial).floor();
    let pairs = (rotated / 2.0).ceil();
    if pairs == 0.0 || 2.0 * pairs > head_dim as f64 {
        let problem =
            format!("is {partial}: {rotated} of {head_dim} dimensions of a head cannot be rotated in pairs");
        return Err(fields.wrong(&["partial_rotary_factor", "rotary_pct"], &problem));
    }
    let frequency = |pair: usize| theta.powf(-2.0 * pair as f64 / rotated);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most half of a head's size"
    )]
    let frequencies = (0..pairs as usize).map(frequency).collect();
    finite(fields, Rotary { frequencies, scale: 1.0 })
}

fn finite(fields: &Fields<'_>, rotary: Rotary) -> Result<Rotary, LoadError> {
    if rotary.frequencies.iter().all(|frequency| *frequency <= f64::from(f32::MAX)) {
        return Ok(rotary);
    }
    Err(fields.wrong(&["rope_theta"], "and its scaling give a frequency that is no number"))
}

/// Llama 3.1: long wavelengths are stretched by the factor, those between are blended (transformers, `modeling_rope_utils.py`).
fn llama3(parameters: &Fields<'_>, context: usize, rotary: &mut Rotary) -> Result<(), LoadError> {
    let factor = needed(parameters, "factor")?;
    let (low, high) = (needed(parameters, "low_freq_factor")?, needed(parameters, "high_freq_factor")?);
    let context = parameters.positive(&["original_max_position_embeddings"])?.unwrap_or(context as f64);
    if high <= low {
        return Err(parameters
            .wrong(&["high_freq_factor"], &format!("is {high}, expected more than low_freq_factor, {low}")));
    }
    for frequency in &mut rotary.frequencies {
        let wavelength = std::f64::consts::TAU / *frequency;
        let share = ((context / wavelength - low) / (high - low)).clamp(0.0, 1.0);
        *frequency = (1.0 - share) * *frequency / factor + share * *frequency;
    }
    Ok(())
}

fn needed(parameters: &Fields<'_>, name: &str) -> Result<f64, LoadError> {
    parameters.positive(&[name])?.ok_or_else(|| parameters.wrong(&[name], "of the rotation is missing"))
}
