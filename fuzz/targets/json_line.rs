//! Lines of a trace file: what was read is written and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use llmtrace_exporters::{JsonLinesReader, read_line, write_line};

fuzz_target!(|input: &[u8]| {
    for record in JsonLinesReader::new(input) {
        let _ = record;
    }
    let Ok(record) = read_line(input) else { return };
    let mut line = Vec::new();
    write_line(&record, &mut line);
    let again = read_line(&line).expect("a line that was written is read");
    let mut second = Vec::new();
    write_line(&again, &mut second);
    assert_eq!(line, second, "a second round trip changes nothing");
});
