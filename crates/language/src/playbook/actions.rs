//! The one key of a step that says what it does.

use std::borrow::Cow;
use std::sync::Arc;

use super::declared::{BESIDE_BLOCK, CLEANUP, INCLUDE, PARALLEL, REPEAT, STEP_KEYS};
use super::expected::{unknown_key, wrong_type};
use super::fields::quoted;
use super::foreign_keywords;
use super::load::Reader;
use super::model::{Action, Step};
use super::parallel::is_parallel_kind;
use super::schema::PARALLEL_KIND;
use super::schema_check::Check;
use super::scope::{List, Loop, Names, Outputs};
use super::spelling::spelled;
use super::top::foreign_keyword;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Entry, Key, Node, NodeKind};
use crate::spec::{KNOWN, Spec};
use crate::template::{Template, TemplateKind};

pub(super) const CONTROLS: &[&str] = &["block", "repeat", "include", "cleanup", "parallel"];

/// Of one step, no more faults than these are looked through for one that says the same.
const MOST_REPEATED: usize = 100;

/// The most rounds of a `repeat` that names no `limit`.
const LIMIT: u32 = 1000;

/// The key of the step keys that is a kind as well.
pub(super) const ASSERT: &str = "assert";

/// The key of a step that says what it does.
pub(super) struct Verb<'n> {
    pub(super) entry: &'n Entry,
    /// What the kind says of itself; nothing for those that hold or end other steps.
    spec: Option<&'static Spec>,
}

impl Verb<'_> {
    /// What its kind says of itself, where it is one of the registry.
    pub(super) fn spec(&self) -> Option<&'static Spec> {
        self.spec
    }

    /// Whether this is a kind of the registry.
    pub(super) fn is_kind(&self) -> bool {
        self.spec.is_some()
    }
}

/// What a step does, and what its `result` is.
pub(super) type Read = (Option<Action>, Option<Outputs>);

impl Reader<'_, '_> {
    /// Whether a word says what a step does.
    pub(super) fn is_verb(&self, word: &str) -> bool {
        CONTROLS.contains(&word) || self.loader.kinds.spec(word).is_some()
    }

