//! The keys of steps that are one operation of AWS: `pages`, `wait`, `undo`; and whether what the step does can be taken back.

use super::actions::Verb;
use super::expected::wrong_type;
use super::fields::quoted;
use super::load::Reader;
use super::model::{Action, Pages, Undo, Wait};
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::{Entry, Node, NodeKind};
use crate::spec::{OperationEffect, OperationSpec, Spec};

/// What these keys say.
#[derive(Default)]
pub(super) struct OperationKeys {
    pub(super) pages: Option<Pages>,
    pub(super) wait: Option<Wait>,
    pub(super) undo: Option<Undo>,
}

/// More waiters than these are not listed.
const MOST_LISTED: usize = 12;

impl Reader<'_, '_> {
    /// Reads the keys that only operations have, and refuses them on everything else.
    pub(super) fn operation_keys(&mut self, verb: Option<&Verb<'_>>, step: &Node) -> OperationKeys {
        let Some(verb) = verb else { return OperationKeys::default() };
        let Some((spec, operation)) = verb.spec().and_then(with_operation) else {
            for entry in ["pages", "wait", "undo"].iter().filter_map(|key| step.entry(key)) {
                self.only_of_operations(entry, &verb.entry.key.name);
            }
            return OperationKeys::default();
        };
        if let Some(reason) = operation.unsupported {
            self.fault(
                Diagnostic::new(Code::UnsupportedOperation, format!("`{}` {reason}", spec.name))
                    .at(verb.entry.key.span)
                    .label("cannot be a step")
                    .help("call it from a function or a script of your own"),
            );
        }
        let pages = step.entry("pages").and_then(|entry| self.pages(spec, operation, entry));
        let wait = step.get("wait").and_then(|node| self.wait("wait", operation, node));
        let undo = step.get("undo").and_then(|node| self.undo(node));
        self.check_undo(spec, operation, verb.entry, step);
        OperationKeys { pages, wait, undo }
    }

    /// What is wrong with a key that looks like an operation of AWS and is none.
    pub(super) fn unknown_operation(&self, entry: &Entry) -> Option<Diagnostic> {
        let said = self.loader.kinds.unknown_operation(&entry.key.name)?;
        let fault = Diagnostic::new(Code::UnknownOperation, said.message).at(entry.key.span);
        Some(fault.label("no operation of AWS").help(said.help))
    }

    fn only_of_operations(&mut self, entry: &Entry, kind: &str) {
        let key = &entry.key.name;
        self.fault(
            Diagnostic::new(Code::MisplacedKey, format!("`{key}` means nothing on `{kind}`"))
                .at(entry.key.span)
                .label("a key of operations of AWS, such as `sqs:CreateQueue`")
                .help(match key.as_str() {
                    "wait" => "write `poll: {until: <expression over result>}`".to_owned(),
                    "undo" => {
                        "leave it out: the kind knows how to take back what it makes".to_owned()
                    }
                    _ => "leave it out".to_owned(),
                }),
        );
        self.note_names(&entry.value);
    }

    fn pages(&mut self, spec: &Spec, operation: &OperationSpec, entry: &Entry) -> Option<Pages> {
        if !operation.pages {
            self.fault(
                Diagnostic::new(
                    Code::MisplacedKey,
                    format!("`pages` means nothing on `{}`", spec.name),
                )
                .at(entry.key.span)
                .label("its answer does not come in pages")
                .help("leave it out"),
            );
            return None;
        }
        match entry.value.as_str() {
            Some("all") => Some(Pages::All),
            Some(_) => {
                self.fault(
                    Diagnostic::new(Code::NotAChoice, "`pages` must be `all` or a whole number")
                        .at(entry.value.span)
                        .label("neither of them")
                        .help("write `pages: all`, or how many at most"),
                );
                None
            }
            None => self.whole("pages", &entry.value, 1).map(Pages::Most),
        }
    }

