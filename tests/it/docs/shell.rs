//! As much of a shell as the blocks of our documents use: quotes, line continuations, pipes, comments and here documents.
//!
//! An expansion in a line with a command of ours is refused, because nobody could say what it means here.

/// Continued lines are joined, here documents are left out, and YAML's own words in front are taken off.
pub fn logical_lines(lines: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    let (mut continued, mut until) = (false, None::<String>);
    for line in lines {
        if let Some(end) = &until {
            if line.trim() == end {
                until = None;
            }
            continue;
        }
        let line = bare(line);
        until = line.split_once("<<'").and_then(|(_, rest)| rest.split_once('\'')).map(|(end, _)| end.to_owned());
        let text = line.strip_suffix('\\').unwrap_or(line);
        match joined.last_mut().filter(|_| continued) {
            Some(last) => last.push_str(text),
            None => joined.push(text.to_owned()),
        }
        continued = line.ends_with('\\');
    }
    joined
}

fn bare(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix("- ").unwrap_or(line);
    ["run: ", "command: "].iter().find_map(|key| line.strip_prefix(key)).unwrap_or(line)
}

/// The words of each command of a line in which this program is a word.
pub fn simple_commands(line: &str, program: &str, place: &str) -> Vec<Vec<String>> {
    if !line.split(' ').any(|word| word == program) {
        return Vec::new();
    }
    assert!(!line.contains(['$', '`']), "{place}: an expansion cannot be checked: {line}");
    let words = words(line);
    words.split(|word| ["|", "||", "&&", ";", "&"].contains(&word.as_str())).map(<[String]>::to_vec).collect()
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for character in line.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (_, other) => word.get_or_insert_default().push(other),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    words.extend(word);
    words
}
