//! `playbook steps [KIND]`: the manual, made from what the kinds say of themselves.

mod markdown;
mod schema;
mod service;
mod wrap;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

pub(super) use self::markdown::rows_of;
pub use self::markdown::{reference, write};
use self::schema::Fields;
pub use self::service::list_of_service;
pub(super) use self::wrap::wrapped;
use engine::step::{Disposition, Kinds, Spec};
use language::diagnostic::did_you_mean;
use language::playbook::{CONTROLS, Control, control_keys};

/// Where lines end.
const WIDTH: usize = 88;

/// There is no such kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no step kind `{name}`")]
pub struct UnknownKind {
    name: String,
    near: Option<String>,
}

impl UnknownKind {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match &self.near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`playbook steps` lists the kinds there are".to_owned(),
        }
    }
}

/// Every kind with its summary, those that hold other steps last.
#[must_use]
pub fn list(kinds: &dyn Kinds) -> String {
    let names = kinds.names();
    let width = names
        .iter()
        .chain(CONTROLS.iter().map(|control| &control.name))
        .map(|name| name.len())
        .max();
    let width = width.unwrap_or(0);
    let mut text = String::from("Steps:\n");
    for spec in names.iter().filter_map(|name| kinds.spec(name)) {
        let _ = writeln!(text, "  {:width$}  {}", spec.name, sentence(&spec.summary));
    }
    text.push_str("\nSteps around other steps:\n");
    for Control { name, summary, .. } in &CONTROLS {
        let _ = writeln!(text, "  {name:width$}  {}", sentence(summary));
    }
    text.push_str(
        "\n`playbook steps KIND` shows what a kind takes, returns, calls and leaves behind. Any operation of AWS is a kind, too:\n`playbook steps --service sqs` lists those of a service, `playbook steps sqs:CreateQueue` shows one.\n",
    );
    text
}

/// The page of one kind.
///
/// # Errors
/// There is no such kind.
pub fn page(kinds: &dyn Kinds, name: &str) -> Result<String, UnknownKind> {
    if let Some(spec) = kinds.spec(name) {
        return Ok(kind_page(spec));
    }
    if let Some(control) = CONTROLS.iter().find(|control| control.name == name) {
        return Ok(control_page(control));
    }
    let names = kinds.names();
    let all = names.iter().copied().chain(CONTROLS.iter().map(|control| control.name));
    Err(UnknownKind { name: name.to_owned(), near: did_you_mean(name, all).map(str::to_owned) })
}

fn kind_page(spec: &Spec) -> String {
    let mut page = Page::new(spec.name, &spec.summary, &spec.details);
    page.fields("Inputs", &Fields::of(&spec.input));
    for (tag, value, fields) in Fields::of(&spec.input).variants() {
        page.fields(&format!("Inputs where `{tag}` is `{value}`"), &fields);
    }
    if let Some(field) = spec.shorthand {
        let name = spec.name;
        page.paragraph(&format!("`{name}: VALUE` is short for `{name}: {{{field}: VALUE}}`."));
    }
    page.fields("Outputs", &Fields::of(&spec.output));
    page.list("AWS calls", spec.calls);
    page.list(CALLS_ON_FAILURE, spec.calls_on_failure);
    page.list("IAM actions", spec.permissions);
    page.list("IAM actions of the clean-up", &spec.undo_permissions);
    if !spec.makes.is_empty() {
        page.section("Leaves behind", &left_behind(spec, str::to_owned).join("; "));
    }
    page.example(spec.example);
    page.text
}

fn control_page(control: &Control) -> String {
    let mut page = Page::new(control.name, control.summary, control.details);
    page.fields("Keys", &Fields::of(&control_keys(control)));
    page.example(control.example);
    page.text
}

/// The heading of those calls.
const CALLS_ON_FAILURE: &str = "AWS calls that tell why it failed";

/// What a kind leaves behind, and until when; what ends in the same way in one go.
fn left_behind(spec: &Spec, shown: impl Fn(&str) -> String) -> Vec<String> {
    let dispositions = [
        (Disposition::Removed, "until the clean-up removes"),
        (Disposition::Restored, "changed, until the clean-up puts back what was there before"),
        (
            Disposition::RemovedOrRestored,
            "until the clean-up removes it, or puts back what was there before",
        ),
    ];
    let mut texts = Vec::new();
    for (disposition, until) in dispositions {
        let of_it = spec.makes.iter().filter(|it| it.disposition == disposition);
        let types: Vec<String> = of_it.map(|it| shown(it.type_name)).collect();
        let object = match (disposition, types.len()) {
            (_, 0) => continue,
            (Disposition::Removed, 1) => " it",
            (Disposition::Removed, _) => " them",
            _ => "",
        };
        texts.push(format!("{}, {until}{object}", types.join(" and ")));
    }
    texts
}

/// Summaries are sentences; a list needs no full stops.
fn sentence(summary: &str) -> &str {
    summary.strip_suffix('.').unwrap_or(summary)
}

struct Page {
    text: String,
}

impl Page {
    fn new(name: &str, summary: &str, details: &str) -> Self {
        let mut page = Self { text: String::new() };
        for line in wrapped(&format!("{name}: {summary}"), WIDTH) {
            page.line(0, &line);
        }
        if !details.is_empty() {
            page.paragraph(details);
        }
        page
    }

    fn line(&mut self, depth: usize, line: &str) {
        let indent = if line.is_empty() { 0 } else { depth * 2 };
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn paragraph(&mut self, text: &str) {
        self.line(0, "");
        for line in wrapped(text, WIDTH) {
            self.line(0, &line);
        }
    }

    fn heading(&mut self, heading: &str) {
        self.line(0, "");
        self.line(0, &format!("{heading}:"));
    }

    fn section(&mut self, heading: &str, text: &str) {
        self.heading(heading);
        for line in wrapped(text, WIDTH - 2) {
            self.line(1, &line);
        }
    }

    fn list(&mut self, heading: &str, items: &[&str]) {
        if !items.is_empty() {
            self.section(heading, &items.join(", "));
        }
    }

    fn fields(&mut self, heading: &str, fields: &Fields<'_>) {
        if fields.is_empty() {
            return;
        }
        self.heading(heading);
        self.fields_at(fields, 1);
    }

    fn fields_at(&mut self, fields: &Fields<'_>, depth: usize) {
        for field in fields.iter() {
            let mut what = field.type_in_words();
            for remark in field.remarks() {
                let _ = write!(what, ", {remark}");
            }
            self.field(field.name, &what, field.description(), depth);
            self.fields_at(&field.inner(), depth + 2);
        }
    }

    fn field(&mut self, name: &str, what: &str, description: &str, depth: usize) {
        for (index, line) in
            wrapped(&format!("{name}: {what}"), WIDTH - 2 * depth).iter().enumerate()
        {
            self.line(if index == 0 { depth } else { depth + 2 }, line);
        }
        for line in wrapped(description, WIDTH - 2 * (depth + 2)) {
            self.line(depth + 2, &line);
        }
    }

    fn example(&mut self, example: &str) {
        self.heading("Example");
        for line in example.trim_end().lines() {
            self.line(1, line);
        }
    }
}
