//! `inputs`: what a person or CI gives.

use regex_lite::Regex;
use serde_json::{Value, json};

use super::declared::INPUT;
use super::expected::{unknown_key, wrong_type};
use super::fields::quoted;
use super::load::Reader;
use super::model::Input;
use super::scope::{InputFacts, Section, answer_types};
use super::shape::Shape;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::document::{Entry, Node, NodeKind, to_json};
use crate::json_schema;
use crate::question::{Question, QuestionType};
use crate::template::Template;
use crate::types::Types;

const TYPES: &[QuestionType] = &[
    QuestionType::String,
    QuestionType::Integer,
    QuestionType::Number,
    QuestionType::Boolean,
    QuestionType::Choice,
    QuestionType::Secret,
    QuestionType::List,
    QuestionType::Map,
];

/// What other tools call the types.
const OTHER_TYPES: &[(&str, QuestionType)] = &[
    ("text", QuestionType::String),
    ("str", QuestionType::String),
    ("int", QuestionType::Integer),
    ("long", QuestionType::Integer),
    ("float", QuestionType::Number),
    ("double", QuestionType::Number),
    ("bool", QuestionType::Boolean),
    ("confirm", QuestionType::Boolean),
    ("enum", QuestionType::Choice),
    ("select", QuestionType::Choice),
    ("password", QuestionType::Secret),
    ("array", QuestionType::List),
    ("sequence", QuestionType::List),
    ("object", QuestionType::Map),
    ("dict", QuestionType::Map),
];

impl Reader<'_, '_> {
    pub(super) fn inputs(&mut self, node: &Node) -> Vec<Input> {
        self.scope.section = Section::Defaults;
        let example = "inputs: {number: {type: integer, prompt: Enter a number}}";
        let entries = self.map("inputs", node, example);
        if entries.is_none() {
            self.scope.unread.insert("inputs");
        }
        let mut inputs = Vec::new();
        for entry in entries.unwrap_or_default() {
            let named = self.check_name("an input", &entry.key.name, entry.key.span);
            self.scope.defining = Some(entry.key.name.clone());
            let answer = self.input_type(&entry.value);
            let input = self.input(entry, answer);
            let default = input.as_ref().and_then(|input| input.default.as_ref());
            let known = default.is_some_and(|it| self.scope.shape_of_template(it).fixed);
            let schema = input.as_ref().and_then(|input| input.question.schema.as_ref());
            let shape = match schema {
                Some(schema) => Shape::declared(schema),
                None => Shape::types_only(answer.map_or(Types::ANY, answer_types)),
            };
            let shape = shape.secret(answer == Some(QuestionType::Secret));
            let facts = InputFacts {
                // What a person or CI gives is theirs to choose; what nobody gives is the same every time.
                shape: if known { shape.fixed() } else { shape },
                span: entry.key.span,
                used: !named,
            };
            inputs.extend(input);
            self.scope.inputs.push(entry.key.name.clone(), facts);
        }
        inputs
    }

