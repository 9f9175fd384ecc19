//! Whether a value is an input of an operation, before it is sent.

mod aws;
mod text;

use std::fmt;

use serde_json::{Map, Number, Value};

use crate::service::{Operation, Service};
use crate::shape::{Kind, Location, Member, Shape, Structure};
use crate::wire::{kind_of, parse_timestamp};

pub use aws::aws_message;
pub use text::nearest;

/// Something in a value that its shape does not allow.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where.
    pub path: Vec<Step>,
    /// What.
    pub what: What,
}

/// A step on the way to a part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a member of a structure, or a value of a map.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// What a shape does not allow.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// There is no such member; the last step of the path is its name.
    Unknown {
        /// The members whose names are near, best first.
        nearest: Vec<&'static str>,
        /// All that there are.
        members: Vec<&'static str>,
    },
    /// A member that must be given is not.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// It is something else.
    Type {
        /// What it should be, as "a list".
        expected: &'static str,
        /// What it is, as "a text".
        found: &'static str,
    },
    /// It is none of the values that the model knows. AWS may know more.
    Enumeration {
        /// What it is.
        value: String,
        /// The values whose names are near, best first.
        nearest: Vec<&'static str>,
        /// All that the model knows.
        values: Vec<&'static str>,
    },
    /// It is too small, too great, too short or too long.
    Range {
        /// What is measured: its value, its length, or how many there are in it.
        measure: Measure,
        /// How much it is.
        found: Number,
        /// How much it has to be at least.
        min: Option<Number>,
        /// How much it may be at most.
        max: Option<Number>,
    },
    /// It does not look as it should.
    Pattern {
        /// The regular expression that it should match.
        pattern: &'static str,
    },
    /// It is text, and not what the text should say.
    Form {
        /// What it should say, as "bytes as base64".
        expected: &'static str,
    },
    /// Exactly one member has to be given, and it is none or several.
    Union {
        /// How many are.
        given: usize,
        /// Which there are.
        members: Vec<&'static str>,
    },
}

/// What of a value is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A number itself.
    Value,
    /// The characters of a text.
    Characters,
    /// Bytes.
    Bytes,
    /// The entries of a list or map.
    Entries,
}

impl Measure {
    /// "3 characters".
    fn amount(self, number: &Number) -> String {
        let one = number.as_u64() == Some(1);
        match self {
            Self::Value => number.to_string(),
            Self::Characters => {
                format!("{number} {}", if one { "character" } else { "characters" })
            }
            Self::Bytes => format!("{number} {}", if one { "byte" } else { "bytes" }),
            Self::Entries => format!("{number} {}", if one { "entry" } else { "entries" }),
        }
    }
}

impl Problem {
    /// Where, as `Tags[0].Key`; empty for all of it.
    pub fn at(&self) -> String {
        let mut at = String::new();
        for step in &self.path {
            match step {
                Step::Key(name) if at.is_empty() => at.push_str(name),
                Step::Key(name) => at.extend([".", name]),
                Step::Index(index) => at.extend(["[", &index.to_string(), "]"]),
            }
        }
        at
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.at())?;
        }
        self.what.fmt(formatter)
    }
}

impl fmt::Display for What {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { nearest, .. } => {
                formatter.write_str("unknown member")?;
                meant(formatter, nearest)
            }
            Self::Missing { member } => write!(formatter, "`{member}` is missing"),
            Self::Type { expected, found } => write!(formatter, "expected {expected}, not {found}"),
            Self::Enumeration { value, nearest, values } => {
                write!(formatter, "`{value}` is none of the values that AWS's model knows")?;
                if nearest.is_empty() && values.len() <= 8 {
                    return write!(formatter, ": {}", values.join(", "));
                }
                meant(formatter, nearest)
            }
            Self::Range { measure, found, min, max } => {
                // That there may be none is no bound of a length.
                let min = min
                    .as_ref()
                    .filter(|min| *measure == Measure::Value || min.as_u64() != Some(0));
                let bounds = match (min, max) {
                    (Some(min), Some(max)) if min == max => {
                        format!("exactly {}", measure.amount(min))
                    }
                    (Some(min), Some(max)) => format!("between {min} and {}", measure.amount(max)),
                    (Some(min), None) => format!("at least {}", measure.amount(min)),
                    (_, max) => format!(
                        "at most {}",
                        max.as_ref().map(|max| measure.amount(max)).unwrap_or_default()
                    ),
                };
                write!(formatter, "expected {bounds}, not {found}")
            }
            Self::Pattern { pattern } => write!(formatter, "it does not match `{pattern}`"),
            Self::Form { expected } => write!(formatter, "expected {expected}"),
            Self::Union { given: 0, members } => {
                write!(formatter, "one of these has to be given: {}", members.join(", "))
            }
            Self::Union { members, .. } => {
                write!(formatter, "only one of these can be given: {}", members.join(", "))
            }
        }
    }
}

