//! Lists of steps, and what every step may have beside its kind.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::actions::Verb;
use super::declared::{POLL, STEP_KEYS};
use super::expected::{unknown_key, wrong_type};
use super::fields::quoted;
use super::foreign_keywords::{after_in, is_loop};
use super::lints::end_of;
use super::load::Reader;
use super::model::{ForEach, Poll, Step};
use super::operation_keys::OperationKeys;
use super::parallel::lists_inside;
use super::scope::{Condition, List, Loop, MayFail, Outputs, StepFacts};
use super::shape::Shape;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::{Entry, Node, NodeKind};
use crate::template::Expression;
use crate::types::Types;

impl Reader<'_, '_> {
    /// Takes note of the ids in a list of steps and of those inside.
    pub(super) fn declare_steps(&mut self, node: &Node, seen: &mut HashMap<String, Span>) {
        for step in node.as_sequence().unwrap_or_default() {
            if let Some(id) = step.get("id") {
                self.declare_id(id, seen);
            }
            for steps in lists_inside(step) {
                self.declare_steps(steps, seen);
            }
        }
    }

    fn declare_id(&mut self, node: &Node, seen: &mut HashMap<String, Span>) {
        let Some(id) = self.text("id", node) else {
            return;
        };
        if !self.check_name("a step", &id, node.span) {
            return;
        }
        if let Some(first) = seen.get(&id) {
            self.fault(
                Diagnostic::new(Code::DuplicateId, format!("two steps have the id `{id}`"))
                    .at(node.span)
                    .label("already taken")
                    .also(*first, "first given here")
                    .help(format!("write another one, such as `{id}_2`")),
            );
            return;
        }
        seen.insert(id, node.span);
    }

    /// Reads a list of steps.
    pub(super) fn steps(&mut self, owner: &str, node: &Node) -> Vec<Step> {
        let Some(items) = node.as_sequence() else {
            let fault = wrong_type(owner, "a list of steps", node);
            self.fault(
                bad_dash(node, fault.clone())
                    .unwrap_or_else(|| fault.help("start each step with a dash: `- print: Hello`")),
            );
            self.unread = true;
            return Vec::new();
        };
        if items.is_empty() {
            self.fault(
                Diagnostic::new(Code::EmptyValue, format!("`{owner}` is empty"))
                    .at(node.span)
                    .label("no step is written here")
                    .help("write a step, such as `- print: Hello`"),
            );
        }
        self.depth += 1;
        let mut steps = Vec::with_capacity(items.len());
        let mut end = None;
        for item in items {
            if let Some(end) = end.take() {
                self.lint_unreachable(item, end);
            }
            let step = self.step(item);
            end = step.as_ref().and_then(end_of);
            steps.extend(step);
        }
        self.depth -= 1;
        steps
    }

    /// Reads a list of steps inside the step that is being read.
    pub(super) fn steps_inside(
        &mut self,
        list: List,
        holder: Span,
        owner: &str,
        node: &Node,
    ) -> Vec<Step> {
        let inside = self.scope.flow.inside(list, holder);
        let outside = std::mem::replace(&mut self.scope.flow, inside);
        let steps = self.steps(owner, node);
        self.scope.flow = outside;
        steps
    }