    /// Finds the key that says what a step does, and reports all that mean nothing.
    pub(super) fn verb<'n>(&mut self, node: &Node, entries: &'n [Entry]) -> Option<Verb<'n>> {
        let before = self.faults.len();
        let is_own = |entry: &&Entry| {
            let key = entry.key.name.as_str();
            is_parallel_kind(entry) || !STEP_KEYS.contains(&key) && !BESIDE_BLOCK.contains(&key)
        };
        let (verbs, others): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().filter(is_own).partition(|entry| self.is_verb(&entry.key.name));
        for other in &others {
            let fault = match verbs.first().and_then(|verb| self.belongs_inside(verb, other)) {
                Some(fault) => fault,
                None => self.not_a_verb(other, verbs.is_empty()),
            };
            self.fault(fault);
            self.note_names(&other.value);
        }
        let Some(first) = verbs.first() else {
            // Beside another kind `assert` is about its result; alone it is the step.
            if let Some(alone) = entries.iter().find(|entry| entry.key.name == ASSERT)
                && let Some(spec) = self.loader.kinds.spec(ASSERT)
            {
                self.beside_block(node, false);
                return Some(Verb { entry: alone, spec: Some(spec) });
            }
            if self.faults.len() == before {
                self.no_kind(node, entries);
            }
            self.beside_block(node, false);
            let meant = |entry: &&'n Entry| {
                let name = Some(&entry.key.name).filter(|name| !name.contains(':'));
                name.and_then(|name| self.loader.kinds.spec(&as_kind(name)))
            };
            return match others.as_slice() {
                [only] => meant(only).map(|spec| Verb { entry: only, spec: Some(spec) }),
                _ => None,
            };
        };
        for second in verbs.iter().skip(1) {
            let (one, two) = (&first.key.name, &second.key.name);
            self.fault(
                Diagnostic::new(
                    Code::TwoKinds,
                    format!("a step does one thing, this one has `{one}` and `{two}`"),
                )
                .at(second.key.span)
                .label(format!("second kind, after `{one}`"))
                .help(format!("make it a step of its own: `- {two}: …`")),
            );
        }
        self.beside_block(node, first.key.name == "block");
        Some(Verb { entry: first, spec: self.loader.kinds.spec(&first.key.name) })
    }

    /// A field that is indented too little: it stands beside the kind, not in it.
    fn belongs_inside(&self, verb: &Entry, other: &Entry) -> Option<Diagnostic> {
        let braces = self.loader.sources.slice(verb.value.span).starts_with('{');
        let (verb, field) = (verb.key.name.as_str(), other.key.name.as_str());
        let known = match verb {
            "repeat" => REPEAT.contains(&field),
            PARALLEL_KIND => PARALLEL.contains(&field),
            "include" => INCLUDE.contains(&field),
            _ => self.is_field(verb, field),
        };
        known.then(|| {
            Diagnostic::new(
                Code::MisplacedKey,
                format!("`{field}` belongs in `{verb}`, not beside it"),
            )
            .at(other.key.span)
            .label(format!("a field of `{verb}`"))
            .help(if braces {
                format!("write it inside the braces of `{verb}`")
            } else {
                format!("indent it further than `{verb}`")
            })
        })
    }

    fn is_field(&self, kind: &str, field: &str) -> bool {
        let spec = self.loader.kinds.spec(kind);
        spec.and_then(|spec| spec.input.get("properties")?.get(field)).is_some()
    }

    /// What is wrong with a key that is neither of the step keys nor a kind.
    fn not_a_verb(&self, entry: &Entry, no_verb: bool) -> Diagnostic {
        let word = entry.key.name.as_str();
        if let Some(invisible) = word.chars().find(|it| it.is_whitespace() && *it != ' ') {
            return unknown_kind(entry, "write an ordinary space there")
                .label(format!("holds U+{:04X}, which looks like a space", u32::from(invisible)));
        }
        if word.contains("{{") {
            return unknown_kind(entry, "write the kind itself; only values can hold `{{ … }}`");
        }
        if let Some(fault) = self.unknown_operation(entry) {
            return fault;
        }
        let hyphenated = as_kind(word);
        if self.is_verb(&hyphenated) {
            return Diagnostic::new(Code::UnknownKind, format!("there is no step kind `{word}`"))
                .at(entry.key.span)
                .label("kinds are written in small letters, with hyphens")
                .help(format!("write `{hyphenated}`"));
        }
        if let Some(advice) = foreign_keywords::in_step(word) {
            return foreign_keyword(entry, advice);
        }
        let step_keys = self.scope.guess(word, STEP_KEYS.iter().chain(BESIDE_BLOCK).copied());
        let names = self.loader.kinds.names();
        let kind = self.near_kind(word, &names);
        match (kind, step_keys) {
            (Some(near), None) if no_verb => {
                unknown_kind(entry, &format!("did you mean `{near}`?"))
            }
            (None, None) if no_verb => {
                unknown_kind(entry, "`playbook steps` lists the kinds there are")
            }
            (_, Some(_)) => unknown_key(entry, "a step", &STEP_KEYS),
            _ => unknown_key(entry, "a step", &STEP_KEYS)
                .help(format!("beside its kind, a step has {}", quoted(STEP_KEYS.iter().copied()))),
        }
    }

    /// `rescue` and `always` where there is no block.
    fn beside_block(&mut self, node: &Node, is_block: bool) {
        for entry in BESIDE_BLOCK.iter().filter_map(|key| node.entry(key)) {
            if !is_block {
                let key = &entry.key.name;
                self.fault(
                    Diagnostic::new(
                        Code::MisplacedKey,
                        format!("`{key}` stands only beside `block`"),
                    )
                    .at(entry.key.span)
                    .label("there is no `block` in this step")
                    .help(format!("write `- block: […]` and `{key}: […]` in one step")),
                );
                let rescues = self.scope.rescues;
                self.scope.rescues += usize::from(key == "rescue");
                self.steps(key, &entry.value);
                self.scope.rescues = rescues;
            }
        }
    }

    /// Reads what a step does.
    pub(super) fn action(&mut self, verb: &Verb<'_>, step: &Node) -> Read {
        if let Some(spec) = verb.spec {
            return self.kind(spec, verb.entry, step);
        }
        let inside = "put it on a step inside";
        let holder = ["id", "name", "when", "for_each", "parallel", "timeout", "assert", "outputs"];
        let holder_that_makes = [&holder[..], &["keep"]].concat();
        match verb.entry.key.name.as_str() {
            "block" => {
                self.refuse_keys(verb, step, &holder_that_makes, inside);
                (Some(self.block(verb.entry, step)), None)
            }
            "repeat" => {
                self.refuse_keys(verb, step, &holder, inside);
                (self.repeat(verb.entry, step), None)
            }
            "include" => {
                self.refuse_keys(
                    verb,
                    step,
                    &holder_that_makes,
                    "put it on a step of the included playbook",
                );
                let (action, outputs) = self.include(verb.entry, step);
                (action, Some(outputs))
            }
            "cleanup" => {
                self.refuse_keys(verb, step, &["name", "when"], "leave it out");
                (self.cleanup(verb.entry), None)
            }
            _ => {
                self.refuse_keys(verb, step, &holder_that_makes, inside);
                (self.parallel(verb.entry), None)
            }
        }
    }

    pub(super) fn kind(&mut self, spec: &'static Spec, entry: &Entry, step: &Node) -> Read {
        let mut outputs = Outputs::of_schema(&spec.output);
        if spec.name == ASSERT {
            let nothing = Node::new(entry.key.span, NodeKind::Null);
            return (
                self.template(&nothing).map(|input| Action::Kind { spec, input }),
                Some(outputs),
            );
        }
        let Some(node) = input_node(spec, entry) else {
            self.fault(
                wrong_type(spec.name, "a map", &entry.value).help(map_to_write(spec, entry)),
            );
            self.note_names(&entry.value);
            return (None, Some(outputs));
        };
        let respelled = match spelled(&node, &spec.input, &spec.input) {
            Cow::Owned(respelled) => Some(respelled),
            Cow::Borrowed(_) => None,
        };
        let node = respelled.map_or(node, Cow::Owned);
        let template = self.template(&node);
        if let Some(template) = &template {
            self.lint_fields(spec, &node, template, step);
            if let Some(stack) = self.refusals(spec, &node, template) {
                Arc::make_mut(&mut outputs.named).push("outputs".to_owned(), stack.shape());
            }
        }
        let beside = step.as_mapping().unwrap_or_default().iter();
        let check = Check {
            beside: beside
                .map(|it| it.key.name.as_str())
                .filter(|it| !STEP_KEYS.contains(it))
                .collect(),
            root: &spec.input,
            scope: &self.scope,
            files: self.loader.files,
            directory: &self.directory,
            top: &self.root,
        };
        let faults = check.input(spec.name, entry.key.span, &node, template.as_ref());
        // Below the kind it was read as text, so that nobody knows what it names.
        self.unread |= faults.iter().any(|fault| fault.code == Code::MisplacedKey);
        // Of a number that cannot be kept it has been said.
        let said = |fault: &Diagnostic| {
            let mut before = self.faults.iter().rev().take(MOST_REPEATED);
            before.any(|it| it.code == Code::InexactNumber && it.span == fault.span)
        };
        let faults: Vec<Diagnostic> = faults.into_iter().filter(|fault| !said(fault)).collect();
        self.faults.extend(faults);
        // A step that returns what it is given.
        if outputs.open
            && spec.output.get(KNOWN).is_some()
            && spec.output.get("properties").is_none()
            && let Some(TemplateKind::Mapping(entries)) = template.as_ref().map(Template::kind)
        {
            outputs.open = false;
            let mut named = Names::default();
            for it in entries {
                named.push(it.key.name.clone(), self.scope.shape_of_template(&it.value));
            }
            outputs.named = Arc::new(named);
        }
        (template.map(|input| Action::Kind { spec, input }), Some(outputs))
    }

    fn block(&mut self, entry: &Entry, step: &Node) -> Action {
        let list = match (step.get("rescue"), step.get("always")) {
            (Some(_), _) => List::Rescued,
            (None, Some(_)) => List::Tried,
            (None, None) => List::Plain,
        };
        let holder = step.span;
        let steps = self.steps_inside(list, holder, "block", &entry.value);
        self.scope.rescues += 1;
        let rescue = self.beside(List::Rescue, "rescue", step);
        self.scope.rescues -= 1;
        let always = self.beside(List::Always, "always", step);
        Action::Block { steps, rescue, always }
    }

    fn beside(&mut self, list: List, key: &str, step: &Node) -> Vec<Step> {
        let steps = step.get(key).map(|node| self.steps_inside(list, step.span, key, node));
        steps.unwrap_or_default()
    }

    fn repeat(&mut self, entry: &Entry, step: &Node) -> Option<Action> {
        let node = &entry.value;
        let entries = self.map("repeat", node, "repeat: {until: <expression>, steps: […]}")?;
        self.scope.loops.push(Loop::Rounds);
        let steps = node.get("steps");
        let steps =
            steps.map(|node| self.steps_inside(List::Plain, entry.key.span, "repeat.steps", node));
        let until = node.get("until").and_then(|node| self.condition("repeat.until", node));
        if let (Some(until), Some(steps)) = (&until, node.get("steps")) {
            self.unchanging_repeat(until, steps);
        }
        self.scope.loops.pop();
        let mut limit = LIMIT;
        let mut counted = false;
        for entry in entries {
            match entry.key.name.as_str() {
                "until" | "steps" => {}
                "limit" => limit = self.whole("repeat.limit", &entry.value, 1).unwrap_or(LIMIT),
                "times" | "count" | "rounds" => {
                    let fault = unknown_key(entry, "`repeat`", &REPEAT);
                    self.fault(
                        fault.help(
                            "for so many rounds, write `for_each: range(3)` beside a `block`",
                        ),
                    );
                    counted = true;
                }
                _ => self.fault(unknown_key(entry, "`repeat`", &REPEAT)),
            }
        }
        for (key, example) in
            [("until", "until: <expression>"), ("steps", "steps: [{print: Hello}]")]
        {
            let said = counted && key == "until";
            if node.get(key).is_none() && step.get(key).is_none() && !said {
                self.fault(
                    Diagnostic::new(Code::MissingKey, format!("`repeat` has no `{key}`"))
                        .at(entry.key.span)
                        .label(format!("`{key}` is missing"))
                        .help(format!("add `{example}`")),
                );
            }
        }
        Some(Action::Repeat { until: until?, steps: steps?, limit })
    }

    fn cleanup(&mut self, entry: &Entry) -> Option<Action> {
        let misplaced = if self.included {
            Some(
                "an included playbook cannot clean up: what it makes belongs to the one that includes it",
            )
        } else if self.depth > 1 {
            Some("`cleanup` stands only at the top level, not inside another step")
        } else {
            None
        };
        if let Some(message) = misplaced {
            self.fault(
                Diagnostic::new(Code::MisplacedCleanup, message)
                    .at(entry.key.span)
                    .label("cannot stand here")
                    .help("move it to the end of the main playbook's `steps`"),
            );
        } else if let Some(first) = self.cleanup {
            self.fault(
                Diagnostic::new(Code::MisplacedCleanup, "a playbook cleans up once")
                    .at(entry.key.span)
                    .label("cleans up again")
                    .also(first, "the first is here")
                    .help("leave one of them out"),
            );
        } else {
            self.cleanup = Some(entry.key.span);
        }
        if entry.value.is_null() {
            return Some(Action::Cleanup { confirm: None });
        }
        let mut confirm = None;
        let example = if matches!(entry.value.kind, NodeKind::Bool(true)) {
            "cleanup:"
        } else {
            "cleanup: {confirm: Remove everything?}"
        };
        for option in self.map("cleanup", &entry.value, example)? {
            if option.key.name == "confirm" {
                confirm = self.text_template("cleanup.confirm", &option.value);
            } else {
                self.fault(unknown_key(option, "`cleanup`", &CLEANUP));
            }
        }
        Some(Action::Cleanup { confirm })
    }
}

