//! The lines that other programs are tested with are lines as we write them.

use llmtrace_exporters::{read_line, write_line};

#[test]
fn odd_lines_are_written_as_they_stand() {
    let lines = include_str!("../../tests/readers/odd.jsonl");
    assert!(lines.lines().count() >= 20);
    for line in lines.lines() {
        let mut written = Vec::new();
        write_line(&read_line(line.as_bytes()).unwrap(), &mut written);
        assert_eq!(String::from_utf8(written).unwrap(), format!("{line}\n"));
    }
}