    #[allow(clippy::too_many_lines, reason = "one line or two a key")]
    pub(super) fn step(&mut self, node: &Node) -> Option<Step> {
        let Some(entries) = node.as_mapping() else {
            self.fault(self.not_a_step(node));
            return None;
        };
        let id = node.get("id").and_then(Node::as_str).map(str::to_owned);
        let verb = self.verb(node, entries);
        let outside = self.scope.result.take();
        let (when, when_each, for_each) = self.enter(node, id.as_deref());
        let condition = when.as_ref().map(Condition::of);
        let within = self.scope.flow.with(condition);
        let before = std::mem::replace(&mut self.scope.flow, within);
        let name = node.get("name").and_then(|node| self.text_template("name", node));
        if let Some(name) = &name {
            self.lint_shown("name", name);
        }
        let spec = verb.as_ref().and_then(Verb::spec);
        let may_fail = MayFail::of(node);
        let timeout = match node.get("timeout") {
            Some(node) => self.duration("timeout", node),
            None => self.defaults.timeout_of(spec),
        };
        let retry = match node.get("retry") {
            Some(node) => self.retry(node),
            None => self.defaults.retry_of(spec, may_fail == MayFail::Expected),
        };
        let parallel = self.rounds_at_once(node);
        let keep = node.get("keep").and_then(|node| self.flag("keep", node)).unwrap_or_default();
        let expect_error = self.codes("expect_error", node);
        let allow_error = self.codes("allow_error", node);
        let (action, returned) = match &verb {
            Some(verb) => {
                if verb.is_kind() {
                    self.check_together(node);
                }
                self.action(verb, node)
            }
            None => (None, Some(Outputs::unknown())),
        };
        self.scope.result.clone_from(&returned);
        let OperationKeys { pages, wait, undo } = self.operation_keys(verb.as_ref(), node);
        let poll = if verb.as_ref().is_none_or(Verb::is_kind) {
            node.entry("poll").and_then(|entry| self.poll(entry))
        } else {
            self.unread |= node.get("poll").is_some();
            None
        };
        let outside_failing = std::mem::replace(&mut self.scope.may_fail, may_fail);
        let asserts = node.get("assert").map(|node| self.asserts(node)).unwrap_or_default();
        let returned = returned.map(|it| it.may_fail(may_fail));
        let outputs = self.step_outputs(node, returned.as_ref());
        let shapes: Vec<(String, Shape)> = outputs
            .iter()
            .map(|(name, it)| (name.clone(), self.scope.shape_of_expression(it)))
            .collect();
        self.scope.result = outside;
        self.scope.may_fail = outside_failing;
        self.leave(node, id.as_deref(), returned.unwrap_or_default(), &shapes);
        self.scope.flow = before;
        Some(Step {
            id,
            name,
            span: node.span,
            kind_span: verb.map_or(node.span, |verb| verb.entry.key.span),
            when,
            when_each,
            for_each,
            parallel,
            retry,
            poll,
            timeout,
            expect_error,
            allow_error,
            asserts,
            outputs,
            keep,
            pages,
            wait,
            undo,
            action: action?,
        })
    }

    /// Reads what is looked at before the step, and before its rounds, and takes note of being inside.
    fn enter(
        &mut self,
        node: &Node,
        id: Option<&str>,
    ) -> (Option<Expression>, Option<Expression>, Option<ForEach>) {
        let looped = is_loop(node);
        self.scope.before_loop = looped;
        let for_each = node.get("for_each").and_then(|node| self.for_each(node));
        self.scope.before_loop = false;
        let when = node.get("when").and_then(|node| self.parse_condition("when", node));
        // What reads the round is asked in each.
        let reads_round = |when: &Expression| {
            let mut roots = when.references().iter().filter_map(|it| it.path.first());
            roots.any(|root| root == "item" || root == "loop")
        };
        let (when_each, when) = match when {
            Some(when) if looped && reads_round(&when) => (Some(when), None),
            when => (None, when),
        };
        if let Some(when) = &when {
            self.check_expression(when);
            self.lint_condition(when);
        }
        if looped {
            let item = for_each.as_ref().map(|over| match over {
                ForEach::Expression(over) => self.scope.shape_of_expression(over).item(),
                ForEach::List(over) => self.scope.shape_of_template(over).item(),
            });
            self.scope.loops.push(Loop::Items(item.unwrap_or_default()));
        }
        if let Some(when) = &when_each {
            self.check_expression(when);
        }
        self.scope.around.extend(id.map(str::to_owned));
        (when, when_each, for_each)
    }

