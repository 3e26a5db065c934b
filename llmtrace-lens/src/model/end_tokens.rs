//! The tokens with which a model ends its answers.

use std::path::Path;

use serde_json::Value;

use super::fields::Fields;
use super::json_file;
use crate::error::LoadError;

/// `eos_token_id` of `generation_config.json`, where a folder has one and that names any.
pub(super) fn of_folder(folder: &Path) -> Result<Option<Vec<u32>>, LoadError> {
    let path = folder.join("generation_config.json");
    if !path.exists() {
        return Ok(None);
    }
    let values = json_file::read(&path)?;
    let values = values
        .as_object()
        .ok_or_else(|| LoadError::Format { path: path.clone(), problem: "is no JSON object".to_owned() })?;
    let found = of_config(&Fields::new(&path, values))?;
    Ok((!found.is_empty()).then_some(found))
}

/// `eos_token_id` of `config.json`: a number or several; none where it says none.
pub(super) fn of_config(fields: &Fields<'_>) -> Result<Vec<u32>, LoadError> {
    let name = ["eos_token_id"];
    let wrong = |value: &Value| fields.unexpected(&name, value, "a token id or a list of them");
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok()).ok_or_else(|| wrong(value));
    match fields.value(&name) {
        None => Ok(Vec::new()),
        Some(Value::Array(ids)) => ids.iter().map(id).collect(),
        Some(value) => Ok(vec![id(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generation_config_goes_before_the_config() {
        let check = |generation: Option<&str>, config: &str, expected: Result<&[u32], &str>| {
            let folder = tempfile::tempdir().unwrap();
            if let Some(text) = generation {
                std::fs::write(folder.path().join("generation_config.json"), text).unwrap();
            }
            let values: Value = serde_json::from_str(config).unwrap();
            let path = folder.path().join("config.json");
            let fields = Fields::new(&path, values.as_object().unwrap());
            let found =
                of_folder(folder.path()).and_then(|found| found.map_or_else(|| of_config(&fields), Ok));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{generation:?} {config}"),
                (Err(error), Err(expected)) => assert!(error.to_string().ends_with(expected), "{error}"),
                (found, _) => panic!("{found:?} for {generation:?} {config}"),
            }
        };
        check(None, "{}", Ok(&[]));
        check(None, r#"{"eos_token_id":null}"#, Ok(&[]));
        check(None, r#"{"eos_token_id":5}"#, Ok(&[5]));
        check(Some("{}"), r#"{"eos_token_id":[5]}"#, Ok(&[5]));
        check(Some(r#"{"eos_token_id":[1,2]}"#), r#"{"eos_token_id":5}"#, Ok(&[1, 2]));
        check(
            Some("["),
            "{}",
            Err("generation_config.json: is no JSON: EOF while parsing a list at line 1 column 1"),
        );
        check(Some("[]"), "{}", Err("generation_config.json: is no JSON object"));
        let expected = r#"config.json: "eos_token_id" is -1, expected a token id or a list of them"#;
        check(None, r#"{"eos_token_id":-1}"#, Err(expected));
        check(None, r#"{"eos_token_id":[2,-1]}"#, Err(expected));
    }
}
