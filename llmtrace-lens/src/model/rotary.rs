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
}

/// The rotation of a model: `rope_parameters` as transformers 5 writes it, else the fields of files before it.
pub(crate) fn read(fields: &Fields<'_>, defaults: &Defaults) -> Result<Rotary, LoadError> {
    if let Some(parameters) = fields.object(&["rope_parameters"]) {
        return read_parameters(&parameters, defaults);
    }
    let theta = fields.number(&["rope_theta", "rotary_emb_base"])?.unwrap_or(defaults.theta);
    let partial = fields.number(&["partial_rotary_factor", "rotary_pct"])?.unwrap_or(defaults.partial);
    let defaults = Defaults { theta, partial, ..*defaults };
    match fields.object(&["rope_scaling"]) {
        Some(scaling) => read_parameters(&scaling, &defaults),
        None => checked(fields, &defaults).map(|()| plain(&defaults)),
    }
}

/// The rotation that one `rope_parameters` or `rope_scaling` states.
pub(crate) fn read_parameters(parameters: &Fields<'_>, defaults: &Defaults) -> Result<Rotary, LoadError> {
    let theta = parameters.number(&["rope_theta"])?.unwrap_or(defaults.theta);
    let partial = parameters.number(&["partial_rotary_factor"])?.unwrap_or(defaults.partial);
    let defaults = Defaults { theta, partial, ..*defaults };
    checked(parameters, &defaults)?;
    let mut rotary = plain(&defaults);
    let factor = || -> Result<f64, LoadError> {
        parameters
            .number(&["factor"])?
            .filter(|factor| *factor > 0.0)
            .ok_or_else(|| parameters.wrong(&["factor"], "of rope scaling is missing or not above 0"))
    };
    match parameters.text(&["rope_type", "type"]).unwrap_or("default") {
        "default" => {}
        "linear" => {
            let factor = factor()?;
            rotary.frequencies.iter_mut().for_each(|frequency| *frequency /= factor);
        }
        "llama3" => llama3(parameters, factor()?, &mut rotary)?,
        other => {
            return Err(parameters
                .wrong(&["rope_type", "type"], &format!("is {other:?}; known: default, linear, llama3")));
        }
    }
    Ok(rotary)
}

/// `theta^(-2i/d)` for the first `d` dimensions of a head.
pub(crate) fn plain(defaults: &Defaults) -> Rotary {
    let pairs = ((defaults.head_dim as f64 * defaults.partial) / 2.0).floor();
    let frequency = |pair: usize| defaults.theta.powf(-(pair as f64) / pairs);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most half of a head's size"
    )]
    Rotary { frequencies: (0..pairs as usize).map(frequency).collect(), scale: 1.0 }
}

fn checked(fields: &Fields<'_>, defaults: &Defaults) -> Result<(), LoadError> {
    if defaults.theta <= 0.0 {
        return Err(
            fields.wrong(&["rope_theta"], &format!("is {}, expected a number above 0", defaults.theta))
        );
    }
    if !(0.0..=1.0).contains(&defaults.partial) {
        return Err(fields.wrong(
            &["partial_rotary_factor"],
            &format!("is {}, expected a number from 0 to 1", defaults.partial),
        ));
    }
    Ok(())
}

/// Llama 3.1: long wavelengths are stretched by the factor, those between are blended (transformers, `modeling_rope_utils.py`).
fn llama3(parameters: &Fields<'_>, factor: f64, rotary: &mut Rotary) -> Result<(), LoadError> {
    let need = |name: &str| {
        parameters
            .number(&[name])?
            .filter(|value| *value > 0.0)
            .ok_or_else(|| parameters.wrong(&[name], "of rope type llama3 is missing or not above 0"))
    };
    let (low, high) = (need("low_freq_factor")?, need("high_freq_factor")?);
    let context = need("original_max_position_embeddings")?;
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
