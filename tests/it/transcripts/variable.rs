//! The parts of an output that differ from run to run, and their names.

/// The text with names in place of what differs: known values first, the longest of them before what they contain, then
/// numbers of a fixed form.
pub(crate) fn named(mut known: Vec<(String, String)>, text: &str) -> String {
    known.retain(|(value, _)| !value.is_empty());
    known.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    let text = known.iter().fold(text.to_owned(), |text, (value, name)| text.replace(value, name));
    let lines: Vec<_> = text.lines().map(|line| ages(&forms(line))).collect();
    lines.join("\n") + "\n"
}

/// Forms of numbers, each as a pattern in which `9` stands for a digit and `f` for one in hexadecimal, with its name.
const FORMS: [(&str, &str); 6] = [
    ("9999-99-99T99:99:99Z", "<time>"),
    ("ffffffff-ffff-ffff-ffff-ffffffffffff", "<uuid>"),
    ("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "<sha256>"),
    ("ffffffffffffffffffffffffffffffff", "<id>"),
    ("9999999999", "<seconds>"),
    ("production-ffffff", "production-<random>"),
];

fn forms(line: &str) -> String {
    FORMS.iter().fold(line.to_owned(), |line, (form, name)| form_named(&line, form, name))
}

fn form_named(line: &str, form: &str, name: &str) -> String {
    let is_form = |piece: &[u8]| {
        piece.iter().zip(form.bytes()).all(|(byte, form)| match form {
            b'9' => byte.is_ascii_digit(),
            b'f' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            other => *byte == other,
        })
    };
    let is_part_of_a_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let (bytes, mut out, mut at) = (line.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let end = at + form.len();
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let fits = bytes.get(at..end).is_some_and(is_form);
        if fits && !is_part_of_a_word(before) && !is_part_of_a_word(bytes.get(end)) {
            out.extend(name.bytes());
            at = end;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

/// A line of `whoami` that counts seconds.
fn ages(line: &str) -> String {
    match line.split_once("age: ") {
        Some((before, _)) if before.trim().is_empty() => format!("{before}age: <age>"),
        _ => line.to_owned(),
    }
}
