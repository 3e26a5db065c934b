//! Whether two models are versions of one.

use serde::Serialize;

use super::error::DiffError;
use crate::model::{Config, Model};

/// A setting of config.json in which two models of the same shape differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// Its name.
    pub name: &'static str,
    /// The older model's.
    pub before: String,
    /// The newer model's.
    pub after: String,
}

/// Refuses models of different shapes or tokenizers; tells the settings that differ otherwise.
pub(super) fn check(before: &Model, after: &Model) -> Result<Vec<SettingChange>, DiffError> {
    let different = differences(before.config(), after.config(), shape);
    if !different.is_empty() {
        let told =
            different.iter().map(|change| format!("{} {} and {}", change.name, change.before, change.after));
        return Err(DiffError::Shape {
            before: before.name().to_owned(),
            after: after.name().to_owned(),
            differences: told.collect::<Vec<_>>().join(", "),
        });
    }
    if let Some(problem) = tokenizers(before, after) {
        let (before, after) = (before.name().to_owned(), after.name().to_owned());
        return Err(DiffError::Tokenizer { before, after, problem });
    }
    Ok(differences(before.config(), after.config(), settings))
}

type Named = Vec<(&'static str, String)>;

fn differences(before: &Config, after: &Config, named: fn(&Config) -> Named) -> Vec<SettingChange> {
    let pairs = named(before).into_iter().zip(named(after));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| SettingChange { name, before, after })
        .collect()
}

/// What must be the same.
fn shape(config: &Config) -> Named {
    vec![
        ("family", config.family.clone()),
        ("layers", config.layers.to_string()),
        ("d_model", config.d_model.to_string()),
        ("d_mlp", config.d_mlp.to_string()),
        ("heads", config.heads.to_string()),
        ("kv_heads", config.kv_heads.to_string()),
        ("head_dim", config.head_dim.to_string()),
        ("vocab", config.vocab.to_string()),
        ("norm", format!("{:?}", config.norm)),
        ("mlp", format!("{:?}", config.mlp)),
        ("residual", format!("{:?}", config.residual)),
        ("post_norms", config.post_norms.to_string()),
        ("qk_norm", config.qk_norm.to_string()),
    ]
}

/// What may differ, and is told.
fn settings(config: &Config) -> Named {
    let windows: Vec<String> = config
        .windows
        .iter()
        .map(|window| window.map_or("all".to_owned(), |size| size.to_string()))
        .collect();
    vec![
        ("context", config.context.to_string()),
        ("epsilon", format!("{:e}", config.epsilon)),
        ("activation", format!("{:?}", config.activation)),
        ("positions", format!("{:?}", config.positions)),
        ("attention_scale", config.attention_scale.to_string()),
        ("attention_softcap", format!("{:?}", config.attention_softcap)),
        ("logit_softcap", format!("{:?}", config.logit_softcap)),
        ("embed_scale", format!("{:?}", config.embed_scale)),
        ("windows", windows.join(" ")),
    ]
}

/// What the tokenizers differ in.
fn tokenizers(before: &Model, after: &Model) -> Option<String> {
    let (Some(old), Some(new)) = (before.tokenizer(), after.tokenizer()) else {
        return (before.tokenizer().is_some() != after.tokenizer().is_some())
            .then(|| "one has no tokenizer.json".to_owned());
    };
    let (old, new) = (old.get_vocab(true), new.get_vocab(true));
    let moved = old.iter().filter(|(token, id)| new.get(*token) != Some(*id)).min();
    let more = new.keys().filter(|token| !old.contains_key(*token)).min();
    match (moved, more) {
        (Some((token, id)), _) => Some(match new.get(token) {
            Some(other) => format!("token {token:?} is {id} and {other}"),
            None => format!("only the first has token {token:?}"),
        }),
        (None, Some(token)) => Some(format!("only the second has token {token:?}")),
        (None, None) => None,
    }
}
