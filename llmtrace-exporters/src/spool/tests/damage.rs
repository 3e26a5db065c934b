//! Segments that are not as they were written.

use std::io::Write as _;

use super::*;

/// Damages the one segment that another process left; then all good lines are delivered, and it is away.
#[test]
fn damage_costs_the_damaged_lines_and_no_more() {
    type Damage = fn(&mut Vec<u8>);
    let check = |damage: Damage, read: &[u64], torn, corrupt, set_aside| {
        let (_folder, dir) = folder();
        let mut spool = Spool::open(&dir, PLENTY).unwrap();
        spool.push(&spans(0..4, ""));
        drop(spool);
        let path = segments(&dir).pop().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        for _ in 0..2 {
            let mut spool = Spool::open(&dir, PLENTY).unwrap();
            let mut next = Spool::open(&dir, PLENTY).unwrap();
            let is_first = !segments(&dir).is_empty();
            assert_eq!(drain(&mut spool), if is_first { read } else { &[] });
            let expected = Counts { refused: 0, torn, corrupt, set_aside };
            assert_eq!(spool.counts(), if is_first { expected } else { Counts::default() });
            assert!(next.next().is_none());
        }
        let aside = files(&dir);
        assert_eq!(aside.len() as u64, set_aside, "{aside:?}");
        assert!(aside.iter().all(|name| name.ends_with(".spool.jsonl.corrupt")));
    };
    check(|_| (), &[0, 1, 2, 3], 0, 0, 0);
    check(|bytes| bytes.truncate(bytes.len() - 1), &[0, 1, 2, 3], 0, 0, 0);
    check(|bytes| bytes.truncate(bytes.len() - 2), &[0, 1, 2], 1, 0, 0);
    check(|bytes| bytes.extend_from_slice(&[0; 5_000]), &[0, 1, 2, 3], 1, 0, 0);
    check(|bytes| bytes.extend_from_slice(b"\n\n"), &[0, 1, 2, 3], 0, 0, 0);
    check(Vec::clear, &[], 0, 0, 0);
    check(|bytes| bytes[30] ^= 1, &[1, 2, 3], 0, 1, 1);
    check(|bytes| bytes.fill(0xff), &[], 1, 0, 0);
    check(|bytes| bytes.insert(0, b'\n'), &[0, 1, 2, 3], 0, 0, 0);
    check(
        |bytes| {
            // A newline that is gone glues two lines.
            let at = bytes.iter().position(|byte| *byte == b'\n').unwrap();
            bytes.remove(at);
        },
        &[2, 3],
        0,
        1,
        1,
    );
    check(
        |bytes| bytes.splice(..0, b"plain text\n{}\n".iter().copied()).for_each(drop),
        &[0, 1, 2, 3],
        0,
        2,
        1,
    );
}

#[test]
fn own_spans_that_are_gone_are_counted_as_lost() {
    let check = |destroy: fn(&Path), lost, delivered: &[u64]| {
        let (_folder, dir) = folder();
        let mut spool = Spool::open(&dir, PLENTY).unwrap();
        spool.push(&spans(0..3, ""));
        destroy(&segments(&dir)[0]);
        assert_eq!(spool.push(&spans(3..5, "")).stored, 2);
        assert_eq!(drain(&mut spool), delivered);
        assert_eq!((spool.take_lost(), spool.take_lost(), spool.spans()), (lost, 0, 0));
    };
    check(|path| fs::remove_file(path).unwrap(), 3, &[3, 4]);
    check(
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[30] ^= 1;
            fs::write(path, bytes).unwrap();
        },
        1,
        &[1, 2, 3, 4],
    );
}

#[test]
fn lines_too_long_to_read_back_are_refused_and_passed_over() {
    let (_folder, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    let mut three = spans(0..3, "");
    three[1].attributes.set("text", "x".repeat(MAX_LINE_BYTES));
    let pushed = spool.push(&three);
    assert!(matches!(pushed.refused, Some(Refusal::TooLong { .. })));
    assert_eq!((pushed.stored, spool.push(&three[2..]).stored), (1, 1));
    drop(spool);
    let path = segments(&dir).pop().unwrap();
    let lines = fs::read(&path).unwrap();
    let file = File::create(&path).unwrap();
    file.set_len(MAX_LINE_BYTES as u64 + 10).unwrap();
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(&[b"\n", &lines[..]].concat())
        .unwrap();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    assert_eq!(drain(&mut spool), [0, 2]);
    assert_eq!(spool.counts(), Counts { refused: 0, torn: 0, corrupt: 1, set_aside: 1 });
}

#[test]
fn what_is_set_aside_is_bounded() {
    let (_folder, dir) = folder();
    let mut spool = Spool::open(&dir, PLENTY).unwrap();
    for n in 0..40 {
        spool.push(&spans(n..n + 1, ""));
        let path = segments(&dir).pop().unwrap();
        fs::write(path, "garbage\n").unwrap();
        assert_eq!(drain(&mut spool), Vec::<u64>::new());
    }
    let aside = || files(&dir).iter().filter(|name| name.ends_with(".corrupt")).count();
    assert_eq!((spool.counts().set_aside, aside()), (40, 16));
    spool.max_bytes = 8 * CORRUPT_PART * 2;
    spool.push(&spans(0..1, ""));
    assert_eq!(spool.take_lost(), 40);
    drop(spool);
    let mut small = Spool::open(&dir, 1_000).unwrap();
    small.push(&spans(0..1, ""));
    let path = segments(&dir).pop().unwrap();
    fs::write(path, "garbage\n".repeat(20)).unwrap();
    drain(&mut small);
    assert_eq!(aside(), 0, "one that is too large goes too");
}
