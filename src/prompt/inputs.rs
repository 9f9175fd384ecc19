//! The values of a playbook's inputs: from the command line, a file and the environment.
//!
//! The first that has a value wins: `--input NAME=VALUE`, `--inputs FILE`, `PLAYBOOK_INPUT_NAME`. What none of them
//! gives is [asked for](to_ask), or takes its default.

mod fault;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::fault::{InputFault, Source};
use engine::step::{Question, QuestionType};
use language::diagnostic::{Code, Sources, did_you_mean};
use language::document::{self, Entry, Node, NodeKind};

/// Where values may come from.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--input NAME=VALUE`.
    pub flags: Vec<(String, String)>,
    /// `--inputs FILE`: the path and the text.
    pub file: Option<(PathBuf, String)>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

/// An input that wants a value.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What it must be.
    pub question: &'a Question,
    /// Whether a person at a terminal is asked even though there is a default.
    pub asked: bool,
    /// Whether there is a default.
    pub has_default: bool,
}

/// Reads the arguments of `--input`.
///
/// # Errors
/// Every argument that is not `NAME=VALUE`.
pub fn flags(arguments: &[String]) -> Result<Vec<(String, String)>, Vec<InputFault>> {
    let (mut flags, mut faults) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                flags.push((name.trim().to_owned(), value.to_owned()));
            }
            _ => faults.push(InputFault::NotAssigned),
        }
    }
    if faults.is_empty() { Ok(flags) } else { Err(faults) }
}

/// Everything that is given, typed and checked.
///
/// # Errors
/// All that is wrong, at once; never with a value in it.
pub fn collect(
    wanted: &[Wanted<'_>],
    given: &Given,
) -> Result<BTreeMap<String, Value>, Vec<InputFault>> {
    let mut collection =
        Collection { wanted, values: BTreeMap::new(), given: BTreeSet::new(), faults: Vec::new() };
    collection.flags(&given.flags);
    if let Some((path, text)) = &given.file {
        collection.file(path, text);
    }
    collection.environment(&given.environment);
    if collection.faults.is_empty() { Ok(collection.values) } else { Err(collection.faults) }
}

/// What a person at a terminal is to be asked: what has no value yet, and either wants asking or has no default.
#[must_use]
pub fn to_ask<'a>(wanted: &[Wanted<'a>], values: &BTreeMap<String, Value>) -> Vec<&'a Question> {
    let open = wanted.iter().filter(|input| !values.contains_key(&input.question.name));
    open.filter(|input| input.asked || !input.has_default).map(|input| input.question).collect()
}

/// Without a terminal: every input that has neither value nor default, as a fault that says how to give it.
#[must_use]
pub fn missing(wanted: &[Wanted<'_>], values: &BTreeMap<String, Value>) -> Vec<InputFault> {
    let open = wanted.iter().filter(|input| !values.contains_key(&input.question.name));
    open.filter(|input| !input.has_default)
        .map(|input| InputFault::Missing {
            name: input.question.name.clone(),
            secret: input.question.answer == QuestionType::Secret,
        })
        .collect()
}

/// The variable that gives an input, such as `PLAYBOOK_INPUT_USER_NAME`.
#[must_use]
pub fn variable(name: &str) -> String {
    format!("PLAYBOOK_INPUT_{}", name.to_uppercase().replace('-', "_"))
}

/// Sources are read from the strongest to the weakest; what one gives, those after it need not give rightly.
struct Collection<'c, 'w> {
    wanted: &'c [Wanted<'w>],
    values: BTreeMap<String, Value>,
    /// Rightly or wrongly.
    given: BTreeSet<String>,
    faults: Vec<InputFault>,
}

impl<'w> Collection<'_, 'w> {
    fn question(&self, name: &str) -> Option<&'w Question> {
        self.wanted.iter().map(|input| input.question).find(|question| question.name == name)
    }

    fn environment(&mut self, environment: &BTreeMap<String, String>) {
        for question in self.wanted.iter().map(|input| input.question) {
            let variable = variable(&question.name);
            if let Some(text) = environment.get(&variable) {
                self.take(question, || question.parse(text), Source::Environment(variable));
            }
        }
    }

    fn file(&mut self, path: &Path, text: &str) {
        let fields = match read(path, text) {
            Ok(fields) => fields,
            Err(fault) => return self.faults.push(fault),
        };
        for Entry { key, value } in fields {
            let source = Source::File(path.to_owned());
            match self.question(&key.name) {
                Some(question) => self.take(question, || question.read(&value), source),
                None => self.unknown(key.name, source),
            }
        }
    }

    fn flags(&mut self, flags: &[(String, String)]) {
        for (index, (name, text)) in flags.iter().enumerate() {
            let repeated = flags.iter().take(index).any(|(earlier, _)| earlier == name);
            match self.question(name) {
                None => self.unknown(name.clone(), Source::CommandLine),
                Some(_) if repeated => {
                    self.faults.push(InputFault::GivenTwice { name: name.clone() });
                }
                Some(question) if question.answer == QuestionType::Secret => {
                    self.given.insert(name.clone());
                    self.faults.push(InputFault::SecretOnCommandLine { name: name.clone() });
                }
                Some(question) => self.take(question, || question.parse(text), Source::CommandLine),
            }
        }
    }

    fn take(
        &mut self,
        question: &Question,
        read: impl FnOnce() -> Result<Value, String>,
        by: Source,
    ) {
        let name = question.name.clone();
        if !self.given.insert(name.clone()) {
            return;
        }
        match read() {
            Ok(value) => {
                self.values.insert(name, value);
            }
            Err(why) => self.faults.push(InputFault::Unfit { name, by, why }),
        }
    }

    fn unknown(&mut self, name: String, by: Source) {
        let names = || self.wanted.iter().map(|input| input.question.name.as_str());
        let near = did_you_mean(&name, names()).map(str::to_owned);
        let known = names().map(str::to_owned).collect();
        self.faults.push(InputFault::Unknown { name, by, near, known });
    }
}

/// The entries of a file of inputs: YAML as playbooks are written in it, and JSON with it. Its lines are not shown: they may
/// hold secrets.
fn read(path: &Path, text: &str) -> Result<Vec<Entry>, InputFault> {
    let mut sources = Sources::new();
    let source = sources.add(path.display().to_string(), text);
    match document::parse(source, text) {
        Ok(Node { kind: NodeKind::Mapping(entries), .. }) => Ok(entries),
        Ok(node) if node.is_null() => Ok(Vec::new()),
        Ok(_) => Err(InputFault::NotAMap { path: path.to_owned() }),
        Err(faults) => match faults.into_iter().next() {
            Some(fault) if fault.code != Code::EmptyDocument => Err(InputFault::Unreadable {
                path: path.to_owned(),
                place: fault.span.map(|span| sources.line_column(span)),
                reason: fault.message,
            }),
            _ => Ok(Vec::new()),
        },
    }
}
