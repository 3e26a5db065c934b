//! Arguments of a function call that come in pieces: Vertex AI's `partialArgs`
//! (<https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling>).

use serde_json::{Map, Value};

use super::fold::{Room, child};
use super::gemini::{field, text_of};

/// Longest path to an argument, in steps.
const MAX_STEPS: usize = 32;

/// A step on the way to an argument.
enum Step {
    Field(String),
    Element(usize),
}

/// Lays pieces over the `args` of a function call: texts are appended, other values replace. A piece whose path
/// cannot be read is passed over.
pub(super) fn extend(call: &mut Value, pieces: &[Value], room: &mut Room) {
    for piece in pieces {
        let Some(steps) = text_of(piece, "jsonPath").and_then(steps) else { continue };
        let Some(target) = at(child(call, "args"), steps, room) else { continue };
        if let Some(text) = field(piece, "stringValue").and_then(Value::as_str) {
            room.append(target, text);
        } else if let Some(value) = ["numberValue", "boolValue"].iter().find_map(|name| field(piece, name)) {
            room.put(target, value);
        }
    }
}

/// The place that `steps` lead to; it is made where it is not there yet and there is room.
fn at<'a>(args: &'a mut Value, steps: Vec<Step>, room: &mut Room) -> Option<&'a mut Value> {
    let mut place = args;
    for step in steps {
        place = match step {
            Step::Field(name) => {
                if !place.is_object() {
                    room.put(place, &Value::Object(Map::new()));
                }
                let fields = place.as_object_mut()?;
                if !fields.contains_key(&name) {
                    room.copy(&Value::String(name.clone()))?;
                }
                fields.entry(name).or_insert(Value::Null)
            }
            Step::Element(index) => {
                let len = place.as_array().map_or(0, Vec::len);
                // Elements come in order; one far beyond the end is none.
                if index > len {
                    return None;
                }
                if index == len {
                    room.push(place, Value::Null)?
                } else {
                    place.as_array_mut()?.get_mut(index)?
                }
            }
        };
    }
    Some(place)
}

/// The steps of a path such as `$.order.items[0]['name']`, after the dollar sign (RFC 9535).
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == MAX_STEPS {
            return None;
        }
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, tail) = name.split_at(end);
            (!name.is_empty()).then(|| steps.push(Step::Field(name.to_owned())))?;
            rest = tail;
            continue;
        }
        let selector = rest.strip_prefix('[')?;
        if let Some(quote) = selector.chars().next().filter(|first| ['\'', '"'].contains(first)) {
            let (name, tail) = selector.strip_prefix(quote)?.split_once(quote)?;
            steps.push(Step::Field(name.to_owned()));
            rest = tail.strip_prefix(']')?;
        } else {
            let (index, tail) = selector.split_once(']')?;
            steps.push(Step::Element(index.parse().ok()?));
            rest = tail;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read_or_refused() {
        let check = |path: &str, expected: Option<&str>| {
            let shown = steps(path).map(|steps| {
                let show = |step: &Step| match step {
                    Step::Field(name) => format!("<{name}>"),
                    Step::Element(index) => format!("[{index}]"),
                };
                steps.iter().map(show).collect::<String>()
            });
            assert_eq!(shown.as_deref(), expected, "{path}");
        };
        check("$", Some(""));
        check("$.a", Some("<a>"));
        check("$.a.b[0].c", Some("<a><b>[0]<c>"));
        check("$['a b'][\"c.d\"][12]", Some("<a b><c.d>[12]"));
        check("a", None);
        check("$.", None);
        check("$a", None);
        check("$[-1]", None);
        check("$[*]", None);
        check("$['a", None);
        check(&format!("${}", ".a".repeat(MAX_STEPS + 1)), None);
    }

    #[test]
    fn pieces_become_arguments() {
        let mut call = json!({"name": "order"});
        let pieces = json!([
            {"jsonPath": "$.items[0].name", "stringValue": "Te", "willContinue": true},
            {"json_path": "$.items[0].name", "string_value": "a"},
            {"jsonPath": "$.items[0].count", "numberValue": 2.0},
            {"jsonPath": "$.items[7]", "numberValue": 1.0},
            {"jsonPath": "$.hot", "boolValue": true},
            {"jsonPath": "$.note", "nullValue": "NULL_VALUE"},
            {"jsonPath": "note", "stringValue": "x"},
        ]);
        extend(&mut call, pieces.as_array().unwrap(), &mut Room::default());
        let args = json!({"items": [{"name": "Tea", "count": 2.0}], "hot": true, "note": null});
        assert_eq!(call, json!({"name": "order", "args": args}));
    }
}
