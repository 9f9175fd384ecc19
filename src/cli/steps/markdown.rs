//! The manual as Markdown: a page for each kind, and an index.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::schema::Fields;
use super::{CALLS_ON_FAILURE, left_behind, sentence};
use engine::step::{Kinds, Spec};
use language::playbook::{CONTROLS, Control, control_keys, step_keys};

/// The files of the manual: names and texts.
pub type Reference = Vec<(String, String)>;

/// A page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", .path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Services in the order in which the index lists them, under the prefix of their IAM actions.
const SERVICES: [(&str, &str); 9] = [
    ("sts", "Who runs it"),
    ("iam", "Roles and policies: IAM"),
    ("lambda", "Functions: Lambda"),
    ("logs", "Logs: CloudWatch Logs"),
    ("cloudformation", "Stacks: CloudFormation"),
    ("cognito-idp", "Users: Cognito user pools"),
    ("dynamodb", "Tables: DynamoDB"),
    ("s3", "Objects: S3"),
    ("http", "APIs: HTTP"),
];

/// Writes the manual into a directory; says how many files that were.
///
/// # Errors
/// The directory cannot be made, or a file in it not be written.
pub fn write(reference: &Reference, directory: &Path) -> Result<usize, WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    for (name, text) in reference {
        let path = directory.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(reference.len())
}

/// The whole manual.
#[must_use]
pub fn reference(kinds: &dyn Kinds) -> Reference {
    let specs: Vec<&Spec> = kinds.names().into_iter().filter_map(|name| kinds.spec(name)).collect();
    let pages = specs.iter().map(|spec| (format!("{}.md", spec.name), kind_page(spec)));
    let controls = CONTROLS.iter().map(|it| (format!("{}.md", it.name), control_page(it)));
    let index = ("README.md".to_owned(), index(&specs));
    [index].into_iter().chain(pages).chain(controls).collect()
}

fn index(specs: &[&Spec]) -> String {
    let mut text = "# Step kinds\n\nMade by `playbook steps --markdown docs/steps` from what the kinds say of \
                    themselves; `playbook steps KIND` shows the same in a terminal.\n"
        .to_owned();
    let service = |spec: &Spec| {
        // The first may be about something else, such as the log group of a function.
        let call = spec.calls.last().or(spec.permissions.first());
        call.and_then(|call| call.split(':').next()).unwrap_or_default()
    };
    let mut services: Vec<&str> = SERVICES.iter().map(|(prefix, _)| *prefix).collect();
    for spec in specs {
        if !services.contains(&service(spec)) && !service(spec).is_empty() {
            services.push(service(spec));
        }
    }
    for prefix in services {
        let title = SERVICES.iter().find(|it| it.0 == prefix).map_or(prefix, |it| it.1);
        let of_service = specs.iter().filter(|spec| service(spec) == prefix);
        list(&mut text, title, of_service.map(|spec| (spec.name, spec.summary.as_str())));
    }
    let without = specs.iter().filter(|spec| service(spec).is_empty());
    list(&mut text, "People and values", without.map(|spec| (spec.name, spec.summary.as_str())));
    let controls = CONTROLS.iter().map(|control| (control.name, control.summary));
    list(&mut text, "Steps around other steps", controls);
    text.push_str("\n## What every step may have\n\nBeside its kind.\n");
    table(&mut text, "key", &Fields::of(&step_keys()));
    text
}

fn list<'s>(text: &mut String, title: &str, kinds: impl Iterator<Item = (&'s str, &'s str)>) {
    let lines: Vec<String> = kinds
        .map(|(name, summary)| format!("- [`{name}`]({name}.md): {}\n", sentence(summary)))
        .collect();
    if !lines.is_empty() {
        let _ = write!(text, "\n## {title}\n\n{}", lines.concat());
    }
}

fn kind_page(spec: &Spec) -> String {
    let mut text = head(spec.name, &spec.summary, &spec.details, spec.example);
    let inputs = Fields::of(&spec.input);
    if !inputs.is_empty() {
        text.push_str("\n## Inputs\n");
        table(&mut text, "input", &inputs);
    }
    for (tag, value, fields) in Fields::of(&spec.input).variants() {
        let _ = write!(text, "\n## Inputs where `{tag}` is `{value}`\n");
        table(&mut text, "input", &fields);
    }
    if let Some(field) = spec.shorthand {
        let name = spec.name;
        let _ = write!(text, "\n`{name}: VALUE` is short for `{name}: {{{field}: VALUE}}`.\n");
    }
    let outputs = Fields::of(&spec.output);
    if !outputs.is_empty() {
        text.push_str("\n## Outputs\n\nLater steps see them as `steps.<id>.<output>`.\n");
        table(&mut text, "output", &outputs);
    }
    words(&mut text, "AWS calls", spec.calls);
    words(&mut text, CALLS_ON_FAILURE, spec.calls_on_failure);
    words(&mut text, "IAM actions", spec.permissions);
    words(&mut text, "IAM actions of the clean-up", &spec.undo_permissions);
    if !spec.makes.is_empty() {
        let left = left_behind(spec, |name| format!("`{name}`")).join("; ");
        let _ = write!(text, "\n## Leaves behind\n\n{left}.\n");
    }
    text
}

fn control_page(control: &Control) -> String {
    let mut text = head(control.name, control.summary, control.details, control.example);
    text.push_str("\n## Keys\n");
    table(&mut text, "key", &Fields::of(&control_keys(control)));
    text
}

fn head(name: &str, summary: &str, details: &str, example: &str) -> String {
    let mut text = format!("# {name}\n\n{summary}\n");
    if !details.is_empty() {
        let _ = write!(text, "\n{}\n", details.trim_end());
    }
    let _ = write!(text, "\n```yaml\n{}\n```\n\n[All kinds](README.md)\n", example.trim_end());
    text
}

fn words(text: &mut String, title: &str, words: &[&str]) {
    if !words.is_empty() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let _ = write!(text, "\n## {title}\n\n{}\n", words.join(", "));
    }
}

fn table(text: &mut String, what: &str, fields: &Fields<'_>) {
    let _ = write!(text, "\n| {what} | type | notes | meaning |\n|---|---|---|---|\n");
    rows(text, "", fields);
}

/// The rows of a table that tells of an object's fields.
pub(in crate::cli) fn rows_of(schema: &serde_json::Value) -> String {
    let mut text = String::new();
    rows(&mut text, "", &Fields::of(schema));
    text
}

fn rows(text: &mut String, prefix: &str, fields: &Fields<'_>) {
    for field in fields.iter() {
        let name = format!("{prefix}{}", field.name);
        let cells =
            [field.type_in_words(), field.remarks().join(", "), field.description().to_owned()];
        let cells = cells.map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" "));
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| `{name}` | {} |", cells.join(" | "));
        rows(text, &format!("{name}."), &field.inner());
    }
}
