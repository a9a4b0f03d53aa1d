//! What the documents, and our own workflow, say about the Action: its inputs are those of `action.yml`, and every step
//! that uses it is one that the module goes on with.
//!
//! As much of YAML as these files use: maps by indentation, plain and quoted values, folded and literal blocks.

use hublease::action::Module;
use hublease_protocol::secret::Secret;
use serde_json::{Value, json};

use super::markdown::{Document, documents, root};

/// Where the tables are, and what their columns are called.
const PAGE: &str = "docs/github-actions.md";
const TABLES: [(&str, &[&str]); 2] =
    [("inputs", &["input", "what it is", "default"]), ("outputs", &["output", "what it is"])];

/// Ends the description of an input.
const DEFAULT: &str = " Default: ";

/// What an expression in our own files stands for; of others the value does not matter.
const EXPRESSIONS: [(&str, &str); 2] =
    [("${{ env.SSL_CERT_FILE }}", "/etc/ssl/cert.pem"), ("${{ matrix.client }}", "none")];

/// A step that uses the Action.
struct Use {
    place: String,
    inputs: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

#[test]
fn the_tables_of_the_action_are_made_from_action_yml() {
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let page = Document::read(PAGE);
    let mut made = page.text.clone();
    for (key, columns) in TABLES {
        let mark = format!("<!-- {key} -->\n");
        let (before, rest) = made.split_once(&mark).unwrap_or_else(|| panic!("{PAGE} has no `{}`", mark.trim()));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        made = format!("{before}{mark}\n{}\n<!-- end -->{after}", table(&action, key, columns));
    }
    if std::env::var_os("HUBLEASE_BLESS").is_some() {
        std::fs::write(root().join(PAGE), &made).unwrap();
        return;
    }
    assert_eq!(page.text, made, "a comment in {PAGE} says how to make its tables anew");
}

#[test]
fn the_module_goes_on_with_every_step_that_uses_the_action() {
    let mut providers = [0; 4];
    for step in uses() {
        let inputs: Value = step.inputs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let environment: Value = step.variables.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let given = json!({ "inputs": inputs, "environment": environment }).to_string();
        let answer = Module::default().begin("login", &Secret::new(given));
        let answer: Value = serde_json::from_str(answer.expose()).unwrap();
        assert!(answer["ask"].is_object(), "{}: {answer}", step.place);
        let selects = ["connection-id", "broker-url", "vault-path", "secret-env"];
        for (count, name) in providers.iter_mut().zip(selects) {
            *count += usize::from(step.inputs.iter().any(|(input, _)| input == name));
        }
    }
    // A reader of steps that finds nothing would pass everything.
    assert!(providers.iter().all(|count| *count > 0), "{providers:?}");
}

/// Every use in a document, and our own workflow's.
fn uses() -> Vec<Use> {
    let mut found = Vec::new();
    for document in documents() {
        for block in document.blocks().into_iter().filter(|block| block.language == "yaml") {
            let place = format!("{}:{}", document.name, block.line);
            // Of a composite action it is the job around it that has the permission.
            let has_identity =
                |line: &String| line.trim_start().starts_with("id-token: write") || line.trim() == "using: composite";
            let job = if block.lines.iter().any(has_identity) { identity() } else { Vec::new() };
            found.extend(of_workflow(&block.lines, &place, &job));
        }
    }
    let name = ".github/workflows/action.yml";
    let ours = std::fs::read_to_string(root().join(name)).unwrap();
    let ours: Vec<_> = ours.lines().map(str::to_owned).collect();
    let mut job = identity();
    job.push(("VAULT_ADDR".to_owned(), "https://vault.example.com".to_owned()));
    found.extend(of_workflow(&ours, name, &job));
    found
}

/// What the runner gives a job with `id-token: write`.
fn identity() -> Vec<(String, String)> {
    [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://pipelines.actions.githubusercontent.com/token?version=1"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn of_workflow(lines: &[String], place: &str, job: &[(String, String)]) -> Vec<Use> {
    let runner = ("GITHUB_ACTIONS".to_owned(), "true".to_owned());
    let steps = lines.split(|line| !line.starts_with(' ')).flat_map(items);
    let ours = steps.filter(|step| {
        step.iter().any(|line| line.trim().starts_with("uses: hublease/") || line.trim().starts_with("uses: ./ "))
    });
    ours.map(|step| Use {
        place: place.to_owned(),
        inputs: map(&step, "with").into_iter().map(|(name, value)| (name, known(value))).collect(),
        variables: [runner.clone()].into_iter().chain(job.iter().cloned()).chain(map(&step, "env")).collect(),
    })
    .collect()
}

fn known(value: String) -> String {
    let known = EXPRESSIONS.iter().find(|(expression, _)| value == *expression);
    known.map_or(value, |(_, known)| (*known).to_owned())
}

/// The items of every list, each with its dash taken for a part of the indentation.
fn items(lines: &[String]) -> Vec<Vec<String>> {
    let mut items: Vec<(usize, Vec<String>)> = Vec::new();
    for line in lines {
        let depth = indentation(line);
        if line.trim_start().starts_with("- ") {
            items.push((depth, vec![line.replacen("- ", "  ", 1)]));
        } else if let Some((_, item)) = items.last_mut().filter(|(at, _)| depth > *at) {
            item.push(line.clone());
        }
    }
    items.into_iter().map(|(_, item)| item).collect()
}

/// The names and values of the map behind a key.
pub fn map(lines: &[String], key: &str) -> Vec<(String, String)> {
    let Some(at) = lines.iter().position(|line| line.trim() == format!("{key}:")) else { return Vec::new() };
    let inside = lines[at + 1..].iter().take_while(|line| indentation(line) > indentation(&lines[at]));
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut depth = None;
    for line in inside.filter(|line| !line.trim_start().starts_with('#')) {
        let depth = *depth.get_or_insert(indentation(line));
        match (line.trim().split_once(':'), pairs.last_mut()) {
            (Some((name, value)), _) if indentation(line) == depth => {
                pairs.push((name.to_owned(), plain(value.trim()).to_owned()));
            }
            (_, Some((_, value))) => {
                let break_ = if value.starts_with('|') { "\n" } else { " " };
                *value = format!("{value}{break_}{}", line.trim());
            }
            (_, None) => panic!("not a map: {line}"),
        }
    }
    for (_, value) in &mut pairs {
        let text = ["|\n", ">- ", ">-", "> "].iter().find_map(|mark| value.strip_prefix(mark)).unwrap_or(value);
        *value = text.trim().to_owned();
    }
    pairs
}

/// A value without its quotes.
fn plain(value: &str) -> &str {
    ['\'', '"'].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A Markdown table of the inputs or outputs.
fn table(action: &str, key: &str, columns: &[&str]) -> String {
    let lines: Vec<_> = action.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| *line == format!("{key}:")).unwrap();
    let inside: Vec<_> = lines[at + 1..].iter().take_while(|line| line.starts_with([' ', '#'])).cloned().collect();
    let mut rows = vec![columns.join(" | "), columns.iter().map(|_| "---").collect::<Vec<_>>().join(" | ")];
    let names = inside.iter().filter(|line| indentation(line) == 2 && line.ends_with(':'));
    for name in names.map(|line| line.trim().trim_end_matches(':')) {
        let description = map(&of_key(&inside, name), name).into_iter().find(|(key, _)| key == "description");
        let (_, description) = description.unwrap_or_else(|| panic!("action.yml: `{name}` has no description"));
        let (meaning, default) = description.split_once(DEFAULT).unwrap_or((&description, ""));
        let cells =
            [format!("`{name}`"), meaning.trim_end_matches('.').to_owned(), default.trim_end_matches('.').to_owned()];
        let cells = cells[..columns.len()].iter().map(|cell| cell.replace('\n', " ").replace('|', "\\|"));
        rows.push(cells.collect::<Vec<_>>().join(" | "));
    }
    assert!(rows.len() > 2, "action.yml has no {key}");
    rows.iter().map(|row| format!("| {row} |\n").replace("|  |", "| |")).collect()
}

/// The lines of one key, the key's own first.
fn of_key(lines: &[String], key: &str) -> Vec<String> {
    let at = lines.iter().position(|line| line.trim() == format!("{key}:")).unwrap();
    let inside = lines[at + 1..].iter().take_while(|line| indentation(line) > indentation(&lines[at]));
    [&lines[at]].into_iter().chain(inside).cloned().collect()
}

#[test]
fn steps_and_descriptions_are_read() {
    let workflow = "\
jobs:
  a:
    steps:
      - run: b
      # The root.
      - uses: hublease/hublease@0 # c
        with:
          d: 'e'
          # f
          g: |
            h
            i
        env:
          J: ${{ k }}
      - uses: other/action@0
        with:
          l: m";
    let lines: Vec<_> = workflow.lines().map(str::to_owned).collect();
    let uses = of_workflow(&lines, "n", &[]);
    assert_eq!(uses.len(), 1);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(uses[0].inputs, [pair("d", "e"), pair("g", "h\ni")]);
    assert_eq!(uses[0].variables, [pair("GITHUB_ACTIONS", "true"), pair("J", "${{ k }}")]);

    let action = "\
inputs:
  a:
    description: \"B; c. Default: d\"
  e:
    description: >-
      F
      | g.
    required: false
outputs:
  h:
    description: I";
    assert_eq!(
        table(action, "inputs", &["x", "y", "z"]),
        "| x | y | z |\n| --- | --- | --- |\n| `a` | B; c | d |\n| `e` | F \\| g | |\n"
    );
    assert_eq!(table(action, "outputs", &["x", "y"]), "| x | y |\n| --- | --- |\n| `h` | I |\n");
}