fn meant(formatter: &mut fmt::Formatter<'_>, nearest: &[&str]) -> fmt::Result {
    match nearest.first() {
        Some(first) => write!(formatter, "; did you mean `{first}`?"),
        None => Ok(()),
    }
}

/// What is known of a value that is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// Nothing.
    Any,
    /// That it is text.
    Text,
}

/// Everything in a value that is no input of an operation.
pub fn validate(service: &Service, operation: &Operation, input: &Value) -> Vec<Problem> {
    validate_with(service, operation, input, |_| None)
}

/// The same, where parts of the value may not be known yet: `placeholder` says which, and what is known of them.
pub fn validate_with(
    service: &Service,
    operation: &Operation,
    input: &Value,
    placeholder: impl Fn(&Value) -> Option<Placeholder>,
) -> Vec<Problem> {
    let mut check =
        Check { service, placeholder: &placeholder, path: Vec::new(), problems: Vec::new() };
    match &operation.input {
        Some(root) => check.value(root, input),
        None => check.nothing(input),
    }
    check.problems
}

/// Everything in a value that a member does not allow.
pub fn validate_member(
    service: &Service,
    member: &Member,
    value: &Value,
    placeholder: impl Fn(&Value) -> Option<Placeholder>,
) -> Vec<Problem> {
    let mut check =
        Check { service, placeholder: &placeholder, path: Vec::new(), problems: Vec::new() };
    check.value(member, value);
    check.problems
}