/// A word as kinds are written: `lambda:ListFunctions`, as IAM and logs name the call, is `list-functions`.
fn as_kind(word: &str) -> String {
    let bare = word.rsplit([':', '.']).next().unwrap_or(word);
    foreign_keywords::snake_case(bare).replace('_', "-")
}

fn unknown_kind(entry: &Entry, help: &str) -> Diagnostic {
    Diagnostic::new(Code::UnknownKind, format!("there is no step kind `{}`", entry.key.name))
        .at(entry.key.span)
        .label("unknown kind")
        .help(help)
}

/// The input of a step as a map, where it can be one.
fn input_node<'n>(spec: &Spec, entry: &'n Entry) -> Option<Cow<'n, Node>> {
    let value = &entry.value;
    match &value.kind {
        NodeKind::Mapping(_) => Some(Cow::Borrowed(value)),
        NodeKind::Null => Some(Cow::Owned(Node::new(value.span, NodeKind::Mapping(Vec::new())))),
        _ => {
            let field = spec.shorthand?;
            let key = Key { name: field.to_owned(), span: entry.key.span };
            let entry = Entry { key, value: value.clone() };
            Some(Cow::Owned(Node::new(value.span, NodeKind::Mapping(vec![entry]))))
        }
    }
}

/// How to write a kind that is not given a map.
fn map_to_write(spec: &Spec, entry: &Entry) -> String {
    let name = spec.name;
    if let NodeKind::Sequence(items) = &entry.value.kind
        && items.iter().all(|item| item.as_mapping().is_some())
    {
        return format!("write the fields of `{name}` without dashes");
    }
    let written = entry.value.as_str().filter(|text| !text.contains('\n'));
    let field = written.and_then(|text| text.split_once([':', '=']));
    match field.map(|(field, value)| (field.trim(), value.trim())) {
        Some((field, value))
            if spec.input.get("properties").and_then(|it| it.get(field)).is_some() =>
        {
            format!("write `{field}: {value}`")
        }
        _ => format!("write `{name}: {}`", required_fields(spec)),
    }
}

fn required_fields(spec: &Spec) -> String {
    let required = spec.input.get("required").and_then(|required| required.as_array());
    let fields: Vec<String> = required
        .into_iter()
        .flatten()
        .filter_map(|field| field.as_str())
        .map(|field| format!("{field}: …"))
        .collect();
    if !fields.is_empty() {
        return format!("{{{}}}", fields.join(", "));
    }
    let properties = spec.input.get("properties").and_then(|properties| properties.as_object());
    match properties.and_then(|properties| properties.keys().next()) {
        Some(first) => format!("{{{first}: …}}"),
        None => "{name: value}".to_owned(),
    }
}