    /// Takes note of being behind the step, and of what it returns.
    fn leave(
        &mut self,
        node: &Node,
        id: Option<&str>,
        mut outputs: Outputs,
        further: &[(String, Shape)],
    ) {
        outputs.each = is_loop(node);
        if outputs.each {
            self.scope.loops.pop();
        }
        if let Some(id) = id {
            self.scope.around.pop();
            // What could not be read has a name all the same.
            let unread =
                named_outputs(node).filter(|name| !further.iter().any(|(it, _)| it == name));
            let unread: Vec<String> = unread.collect();
            let unread = unread.into_iter().map(|name| (name, Shape::default()));
            let mut more: Vec<(String, Shape)> = further.to_vec();
            more.extend(unread);
            if !more.is_empty() {
                let named = Arc::make_mut(&mut outputs.named);
                for (name, shape) in more {
                    named.push(name, shape);
                }
            }
            let flow = self.scope.flow.clone();
            self.scope.steps.push(id.to_owned(), StepFacts { outputs, flow });
        }
    }

    fn not_a_step(&self, node: &Node) -> Diagnostic {
        let fault = wrong_type("a step", "a map", node);
        let fault = Diagnostic { message: fault.message.replace('`', ""), ..fault };
        match node.as_str() {
            Some(text) if text.contains('：') => {
                fault.help(format!("`：` is no colon: write `- {}`", text.replacen('：', ":", 1)))
            }
            Some(word) if self.is_verb(word) => {
                fault.help(format!("write `- {word}:` with a colon"))
            }
            _ => {
                fault.help("write a step as `- print: Hello`; `playbook steps` lists what there is")
            }
        }
    }

    fn for_each(&mut self, node: &Node) -> Option<ForEach> {
        match &node.kind {
            NodeKind::Sequence(items) => {
                if items.is_empty() {
                    self.fault(
                        Diagnostic::new(Code::UnreachableStep, "this step never runs")
                            .at(node.span)
                            .label("there is nothing in this list")
                            .help("leave the step out, or name what it goes over"),
                    );
                }
                self.template(node).map(ForEach::List)
            }
            NodeKind::String(text) => {
                if let Some((name, list)) = after_in(&text.value) {
                    self.scope.misnamed_items.insert(name.to_owned());
                    self.fault(
                        Diagnostic::new(Code::WrongType, "`for_each` names a list, nothing else")
                            .at(node.span)
                            .label("not a list")
                            .help(format!(
                                "write `for_each: {list}`, and `item` instead of `{name}`"
                            )),
                    );
                    self.unread = true;
                    return None;
                }
                let expression = self.expression("for_each", node)?;
                let types = self.scope.shape_of_expression(&expression).types();
                if !types.has(Types::ARRAY) {
                    self.fault(
                        Diagnostic::new(
                            Code::WrongType,
                            format!(
                                "`for_each` must be a list, `{}` is {}",
                                text.value.trim(),
                                types.words()
                            ),
                        )
                        .at(node.span)
                        .label("not a list")
                        .help(if types == Types::OBJECT {
                            format!("write `{} | items` for its keys and values", text.value.trim())
                        } else {
                            "name a list, or write one: `for_each: [first, second]`".to_owned()
                        }),
                    );
                }
                Some(ForEach::Expression(expression))
            }
            _ => {
                self.fault(
                    wrong_type("for_each", "a list or an expression", node)
                        .help("write `for_each: [first, second]` or `for_each: steps.users.items`"),
                );
                None
            }
        }
    }

    fn poll(&mut self, entry: &Entry) -> Option<Poll> {
        let node = &entry.value;
        let mut until = None;
        let mut every = self.defaults.poll_every.unwrap_or(Duration::from_secs(1));
        let mut timeout = self.defaults.poll_timeout.unwrap_or(Duration::from_mins(1));
        let plain = |text: &&str| !text.contains([',', '{', '}', '[', ']', '#', ':', '\n']);
        let until_meant = node.as_str().filter(plain).unwrap_or("<expression>");
        let example = format!("poll: {{until: {until_meant}, every: 1s, timeout: 1m}}");
        for entry in self.map("poll", node, &example)? {
            let value = &entry.value;
            match entry.key.name.as_str() {
                "until" => {
                    until = self.condition("poll.until", value);
                    if let Some(until) = &until {
                        self.unchanging_poll(until);
                    }
                }
                "every" => every = self.duration("poll.every", value).unwrap_or(every),
                "timeout" => timeout = self.duration("poll.timeout", value).unwrap_or(timeout),
                _ => self.fault(unknown_key(entry, "`poll`", &POLL)),
            }
        }
        if node.get("timeout").is_none() && self.defaults.poll_timeout.is_none() {
            self.lint_poll(entry.key.span);
        }
        if node.get("until").is_none() {
            self.fault(
                Diagnostic::new(Code::MissingKey, "`poll` has no `until`")
                    .at(node.span)
                    .label("does not say what to wait for")
                    .help("add `until: <expression over result>`"),
            );
        }
        Some(Poll { until: until?, every, timeout })
    }

