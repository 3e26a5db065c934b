//! What holds for every page and fragment.

use std::collections::HashSet;

/// The page holds nothing that the content security policy forbids, its ids are unique, its tags are closed and its
/// headings skip no level.
pub(crate) fn assert_sound(page: &str) {
    let (mut ids, mut open, mut level) = (HashSet::new(), Vec::new(), 0);
    for tag in tags(page) {
        if let Some(name) = tag.name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closes what is not open: {tag:?}");
            continue;
        }
        for (name, value) in &tag.attributes {
            assert!(name != "style" && !name.starts_with("on"), "{name} is forbidden: {tag:?}");
            assert!(name != "id" || ids.insert(value.clone()), "the id {value:?} stands twice");
            let links = ["href", "src", "action", "formaction"].contains(&name.as_str());
            let safe = value.is_empty()
                || value.starts_with(['/', '?', '#'])
                || (value.starts_with("data:image/svg+xml,") && tag.name == "link")
                || (value.starts_with("http") && tag.attribute("rel").contains("noopener"));
            assert!(!links || safe, "a link to {value:?}");
        }
        assert!(tag.name != "style", "no style stands in a page");
        assert!(tag.name != "script" || !tag.attribute("src").is_empty(), "no script stands in a page");
        if let Some(found) = tag.name.strip_prefix('h').and_then(|level| level.parse::<u32>().ok()) {
            assert!(found <= level + 1 || level == 0, "h{found} follows h{level}");
            level = found;
        }
        if !tag.closed && !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

const VOID: [&str; 8] = ["!DOCTYPE", "meta", "link", "input", "br", "hr", "img", "wbr"];

#[derive(Debug)]
struct Tag {
    name: String,
    /// Whether it closes itself, as symbols of the sprite do.
    closed: bool,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// The tags of what maud wrote: attributes are in double quotes, comments do not occur.
fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut quoted = false;
        let end = rest.find(|char| {
            quoted ^= char == '"';
            char == '>' && !quoted
        });
        let (inside, after) = rest.split_at(end.expect("a tag ends"));
        rest = after;
        let closed = inside.ends_with('/');
        let inside = inside.trim_end_matches('/');
        let (name, mut left) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let mut attributes = Vec::new();
        while let Some(start) = left.find(|char: char| !char.is_whitespace()) {
            left = &left[start..];
            let end = left.find(['=', ' ', '\n']).unwrap_or(left.len());
            let (name, after) = left.split_at(end);
            let (value, after) = match after.strip_prefix("=\"") {
                Some(value) => value.split_once('"').expect("a value ends"),
                None => ("", after),
            };
            attributes.push((name.to_owned(), value.to_owned()));
            left = after;
        }
        tags.push(Tag { name: name.to_owned(), closed, attributes });
    }
    tags
}
