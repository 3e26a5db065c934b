//! What was found in a text, and the text without it.

use regex::Regex;

/// What the marker of a masked text begins with.
pub(super) const MARK: &str = "[redacted:";

/// A part of a text that is to be masked, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Finding<'r> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: &'r str,
}

/// Everything that was found in a text.
#[derive(Debug, Default)]
pub(super) struct Findings<'r>(Vec<Finding<'r>>);

impl<'r> Findings<'r> {
    /// Adds a part. Of parts that overlap, the rule that was added first is named.
    pub(super) fn add(&mut self, start: usize, end: usize, rule: &'r str) {
        if start < end {
            self.0.push(Finding { start, end, rule });
        }
    }

    pub(super) fn first_rule(&self) -> Option<&'r str> {
        self.0.first().map(|finding| finding.rule)
    }

    /// The parts in order, none touching a marker or one that is allowed, those that overlap as one.
    pub(super) fn settle(mut self, text: &str, allowed: &[Regex]) -> Vec<Finding<'r>> {
        if self.0.is_empty() {
            return self.0;
        }
        for finding in &mut self.0 {
            // What is looked at is bounded in bytes, and may end inside a character.
            while !text.is_char_boundary(finding.start) {
                finding.start -= 1;
            }
            while finding.end < text.len() && !text.is_char_boundary(finding.end) {
                finding.end += 1;
            }
        }
        let is_allowed = |finding: &Finding<'_>| {
            let part = text.get(finding.start..finding.end);
            part.is_none_or(|part| allowed.iter().any(|pattern| pattern.is_match(part)))
        };
        self.0.retain(|finding| !is_allowed(finding));
        self.leave_markers(text);
        // The sort is stable, but a rule that was added first may start later: it keeps its number.
        let mut numbered: Vec<(usize, Finding<'r>)> = self.0.into_iter().enumerate().collect();
        numbered.sort_by_key(|(_, finding)| finding.start);
        let mut merged: Vec<(usize, Finding<'r>)> = Vec::with_capacity(numbered.len());
        for (number, finding) in numbered {
            match merged.last_mut().filter(|(_, last)| finding.start < last.end) {
                Some((of_last, last)) => {
                    last.end = last.end.max(finding.end);
                    if number < *of_last {
                        (*of_last, last.rule) = (number, finding.rule);
                    }
                }
                None => merged.push((number, finding)),
            }
        }
        merged.into_iter().map(|(_, finding)| finding).collect()
    }

    fn leave_markers(&mut self, text: &str) {
        let markers: Vec<(usize, usize)> = text
            .match_indices(MARK)
            .filter_map(|(at, _)| {
                let name = text.get(at + MARK.len()..)?;
                let len = name.bytes().take_while(|byte| is_name(*byte)).count();
                (name.as_bytes().get(len) == Some(&b']')).then_some((at, at + MARK.len() + len + 1))
            })
            .collect();
        if !markers.is_empty() {
            self.0.retain(|finding| {
                let next = markers.partition_point(|(_, end)| *end <= finding.start);
                markers.get(next).is_none_or(|(start, _)| *start >= finding.end)
            });
        }
    }
}

/// Whether a rule's name may have this byte.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// What stands for something that a rule found.
pub(super) fn marker(rule: &str) -> String {
    format!("{MARK}{rule}]")
}

/// The text with markers in place of the findings, which are in order.
pub(super) fn replace(text: &str, findings: &[Finding<'_>]) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for finding in findings {
        replaced.push_str(text.get(from..finding.start).unwrap_or_default());
        replaced.push_str(MARK);
        replaced.push_str(finding.rule);
        replaced.push(']');
        from = finding.end;
    }
    replaced.push_str(text.get(from..).unwrap_or_default());
    replaced
}