    fn codes(&mut self, key: &str, step: &Node) -> Vec<String> {
        step.get(key).and_then(|node| self.texts(key, node)).unwrap_or_default()
    }

    fn asserts(&mut self, node: &Node) -> Vec<Expression> {
        match node.as_sequence() {
            Some(items) => items.iter().filter_map(|item| self.condition("assert", item)).collect(),
            None => self.condition("assert", node).into_iter().collect(),
        }
    }

    fn step_outputs(
        &mut self,
        step: &Node,
        returned: Option<&Outputs>,
    ) -> Vec<(String, Expression)> {
        let Some(node) = step.get("outputs") else {
            return Vec::new();
        };
        let mut taken = returned.map(Outputs::fields).unwrap_or_default();
        taken.extend(["skipped", "items"]);
        self.outputs("outputs", node, &taken)
    }

    fn check_together(&mut self, step: &Node) {
        if step.get("expect_error").is_none() {
            return;
        }
        let once = "a step that must fail is tried once";
        let both = "a step that must fail may not succeed";
        for (key, label) in [("retry", once), ("poll", once), ("allow_error", both)] {
            if let Some(entry) = step.entry(key) {
                self.fault(
                    Diagnostic::new(
                        Code::ConflictingKeys,
                        format!("`{key}` and `expect_error` cannot stand on one step"),
                    )
                    .at(entry.key.span)
                    .label(label)
                    .help(format!("leave out either `{key}` or `expect_error`")),
                );
            }
        }
    }

    /// Refuses the keys that mean nothing on a step of this kind.
    pub(super) fn refuse_keys(
        &mut self,
        verb: &Verb<'_>,
        node: &Node,
        allowed: &[&str],
        help: &str,
    ) {
        for entry in node.as_mapping().unwrap_or_default() {
            let key = entry.key.name.as_str();
            if STEP_KEYS.contains(&key) && !allowed.contains(&key) {
                self.fault(
                    Diagnostic::new(
                        Code::MisplacedKey,
                        format!("`{key}` means nothing on `{}`", verb.entry.key.name),
                    )
                    .at(entry.key.span)
                    .label(format!(
                        "`{}` takes {}",
                        verb.entry.key.name,
                        quoted(allowed.iter().copied())
                    ))
                    .help(help),
                );
            }
        }
    }
}

/// A dash that YAML does not take for one.
fn bad_dash(node: &Node, fault: Diagnostic) -> Option<Diagnostic> {
    let key = &node.as_mapping()?.first()?.key;
    let dash =
        key.name.chars().next().filter(|it| matches!(it, '-' | '–' | '—' | '−' | '•' | '*'))?;
    let name = key.name.trim_start_matches(dash).trim();
    let start = usize::try_from(key.span.start).ok()?;
    let label = if dash == '-' {
        "a space is missing after this dash".to_owned()
    } else {
        format!("this is `{dash}`, not `-`")
    };
    let place = Span::new(key.span.source, start, start + dash.len_utf8());
    Some(fault.at(place).label(label).help(format!("write `- {name}: …`")))
}

fn named_outputs(step: &Node) -> impl Iterator<Item = String> {
    let entries = step.get("outputs").and_then(Node::as_mapping).unwrap_or_default();
    entries.iter().map(|entry| entry.key.name.clone())
}