    /// The type of the answer; nothing where the playbook names one that does not exist.
    fn input_type(&mut self, node: &Node) -> Option<QuestionType> {
        let Some(node) = node.get("type") else {
            return node.as_mapping().map(|_| QuestionType::default());
        };
        let text = self.text("type", node)?;
        let known = TYPES.iter().find(|known| known.as_str() == text);
        if known.is_none() {
            let names = || TYPES.iter().map(|known| known.as_str());
            let other = OTHER_TYPES.iter().find(|(name, _)| *name == text);
            let near =
                other.map(|(_, known)| known.as_str()).or_else(|| did_you_mean(&text, names()));
            self.fault(
                Diagnostic::new(Code::UnknownType, format!("there is no type `{text}`"))
                    .at(node.span)
                    .label("unknown type")
                    .help(match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the types are {}", quoted(names())),
                    }),
            );
        }
        known.copied()
    }

    fn input(&mut self, entry: &Entry, answer: Option<QuestionType>) -> Option<Input> {
        let name = entry.key.name.as_str();
        let NodeKind::Mapping(options) = &entry.value.kind else {
            let owner = format!("inputs.{name}");
            self.fault(
                wrong_type(&owner, "a map", &entry.value).help(map_to_write(name, &entry.value)),
            );
            return None;
        };
        let mut question = Question {
            name: name.to_owned(),
            prompt: name.to_owned(),
            answer: answer.unwrap_or_default(),
            ..Question::default()
        };
        let mut input_description = None;
        let mut asked = false;
        for option in options {
            let key = option.key.name.as_str();
            match key {
                "type" | "default" => {}
                "prompt" => {
                    asked = true;
                    question.prompt = self.text("prompt", &option.value).unwrap_or_default();
                }
                "description" => input_description = self.text("description", &option.value),
                _ if INPUT.contains(&key) => {
                    if answer.is_none_or(|answer| self.option_fits(option, answer)) {
                        self.option(&mut question, option);
                    }
                }
                _ => {
                    let fault = unknown_key(option, &format!("input `{name}`"), &INPUT);
                    self.fault(match key {
                        "required" | "optional" => {
                            fault.help("leave it out: an input without `default` must be given")
                        }
                        _ => fault,
                    });
                }
            }
        }
        self.check_question(entry, &question, answer);
        if question.min.zip(question.max).is_some_and(|(min, max)| min > max) {
            (question.min, question.max) = (None, None);
        }
        let default = match entry.value.get("default") {
            Some(default) => {
                let text = answer.is_some_and(|it| answer_types(it) == Types::STRING);
                let written = default.as_text().filter(|_| text);
                self.default(&question, answer, written.as_ref().unwrap_or(default))
            }
            None => None,
        };
        Some(Input {
            question,
            asked,
            description: input_description,
            default,
            span: entry.key.span,
        })
    }

    fn option_fits(&mut self, option: &Entry, answer: QuestionType) -> bool {
        use QuestionType::{Choice, Integer, List, Map, Number, Secret, String};
        let key = option.key.name.as_str();
        let expected: &[QuestionType] = match key {
            "choices" => &[Choice],
            "min" | "max" => &[Integer, Number],
            "twice" => &[Secret],
            "items" | "schema" => &[List, Map],
            _ => &[String, Secret],
        };
        if expected.contains(&answer) {
            return true;
        }
        let names = quoted(expected.iter().map(|expected| expected.as_str()));
        self.fault(
            Diagnostic::new(
                Code::OptionDoesNotFit,
                format!("`{key}` means nothing for an input of type `{}`", answer.as_str()),
            )
            .at(option.key.span)
            .label(format!("goes with {}", names.replace(", ", " and ")))
            .help(match expected.first() {
                Some(_) if key == "min" && matches!(answer, String | Secret) => {
                    "write `min_length`, or leave `min` out".to_owned()
                }
                Some(first) => format!("write `type: {}`, or leave `{key}` out", first.as_str()),
                None => format!("leave `{key}` out"),
            }),
        );
        false
    }

    fn option(&mut self, question: &mut Question, option: &Entry) {
        let value = &option.value;
        match option.key.name.as_str() {
            "choices" => question.choices = self.choices(value),
            "pattern" => question.pattern = self.pattern(value),
            "min" => question.min = self.number("min", value),
            "max" => question.max = self.number("max", value),
            "min_length" => {
                let least = self.whole("min_length", value, 0);
                question.min_length = least.and_then(|least| usize::try_from(least).ok());
            }
            "items" => {
                let items = self.schema_of("items", value);
                let of = if question.answer == QuestionType::Map { "object" } else { "array" };
                let part = if of == "object" { "additionalProperties" } else { "items" };
                question.schema = items.map(|items| json!({"type": of, part: items}));
            }
            "schema" => question.schema = self.schema_of("schema", value),
            _ => question.twice = self.flag("twice", value).unwrap_or_default(),
        }
    }

    /// A JSON Schema, or the name of a type for one that says no more than that.
    fn schema_of(&mut self, key: &str, node: &Node) -> Option<Value> {
        let schema = match node.as_str() {
            Some(name) => json!({"type": schema_type(name)}),
            None => to_json(node),
        };
        let Some(why) = json_schema::misunderstood(&schema) else { return Some(schema) };
        self.fault(
            Diagnostic::new(Code::InvalidSchema, format!("`{key}` is no JSON Schema that is read here: {why}"))
                .at(node.span)
                .label("cannot be checked")
                .help("write a type, such as `string`, or a schema, such as {type: object, required: [name]}"),
        );
        None
    }

    fn choices(&mut self, node: &Node) -> Vec<String> {
        let Some(items) = node.as_sequence() else {
            self.fault(
                wrong_type("choices", "a list", node).help("write `choices: [first, second]`"),
            );
            return Vec::new();
        };
        let choices = self.texts("choices", node).unwrap_or_default();
        for (index, choice) in choices.iter().enumerate() {
            if choices.iter().take(index).any(|earlier| earlier == choice) {
                self.fault(
                    Diagnostic::new(
                        Code::DuplicateName,
                        format!("`{choice}` stands twice in `choices`"),
                    )
                    .at(items.get(index).map_or(node.span, |item| item.span))
                    .label("already there")
                    .help("leave it out"),
                );
            }
        }
        choices
    }

    fn pattern(&mut self, node: &Node) -> Option<String> {
        let Some(pattern) = node.written() else {
            self.fault(wrong_type("pattern", "a string", node));
            return None;
        };
        // As `Question::check` does it, so that what passes here cannot fail there.
        if let Err(error) = Regex::new(&format!("^(?:{pattern})$")) {
            self.fault(
                Diagnostic::new(Code::InvalidPattern, "`pattern` is no regular expression")
                    .at(node.span)
                    .label(error.to_string())
                    .help("write one such as `[a-z]+`; it must match the whole answer"),
            );
            return None;
        }
        Some(pattern.to_owned())
    }

    /// What can only be seen when all options are known.
    fn check_question(&mut self, entry: &Entry, question: &Question, answer: Option<QuestionType>) {
        if answer == Some(QuestionType::Choice) && entry.value.get("choices").is_none() {
            self.fault(
                Diagnostic::new(
                    Code::MissingKey,
                    format!("input `{}` has no `choices`", question.name),
                )
                .at(entry.key.span)
                .label("nothing to choose from")
                .help("add `choices: [first, second]`"),
            );
        }
        if let (Some(min), Some(max)) = (question.min, question.max)
            && min > max
        {
            let place = entry.value.get("max").map_or(entry.key.span, |node| node.span);
            self.fault(
                Diagnostic::new(
                    Code::OutOfRange,
                    format!("`max` is less than `min`, which is {min}"),
                )
                .at(place)
                .label("no number lies between")
                .help("swap them"),
            );
        }
    }

    fn default(
        &mut self,
        question: &Question,
        answer: Option<QuestionType>,
        node: &Node,
    ) -> Option<Template> {
        let template = self.template(node)?;
        let fault = |message: String, label: &str| {
            Diagnostic::new(Code::InvalidDefault, message).at(node.span).label(label)
        };
        let name = &question.name;
        if let Some(rendered) = self.scope.rendered(&template, node) {
            let expected = answer.map(answer_types);
            if let Some(expected) =
                expected.filter(|expected| !rendered.shape.types().may_be(*expected))
            {
                let message = format!(
                    "the default of `{name}` must be {}, {} is {}",
                    expected.words(),
                    rendered.subject,
                    rendered.shape.types().words()
                );
                self.fault(
                    fault(message, &format!("this is {}", rendered.shape.types().words()))
                        .help(format!("name something that is {}", expected.words())),
                );
            }
        } else if template.literal().is_some() {
            let fault = literal_default_fault(question, answer, node);
            self.faults.extend(fault);
        }
        Some(template)
    }
}

