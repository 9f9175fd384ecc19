//! The items of a run as the lines of a script.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::command::{Command, command, waiter};
use super::words::{Part, parts, quoted};
use super::{Item, Planned, Run, Sources, names};
use crate::report::safe;
use engine::event::Effect;

/// What the redactor leaves of a secret.
const MASK: &str = "***";

const AGAIN: &str = "\
# AWS takes a while to know of a new role: a call that needs it is tried again for up to two minutes.
again() {
  for pause in 1 2 4 8 15 30 60; do
    if \"$@\"; then return; fi
    sleep \"$pause\"
  done
  \"$@\"
}";

const JSON: &str = "\
# A text as it stands within the quotes of JSON.
json() {
  local text=${1//\\\\/\\\\\\\\}
  text=${text//\\\"/\\\\\\\"}
  text=${text//$'\\n'/\\\\n}
  text=${text//$'\\r'/\\\\r}
  text=${text//$'\\t'/\\\\t}
  printf %s \"$text\"
}";

/// The lines of a run, with the head of the script where it is the first.
pub(super) fn lines(run: &Run, sources: &Sources, first: bool) -> Vec<String> {
    let mut script = Script::new(run, sources);
    let mut lines = script.head(first);
    let body = script.body();
    if body.iter().any(|line| line.contains("again aws")) {
        lines.push(String::new());
        lines.extend(AGAIN.lines().map(str::to_owned));
    }
    if body.iter().any(|line| line.contains("$(json ")) {
        lines.push(String::new());
        lines.extend(JSON.lines().map(str::to_owned));
    }
    if body.iter().any(|line| line.contains("$work")) {
        lines.push("work=$(mktemp -d)".to_owned());
    }
    lines.extend(body);
    lines
}

struct Script<'r> {
    run: &'r Run,
    /// The calls, at their places among the items.
    calls: Vec<Option<Planned>>,
    /// What becomes of each.
    fates: Vec<Fate>,
    /// For each call: variables, and where in its answer they stand.
    captures: Vec<Vec<(String, String)>>,
    /// The variables of what is not known.
    names: BTreeMap<String, String>,
    /// The variables that have a value by now.
    set: BTreeSet<String>,
    /// Whether a role was made, so that what needs it may be refused for a while.
    role_made: bool,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    NoCall,
    Command,
    /// A wait, after something of that effect.
    Wait(Effect),
    /// A look before or after something that is done.
    Look,
    /// A look of the clean-up, which is to prove what a person knows.
    Proof,
    /// What is to be done only if something fails.
    Rescue,
}

impl<'r> Script<'r> {
    fn new(run: &'r Run, sources: &Sources) -> Self {
        let calls: Vec<Option<Planned>> =
            run.items.iter().map(|item| resolved(item, run)).collect();
        let fates = (0..calls.len()).map(|at| fate(&calls, at)).collect();
        let mut script = Self {
            run,
            captures: vec![Vec::new(); calls.len()],
            calls,
            fates,
            names: BTreeMap::new(),
            set: BTreeSet::new(),
            role_made: false,
        };
        script.capture(sources);
        script
    }

    /// Decides which call's answer each unknown value is taken from.
    fn capture(&mut self, sources: &Sources) {
        let uses: Vec<BTreeSet<String>> = (0..self.calls.len()).map(|at| self.used(at)).collect();
        for at in 0..self.calls.len() {
            let call = self.calls.get(at).and_then(Option::as_ref);
            let Some(call) = call.filter(|call| !call.rescues) else { continue };
            let later: BTreeSet<&String> = uses.iter().skip(at + 1).flatten().collect();
            let found: Vec<(String, String)> =
                later.into_iter().filter_map(|path| source(call, path, sources)).collect();
            let mut captures = Vec::new();
            for (path, query) in found {
                captures.push((self.name(&path), query));
            }
            if !captures.is_empty()
                && let Some(fate @ (Fate::Look | Fate::Proof)) = self.fates.get_mut(at)
            {
                *fate = Fate::Command;
            }
            if let Some(slot) = self.captures.get_mut(at) {
                *slot = captures;
            }
        }
    }

    /// What a command needs that is not known.
    fn used(&self, at: usize) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        let is_used = !matches!(
            self.fates.get(at),
            Some(Fate::Look | Fate::Proof | Fate::Rescue | Fate::NoCall)
        );
        if let Some(Some(call)) = self.calls.get(at)
            && is_used
        {
            unknowns(&call.call.parameters, &mut used);
        }
        used
    }

    fn name(&mut self, path: &str) -> String {
        if let Some(name) = self.names.get(path) {
            return name.clone();
        }
        let wanted = names::variable(path).unwrap_or_else(|| "VALUE".to_owned());
        let taken = |name: &String| self.names.values().any(|other| other == name);
        let mut name = wanted.clone();
        let mut number = 2;
        while taken(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.names.insert(path.to_owned(), name.clone());
        name
    }

    fn head(&mut self, first: bool) -> Vec<String> {
        let run = self.run;
        let mut lines = Vec::new();
        if first {
            lines.push("#!/usr/bin/env bash".to_owned());
        } else {
            lines.push(String::new());
        }
        comment(&mut lines, &title(run));
        lines.push("#".to_owned());
        let what = format!("The calls of `playbook run {}` as commands of the AWS CLI,", run.file);
        comment(&mut lines, &what);
        comment(
            &mut lines,
            "in order, as its dry run tells them. Nothing here cleans up after a failure: the",
        );
        comment(&mut lines, "commands that clean up stand at the end.");
        if first {
            lines.push("set -euo pipefail".to_owned());
            lines.push("export AWS_PAGER=".to_owned());
        }
        if !run.region.contains('⟨') {
            lines
                .push(format!("export AWS_REGION={0} AWS_DEFAULT_REGION={0}", quoted(&run.region)));
        }
        let all: BTreeSet<String> = (0..self.calls.len()).flat_map(|at| self.used(at)).collect();
        for path in all.iter().filter(|path| is_known_to_people(path)) {
            let name = self.name(path);
            lines.push(String::new());
            comment(&mut lines, &format!("{name}: {}", advice(path)));
            lines.push(format!(": \"${{{name}?}}\""));
        }
        lines
    }

    fn body(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let run = self.run;
        for (at, item) in run.items.iter().enumerate() {
            match item {
                Item::Heading(text) => {
                    lines.push(String::new());
                    comment(&mut lines, text);
                }
                Item::Comment(text) => comment(&mut lines, text),
                Item::Failure { number, message } if run.failures.holds(number) => {
                    comment(&mut lines, &format!("the plan ends here: {message}"));
                }
                Item::Failure { message, .. } => comment(&mut lines, &format!("fails: {message}")),
                Item::Call(_) => self.call(at, &mut lines),
            }
        }
        lines
    }

    fn call(&mut self, at: usize, lines: &mut Vec<String>) {
        let Some(Some(call)) = self.calls.get_mut(at).map(Option::take) else { return };
        let captures = self.captures.get(at).cloned().unwrap_or_default();
        match self.fates.get(at).copied().unwrap_or(Fate::NoCall) {
            Fate::NoCall | Fate::Proof => {}
            Fate::Look => {
                let look = command(&call, |path| self.name(path));
                if let Some(look) = look {
                    comment(lines, &format!("It looks first: {}", look.words.join(" ")));
                }
            }
            Fate::Rescue => {
                let mut rescue = Vec::new();
                self.command(&call, &[], &mut rescue);
                for line in rescue.iter().filter(|line| !line.starts_with('#')) {
                    comment(lines, line);
                }
                return;
            }
            Fate::Wait(after) => {
                self.guards(&call, lines);
                if let Some(waits) = waiter(&call, after, |path| self.name(path)) {
                    lines.extend(waits.rendered("", ""));
                } else if call.undoes.is_none() {
                    let text = call.waits.as_deref().unwrap_or_default();
                    comment(lines, &format!("Again until this is over: {text}"));
                    self.command(&call, &[], lines);
                }
                if !captures.is_empty() {
                    self.command(&call, &captures, lines);
                }
            }
            Fate::Command => {
                self.guards(&call, lines);
                self.command(&call, &captures, lines);
            }
        }
        self.role_made |= call.call.service == "iam" && call.call.effect == Effect::Create;
    }

    /// Makes sure that every variable has a value, or says which is to be given.
    fn guards(&mut self, call: &Planned, lines: &mut Vec<String>) {
        let mut used = BTreeSet::new();
        unknowns(&call.call.parameters, &mut used);
        for path in used.iter().filter(|path| !is_known_to_people(path)) {
            let name = self.name(path);
            if self.set.insert(name.clone()) {
                comment(lines, &format!("Set {name} first; it stands for: {}", advice(path)));
                lines.push(format!(": \"${{{name}?}}\""));
            }
        }
    }

    fn command(&mut self, call: &Planned, captures: &[(String, String)], lines: &mut Vec<String>) {
        let Some(mut command) = command(call, |path| self.name(path)) else {
            let path = &call.call.path;
            let request = format!("{} {path}", call.call.method);
            return comment(
                lines,
                &format!("{}: no command is known for it: {request}", call.name()),
            );
        };
        lines.append(&mut command.before);
        let again =
            if self.role_made && call.name() == "lambda:CreateFunction" { "again " } else { "" };
        let or_else = if call.may_fail { " || true" } else { "" };
        match captures {
            [] => lines.extend(command.rendered(again, or_else)),
            [(name, query)] => {
                command.words.push(format!("--query {} --output text", quoted(query)));
                lines
                    .extend(command.rendered(&format!("{name}=$({again}"), &format!("){or_else}")));
            }
            several => lines.extend(several_at_once(&mut command, several, again, or_else)),
        }
        self.set.extend(captures.iter().map(|(name, _)| name.clone()));
        lines.append(&mut command.after);
    }
}

fn several_at_once(
    command: &mut Command,
    captures: &[(String, String)],
    again: &str,
    or_else: &str,
) -> Vec<String> {
    let queries: Vec<&str> = captures.iter().map(|(_, query)| query.as_str()).collect();
    let names: Vec<&str> = captures.iter().map(|(name, _)| name.as_str()).collect();
    let query = quoted(&format!("[{}]", queries.join(", ")));
    command.words.push(format!("--query {query} --output text"));
    let mut lines = command.rendered(&format!("answer=$({again}"), &format!("){or_else}"));
    lines.push(format!("IFS=$'\\t' read -r {} <<<\"$answer\"", names.join(" ")));
    lines
}

fn title(run: &Run) -> String {
    match run.description.as_str() {
        "" => run.playbook.clone(),
        description => format!("{}: {description}", run.playbook),
    }
}

fn comment(lines: &mut Vec<String>, text: &str) {
    for line in safe::lines(text) {
        lines.push(format!("# {line}").trim_end().to_owned());
    }
}

/// What is given before the run, or answered by a person.
fn is_known_to_people(path: &str) -> bool {
    path.starts_with("inputs.")
        || path.starts_with("env.")
        || path.starts_with("secrets.")
        || path == "run.region"
        || path.ends_with(".answer")
}

/// What to put where a value cannot be taken from an answer.
fn advice(path: &str) -> String {
    let what = path.split_once('.').map_or(path, |(_, rest)| rest);
    match path.split('.').next().unwrap_or_default() {
        "inputs" => format!("the input {what} of the playbook"),
        "env" => "a variable of the environment".to_owned(),
        "secrets" => format!("what the playbook has as {what}; a secret is not written here"),
        "run" if path == "run.region" => "the region".to_owned(),
        _ => path.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// A call with everything that is not known under its own name: in the clean-up, that of the step that made the resource.
fn resolved(item: &Item, run: &Run) -> Option<Planned> {
    let Item::Call(planned) = item else { return None };
    let maker = planned.undoes.and_then(|seq| run.makers.get(&seq));
    let mut call = planned.call.clone();
    rename(&mut call.parameters, "value", maker.map(String::as_str));
    Some(Planned { call, ..planned.as_ref().clone() })
}

fn rename(value: &mut Value, member: &str, maker: Option<&str>) {
    match value {
        Value::String(text) => *text = renamed(text, member, maker),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, member, maker)),
        Value::Object(fields) => {
            let taken = std::mem::take(fields);
            for (name, mut field) in taken {
                rename(&mut field, &name, maker);
                fields.insert(renamed(&name, member, maker), field);
            }
        }
        _ => {}
    }
}

fn renamed(text: &str, member: &str, maker: Option<&str>) -> String {
    let mut renamed = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => renamed.push_str(text),
            Part::Unknown(path) => {
                // A default is for when there is nothing; here there will be something.
                let path = path.split_once(" | default(").map_or(path, |(path, _)| path);
                let own = path.strip_prefix("steps.cleanup.").zip(maker);
                let path =
                    own.map_or(path.to_owned(), |(rest, maker)| format!("steps.{maker}.{rest}"));
                renamed.extend(["⟨", path.as_str(), "⟩"]);
            }
        }
    }
    renamed.replace(MASK, &format!("⟨secrets.{member}⟩"))
}

fn fate(calls: &[Option<Planned>], at: usize) -> Fate {
    let Some(Some(call)) = calls.get(at) else { return Fate::NoCall };
    if call.rescues {
        return Fate::Rescue;
    }
    let same_part = |other: &&Planned| other.number == call.number && other.undoes == call.undoes;
    let mut before = calls.iter().take(at).flatten().filter(same_part);
    if call.waits.is_some() {
        let done = before.rfind(|other| !other.only_looks());
        return Fate::Wait(done.map_or(Effect::Read, |done| done.call.effect));
    }
    let whole_part_looks = calls.iter().flatten().filter(same_part).all(Planned::only_looks);
    match (call.only_looks(), call.undoes) {
        (true, Some(_)) => Fate::Proof,
        (true, None) if !whole_part_looks => Fate::Look,
        _ => Fate::Command,
    }
}

/// Everything in a value that is not known.
fn unknowns(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => unknowns_in(text, found),
        Value::Array(items) => items.iter().for_each(|item| unknowns(item, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                unknowns_in(name, found);
                // A zip is made beforehand.
                if name != "ZipFile" {
                    unknowns(field, found);
                }
            }
        }
        _ => {}
    }
}

fn unknowns_in(text: &str, found: &mut BTreeSet<String>) {
    for part in parts(text) {
        if let Part::Unknown(path) = part {
            found.insert(path.to_owned());
        }
    }
}

/// Whether a call's answer has what stands under `path`, and where.
fn source(call: &Planned, path: &str, sources: &Sources) -> Option<(String, String)> {
    if call.kind == "run" {
        let is_account = path == "run.account" && call.call.operation == "GetCallerIdentity";
        return is_account.then(|| (path.to_owned(), "Account".to_owned()));
    }
    let field = path.strip_prefix("steps.")?.strip_prefix(call.who.as_str())?.strip_prefix('.')?;
    // A step that is an operation returns its answer.
    if call.kind == call.name() {
        return Some((path.to_owned(), field.to_owned()));
    }
    let (name, key) = field.split_once('.').map_or((field, None), |(name, key)| (name, Some(key)));
    let source = sources.get(&call.kind)?.get(name).filter(|it| it.call == call.name())?;
    let takes_key = source.query.contains("KEY'");
    match key {
        None if !takes_key => Some((path.to_owned(), source.query.clone())),
        Some(key) if takes_key && key.chars().all(|c| c.is_ascii_alphanumeric()) => {
            Some((path.to_owned(), source.query.replace("KEY'", &format!("{key}'"))))
        }
        _ => None,
    }
}