    /// A waiter, by its name alone or with its input.
    fn wait(&mut self, key: &str, operation: &OperationSpec, node: &Node) -> Option<Wait> {
        let (name, span, input) = match &node.kind {
            NodeKind::String(text) => (text.value.clone(), node.span, None),
            NodeKind::Mapping(entries) if entries.len() == 1 => {
                let entry = entries.first()?;
                let template = self.template(&entry.value)?;
                (entry.key.name.clone(), entry.key.span, Some(template))
            }
            _ => {
                self.fault(wrong_type(key, "the name of a waiter", node).help(format!(
                    "write `{key}: <name>`, or `{key}: {{<name>: {{<its input>}}}}`"
                )));
                return None;
            }
        };
        if operation.waiters.contains(&name.as_str()) {
            return Some(Wait { name, input });
        }
        self.unknown_waiter(&name, span, &operation.waiters);
        None
    }

    fn unknown_waiter(&mut self, name: &str, span: Span, known: &[&'static str]) {
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => {
                "the service has no waiters: write `poll: {until: <expression over result>}`"
                    .to_owned()
            }
            None => format!("there are {}", quoted(known.iter().copied().take(MOST_LISTED))),
        };
        self.fault(
            Diagnostic::new(Code::UnknownWaiter, format!("there is no waiter `{name}`"))
                .at(span)
                .label("none of the service's waiters")
                .help(help),
        );
    }

    /// `undo`: an operation with its input, and perhaps a waiter.
    fn undo(&mut self, node: &Node) -> Option<Undo> {
        let example = "undo: {sqs:DeleteQueue: {QueueUrl: \"{{ result.QueueUrl }}\"}}";
        let entries = self.map("undo", node, example)?;
        let others: Vec<&Entry> = entries.iter().filter(|it| it.key.name != "wait").collect();
        let [entry] = others.as_slice() else {
            let message = match others.len() {
                0 => "`undo` names no operation".to_owned(),
                _ => "`undo` is one operation".to_owned(),
            };
            let place = others.get(1).map_or(node.span, |second| second.key.span);
            self.fault(
                Diagnostic::new(Code::InvalidInput, message)
                    .at(place)
                    .label(if others.is_empty() { "nothing takes it back" } else { "a second one" })
                    .help(format!("write `{example}`")),
            );
            return None;
        };
        let name = entry.key.name.as_str();
        let Some((spec, operation)) = self.loader.kinds.spec(name).and_then(with_operation) else {
            let said = self.loader.kinds.unknown_operation(name);
            let (message, help) = match said {
                Some(said) => (said.message, said.help),
                None => (
                    format!("`{name}` is no operation of AWS"),
                    "write it as `service:Operation`, such as `sqs:DeleteQueue`".to_owned(),
                ),
            };
            self.fault(
                Diagnostic::new(Code::UnknownOperation, message)
                    .at(entry.key.span)
                    .label("cannot take anything back")
                    .help(help),
            );
            self.note_names(&entry.value);
            return None;
        };
        let wait = node.get("wait").and_then(|wait| self.wait("undo.wait", operation, wait));
        match self.kind(spec, entry, node).0 {
            Some(Action::Kind { spec, input }) => Some(Undo { spec, input, wait }),
            _ => None,
        }
    }

    /// A step that makes or changes something, of which nothing says how it is taken back.
    fn check_undo(
        &mut self,
        spec: &'static Spec,
        operation: &'static OperationSpec,
        verb: &Entry,
        step: &Node,
    ) {
        let does = match operation.effect {
            OperationEffect::Creates => "makes",
            OperationEffect::Changes => "changes",
            OperationEffect::Nothing => return,
        };
        let takes_back = self.undone.contains(spec.name);
        if let Some(undo) = &operation.undo {
            self.undone.insert(undo.clone());
        }
        let said = step.get("undo").is_some()
            || step.get("keep").and_then(Node::as_bool) == Some(true)
            || operation.undo.is_some();
        if said || takes_back {
            return;
        }
        self.fault(
            Diagnostic::new(
                Code::NoUndo,
                format!("nothing says how to take back what `{}` {does}", spec.name),
            )
            .at(verb.key.span)
            .label(format!("{does} something"))
            .help("add `undo: {<service:Operation>: {<its input>}}`, or `keep: true` where it may stay"),
        );
    }
}

fn with_operation(spec: &'static Spec) -> Option<(&'static Spec, &'static OperationSpec)> {
    spec.operation.as_ref().map(|operation| (spec, operation))
}