struct Check<'a> {
    service: &'a Service,
    placeholder: &'a dyn Fn(&Value) -> Option<Placeholder>,
    path: Vec<Step>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn say(&mut self, what: What) {
        self.problems.push(Problem { path: self.path.clone(), what });
    }

    fn below(&mut self, step: Step, check: impl FnOnce(&mut Self)) {
        self.path.push(step);
        check(self);
        self.path.pop();
    }

    /// An operation without input takes none.
    fn nothing(&mut self, input: &Value) {
        for name in input.as_object().into_iter().flat_map(Map::keys) {
            self.below(Step::Key(name.clone()), |check| {
                check.say(What::Unknown { nearest: Vec::new(), members: Vec::new() });
            });
        }
    }

    fn value(&mut self, member: &Member, value: &Value) {
        let shape = self.service.shape_of(member);
        if let Some(known) = (self.placeholder)(value) {
            if known == Placeholder::Text
                && !matches!(shape.kind, Kind::String | Kind::Blob | Kind::Timestamp)
                && !is_any(shape)
            {
                self.say(What::Type { expected: shape.kind.word(), found: "a text" });
            }
            return;
        }
        if is_any(shape) || member.traits.json_value {
            return;
        }
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Object(map)) => self.structure(structure, map),
            (Kind::List(of), Value::Array(list)) => {
                self.range(shape, Measure::Entries, list.len().into());
                for (place, item) in list
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| !(member.traits.sparse && item.is_null()))
                {
                    self.below(Step::Index(place), |check| check.value(of, item));
                }
            }
            (Kind::Map(parts), Value::Object(map)) => {
                self.range(shape, Measure::Entries, map.len().into());
                for (key, item) in map {
                    self.below(Step::Key(key.clone()), |check| {
                        check.value(&parts.0, &Value::String(key.clone()));
                        if !(member.traits.sparse && item.is_null()) {
                            check.value(&parts.1, item);
                        }
                    });
                }
            }
            (Kind::String, Value::String(text)) => self.text(member, shape, text),
            (Kind::Integer | Kind::Long, Value::Number(number)) if !number.is_f64() => {
                self.integer(shape, number);
            }
            (Kind::Float | Kind::Double, Value::Number(number)) => {
                self.range(shape, Measure::Value, number.clone());
            }
            (Kind::Float | Kind::Double, Value::String(text))
                if ["NaN", "Infinity", "-Infinity"].contains(&text.as_str()) => {}
            (Kind::Boolean, Value::Bool(_)) => {}
            (Kind::Blob, Value::String(text)) => match text::bytes(text) {
                Some(length) => {
                    self.range(shape, Measure::Bytes, length.into());
                }
                None => self.say(What::Form { expected: "bytes as base64" }),
            },
            (Kind::Timestamp, Value::String(_) | Value::Number(_)) => {
                if parse_timestamp(value).is_err() {
                    self.say(What::Form { expected: "a timestamp such as 2026-01-31T12:00:00Z" });
                }
            }
            _ => self.say(What::Type { expected: shape.kind.word(), found: kind_of(value) }),
        }
    }

    fn structure(&mut self, structure: &Structure, map: &Map<String, Value>) {
        let names = || structure.members.iter().map(|member| member.name).collect::<Vec<_>>();
        for (name, value) in map {
            match structure.member(name) {
                Some(_) if value.is_null() => {}
                Some(member) => {
                    self.below(Step::Key(name.clone()), |check| check.value(member, value));
                }
                None => {
                    let nearest = nearest(name, structure.members.iter().map(|member| member.name));
                    self.below(Step::Key(name.clone()), |check| {
                        check.say(What::Unknown { nearest, members: names() });
                    });
                }
            }
        }
        let given = |member: &&Member| map.get(member.name).is_some_and(|value| !value.is_null());
        for member in structure.members.iter().filter(|member| member.required && !given(member)) {
            // A client fills in a token that makes a repeated call harmless.
            if !member.traits.idempotency_token {
                self.say(What::Missing { member: member.name });
            }
        }
        let count = structure.members.iter().filter(given).count();
        if structure.union && count != 1 {
            self.say(What::Union { given: count, members: names() });
        }
    }

    fn text(&mut self, member: &Member, shape: &Shape, text: &str) {
        if text.is_empty() && member.traits.location == Some(Location::Uri) {
            self.say(What::Range {
                measure: Measure::Characters,
                found: 0.into(),
                min: Some(1.into()),
                max: shape.max.clone(),
            });
            return;
        }
        if !self.range(shape, Measure::Characters, text.chars().count().into()) {
            return;
        }
        if !shape.enumeration.is_empty() && !shape.enumeration.contains(&text) {
            let nearest = nearest(text, shape.enumeration.iter().copied());
            self.say(What::Enumeration {
                value: text.to_owned(),
                nearest,
                values: shape.enumeration.clone(),
            });
        } else if let Some(pattern) =
            shape.pattern.filter(|pattern| text::matches(pattern, text) == Some(false))
        {
            self.say(What::Pattern { pattern });
        }
    }

    fn integer(&mut self, shape: &Shape, number: &Number) {
        let bits = if matches!(shape.kind, Kind::Integer) {
            (i64::from(i32::MIN), i64::from(i32::MAX))
        } else {
            (i64::MIN, i64::MAX)
        };
        if number.as_i64().is_none_or(|number| number < bits.0 || number > bits.1) {
            let bound =
                |own: &Option<Number>, bits: i64| Some(own.clone().unwrap_or_else(|| bits.into()));
            let (min, max) = (bound(&shape.min, bits.0), bound(&shape.max, bits.1));
            self.say(What::Range { measure: Measure::Value, found: number.clone(), min, max });
        } else {
            self.range(shape, Measure::Value, number.clone());
        }
    }

    /// Whether it is within its bounds.
    fn range(&mut self, shape: &Shape, measure: Measure, found: Number) -> bool {
        let below = |one: &Number, other: &Number| match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one < other,
            _ => one.as_f64() < other.as_f64(),
        };
        let out = shape.min.as_ref().is_some_and(|min| below(&found, min))
            || shape.max.as_ref().is_some_and(|max| below(max, &found));
        if out {
            self.say(What::Range {
                measure,
                found,
                min: shape.min.clone(),
                max: shape.max.clone(),
            });
        }
        !out
    }
}

fn is_any(shape: &Shape) -> bool {
    matches!(&shape.kind, Kind::Structure(structure) if structure.document)
}