/// The name by which a schema knows a type.
fn schema_type(name: &str) -> &str {
    match name {
        "list" => "array",
        "map" => "object",
        name => name,
    }
}

/// What is wrong with a default that is written out.
fn literal_default_fault(
    question: &Question,
    answer: Option<QuestionType>,
    node: &Node,
) -> Option<Diagnostic> {
    let name = &question.name;
    let answer = answer?;
    if answer == QuestionType::Secret {
        return Some(
            Diagnostic::new(Code::SecretInPlaybook, "a secret cannot be written in a playbook")
                .at(node.span)
                .label("everyone who reads the file sees this")
                .help(
                    "leave it out: it is given by a file, the environment or at the terminal; \
                     or write `default: \"{{ env.NAME }}\"`",
                ),
        );
    }
    if node.is_null() {
        return Some(
            Diagnostic::new(Code::InvalidDefault, format!("the default of `{name}` is empty"))
                .at(node.span)
                .label("nothing is written here")
                .help("write a value, or leave `default` out to have it asked for"),
        );
    }
    if answer == QuestionType::Choice && question.choices.is_empty() {
        let written = to_json(node);
        return (!written.is_string()).then(|| {
            Diagnostic::new(Code::InvalidDefault, format!("the default of `{name}` must be text"))
                .at(node.span)
                .label("the input is of type `choice`")
                .help(format!("write `default: \"{written}\"`"))
        });
    }
    let why = question.check(&to_json(node)).err()?;
    Some(
        Diagnostic::new(Code::InvalidDefault, format!("the default of `{name}` {why}"))
            .at(node.span)
            .label(format!("the input is of type `{}`", answer.as_str()))
            .help(default_to_write(question, node)),
    )
}

/// How to write a default that was meant.
fn default_to_write(question: &Question, node: &Node) -> String {
    if let Some(near) = near_choice(question, node) {
        return format!("did you mean `{near}`?");
    }
    let text = match &node.kind {
        NodeKind::String(text) => text.value.clone(),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => String::new(),
        _ => to_json(node).to_string(),
    };
    match question.parse(&text) {
        Ok(value) if !text.is_empty() => format!("write `default: {value}`"),
        _ => "write another value, or leave `default` out to have it asked for".to_owned(),
    }
}

/// The choice that was probably meant.
pub(super) fn near_choice<'q>(question: &'q Question, node: &Node) -> Option<&'q str> {
    did_you_mean(node.as_str()?, question.choices.iter().map(String::as_str))
}

/// How to write what was meant by `name: value`.
fn map_to_write(name: &str, node: &Node) -> String {
    let written = match &node.kind {
        NodeKind::Bool(value) => format!("{{type: boolean, default: {value}}}"),
        NodeKind::Integer(value) => format!("{{type: integer, default: {value}}}"),
        NodeKind::Float(value) => format!("{{type: number, default: {value}}}"),
        NodeKind::String(text) if TYPES.iter().any(|known| known.as_str() == text.value) => {
            format!("{{type: {}}}", text.value)
        }
        NodeKind::String(text)
            if text.value.len() <= 40 && !text.value.contains(['"', '\\', '\n']) =>
        {
            format!("{{default: \"{}\"}}", text.value)
        }
        NodeKind::Sequence(_) => "{type: choice, choices: […]}".to_owned(),
        _ => "{prompt: …}".to_owned(),
    };
    format!("write `{name}: {written}`")
}
