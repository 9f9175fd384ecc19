//! One call as a command of the AWS CLI; a request of another kind as one of curl.

use serde_json::Value;

use super::names::kebab;
use super::words::{self, quoted, word};
use super::{Packed, Planned};
use engine::event::{CodeForm, Effect};

/// Lines are not longer than this where they can be broken.
const WIDTH: usize = 110;

/// A command, and what must be done before and after it.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) before: Vec<String>,
    /// `aws`, the service, the operation, then an option with its value each.
    pub(super) words: Vec<String>,
    pub(super) after: Vec<String>,
}

impl Command {
    /// The command alone, between what stands directly before and after it. Broken into lines where it is long.
    pub(super) fn rendered(&self, prefix: &str, suffix: &str) -> Vec<String> {
        let line = format!("{prefix}{}{suffix}", self.words.join(" "));
        let has_lines = line.contains('\n');
        if line.chars().count() <= WIDTH && !has_lines {
            return vec![line];
        }
        let (head, options) = self.words.split_at(self.words.len().min(3));
        let mut lines = vec![format!("{prefix}{}", head.join(" "))];
        lines.extend(options.iter().map(|option| format!("  {option}")));
        let last = lines.len() - 1;
        for line in lines.iter_mut().take(last) {
            line.push_str(" \\");
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(suffix);
        }
        lines
    }
}

/// The command that makes a call; nothing where it is not known how the CLI says it.
pub(super) fn command(
    planned: &Planned,
    mut variable: impl FnMut(&str) -> String,
) -> Option<Command> {
    let call = &planned.call;
    let parameters = call.parameters.as_object()?;
    if call.service == "http" {
        return Some(super::curl::command(planned, parameters, variable));
    }
    let mut command =
        Command { words: head(planned, &kebab(&call.operation)), ..Command::default() };
    let mut as_input = serde_json::Map::new();
    for (name, value) in parameters {
        match (name.as_str(), value) {
            (_, Value::Null) => {}
            ("ZipFile", _) => command.zip(planned),
            ("Code", Value::Object(code)) if code.contains_key("ZipFile") => command.zip(planned),
            ("Payload", payload) if call.service == "lambda" => {
                let file = format!("\"$work/{}-payload.json\"", planned.who);
                let text = word(&text(payload), &mut variable);
                command.before.push(format!("printf %s {text} >{file}"));
                command
                    .words
                    .push(format!("--payload \"fileb://$work/{}-payload.json\"", planned.who));
            }
            ("Body", body) if call.service == "s3" => match &planned.uploads {
                Some(path) => {
                    command.words.push(format!("--body {}", quoted(&words::path(path))));
                }
                None => {
                    let file = format!("\"$work/{}-body\"", planned.who);
                    let text = word(&text(body), &mut variable);
                    command.before.push(format!("printf %s {text} >{file}"));
                    command.words.push(format!("--body {file}"));
                }
            },
            (name, Value::String(text)) if names_a_file(text) => {
                as_input.insert(name.to_owned(), Value::from(text.as_str()));
            }
            (_, value) => command.words.push(option(&kebab(name), value, &mut variable)),
        }
    }
    if !as_input.is_empty() {
        let input = word(&Value::Object(as_input).to_string(), &mut variable);
        command.words.push(format!("--cli-input-json {input}"));
    }
    if call.operation == "Invoke" && call.service == "lambda" {
        let file = format!("\"$work/{}-result.json\"", planned.who);
        command.after.push(format!("cat {file}; echo"));
        command.words.push(file);
    }
    if call.operation == "GetObject" && call.service == "s3" {
        command.words.push(format!("\"$work/{}-object\"", planned.who));
    }
    Some(command)
}

fn head(planned: &Planned, operation: &str) -> Vec<String> {
    let service = match planned.call.service.as_str() {
        "s3" => "s3api",
        service => service,
    };
    vec!["aws".to_owned(), quoted(service), quoted(operation)]
}

fn option(name: &str, value: &Value, variable: impl FnMut(&str) -> String) -> String {
    match value {
        Value::Bool(true) => format!("--{name}"),
        Value::Bool(false) => format!("--no-{name}"),
        value => {
            let text = text(value);
            // A value that looks like an option would be taken for one.
            let between = if text.starts_with('-') { '=' } else { ' ' };
            format!("--{name}{between}{}", word(&text, variable))
        }
    }
}

/// Whether the AWS CLI would take a value for the name of something that it is to read the value from. In JSON it does not.
fn names_a_file(text: &str) -> bool {
    ["file://", "fileb://", "http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Command {
    fn zip(&mut self, planned: &Planned) {
        let target = format!("$work/{}.zip", planned.who);
        let Some(Packed { path, form }) = &planned.packed else {
            self.before.push("# Name the zip with the function's code.".to_owned());
            self.words.push("--zip-file fileb://function.zip".to_owned());
            return;
        };
        let shown = words::path(path);
        let within = |rest: &str| quoted(&words::path(&path.join(rest)));
        match form {
            CodeForm::Zip => {
                self.words.push(format!("--zip-file {}", quoted(&format!("fileb://{shown}"))));
                return;
            }
            CodeForm::File => self.before.push(format!("zip -qj \"{target}\" {}", quoted(&shown))),
            CodeForm::Directory => {
                self.before.push(format!("(cd {} && zip -qr \"{target}\" .)", quoted(&shown)));
            }
            CodeForm::Program(bin) => {
                self.before.push("# It takes cargo-lambda to build the program.".to_owned());
                self.before.push(format!(
                    "cargo lambda build --release --manifest-path {} --bin {} --lambda-dir \"$work\"",
                    within("Cargo.toml"),
                    quoted(bin)
                ));
                let built = quoted(&format!("{bin}/bootstrap"));
                self.before.push(format!("zip -qj \"{target}\" \"$work\"/{built}"));
            }
        }
        self.words.push(format!("--zip-file \"fileb://{target}\""));
    }
}

/// The command that waits for what a call is repeated until, where the CLI has one. `after` is what was done before.
pub(super) fn waiter(
    planned: &Planned,
    after: Effect,
    variable: impl FnMut(&str) -> String,
) -> Option<Command> {
    let (waiter, member) = match (planned.call.service.as_str(), after) {
        ("lambda", Effect::Create) => ("function-active-v2", "FunctionName"),
        ("lambda", Effect::Change | Effect::Read) => ("function-updated-v2", "FunctionName"),
        ("cloudformation", Effect::Create) => ("stack-create-complete", "StackName"),
        ("cloudformation", Effect::Change) => ("stack-update-complete", "StackName"),
        ("cloudformation", Effect::Delete) => ("stack-delete-complete", "StackName"),
        ("dynamodb", Effect::Create) => ("table-exists", "TableName"),
        ("dynamodb", Effect::Delete) => ("table-not-exists", "TableName"),
        _ => return None,
    };
    let value = planned.call.parameters.get(member)?;
    let mut words = head(planned, "wait");
    words.push(waiter.to_owned());
    words.push(option(&kebab(member), value, variable));
    Some(Command { words, ..Command::default() })
}
