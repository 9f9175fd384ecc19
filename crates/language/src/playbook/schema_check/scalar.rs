//! Texts, numbers and the like against the JSON Schema of what is expected.

use serde_json::Value;

use super::{Place, Variant};
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::{Node, to_json};
use crate::playbook::fields::{duration_to_write, parse_duration, quoted};
use crate::playbook::scope::{Rendered, as_written};
use crate::spec::DURATION;
use crate::types::Types;

/// What is wrong with text that is rendered: its type is known where it is one path that is known.
pub(super) fn wrong_rendering(
    node: &Node,
    rendered: &Rendered,
    expected: Types,
    place: &Place,
) -> Option<Diagnostic> {
    let given = rendered.shape.types();
    if given.may_be(expected) {
        return None;
    }
    let (expected_words, words) = (expected.without(Types::NULL).words(), given.words());
    let message =
        format!("`{}` must be {expected_words}, {} is {words}", place.name, rendered.subject);
    let fault =
        Diagnostic::new(Code::WrongType, message).at(node.span).label(format!("this is {words}"));
    let inner = as_written(&rendered.path);
    let holds_others = Types::ARRAY.or(Types::OBJECT);
    let numbers = Types::INTEGER.or(Types::NUMBER);
    let help = if rendered.path.is_empty() && !rendered.mixed {
        return Some(fault);
    } else if rendered.mixed {
        match node.as_str().map(str::trim) {
            Some(text)
                if text.starts_with("{{")
                    && text.ends_with("}}")
                    && text.matches("{{").count() == 1 =>
            {
                format!("the line break is text too: write \"{text}\"")
            }
            _ => "write exactly one \"{{ expression }}\"".to_owned(),
        }
    } else if given == Types::OBJECT {
        format!("name one of its fields: \"{{{{ {inner}.<field> }}}}\"")
    } else if expected.has(Types::STRING) && !given.has(holds_others) {
        format!("write \"{{{{ {inner} | string }}}}\"")
    } else if expected.has(numbers) && rendered.path.first().is_some_and(|root| root == "inputs") {
        format!("declare the input with `type: integer`, or write \"{{{{ {inner} | int }}}}\"")
    } else if expected.has(numbers) && given == Types::STRING {
        format!("write \"{{{{ {inner} | int }}}}\"")
    } else if expected.has(Types::ARRAY) {
        format!("write it in brackets: [\"{{{{ {inner} }}}}\"]")
    } else {
        return Some(fault);
    };
    Some(fault.help(help))
}

/// Where only certain texts are allowed and this is none of them.
pub(super) fn choice(node: &Node, variants: &[Variant<'_>], place: &Place) -> Option<Diagnostic> {
    let text = node.as_str()?;
    let mut options: Vec<&str> = Vec::new();
    for variant in variants {
        match (variant.schema.get("const"), variant.schema.get("enum")) {
            (Some(value), _) => options.extend(value.as_str()),
            (None, Some(Value::Array(values))) => {
                options.extend(values.iter().filter_map(Value::as_str));
            }
            _ => return None,
        }
    }
    (!options.contains(&text)).then(|| not_a_choice(node, text, &options, place))
}

/// That a text is none of those that are allowed.
pub(super) fn not_a_choice(node: &Node, text: &str, options: &[&str], place: &Place) -> Diagnostic {
    let choices = quoted(options.iter().copied());
    let must = if options.len() == 1 { "must be" } else { "must be one of" };
    let fault = Diagnostic::new(Code::NotAChoice, format!("`{}` {must} {choices}", place.name))
        .at(node.span)
        .label("none of them");
    let mut begun = options.iter().copied().filter(|it| it.starts_with(&text.to_lowercase()));
    let begun = begun.next().filter(|_| !text.is_empty() && begun.next().is_none());
    match (did_you_mean(text, options.iter().copied()).or(begun), options.first()) {
        (Some(near), _) => fault.help(format!("did you mean `{near}`?")),
        (None, Some(first)) => fault.help(format!("write one of them, such as `{first}`")),
        (None, None) => fault,
    }
}

pub(super) fn constant(node: &Node, schema: &Value, place: &Place) -> Option<Diagnostic> {
    let value = to_json(node);
    let allowed: Vec<&Value> = match (schema.get("const"), schema.get("enum")) {
        (Some(only), _) => vec![only],
        (None, Some(Value::Array(values))) => values.iter().collect(),
        _ => return None,
    };
    if allowed.iter().any(|allowed| **allowed == value) {
        return None;
    }
    let names: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    let fault = Diagnostic::new(
        Code::NotAChoice,
        format!("`{}` must be {}", place.name, quoted(names.iter().map(String::as_str))),
    )
    .at(node.span)
    .label("this is something else");
    let given = value.as_f64();
    let distance = |number: f64| given.map_or(f64::MAX, |given| (number - given).abs());
    let nearest = allowed
        .iter()
        .filter_map(|allowed| allowed.as_f64())
        .min_by(|one, other| distance(*one).total_cmp(&distance(*other)));
    Some(match nearest.filter(|_| given.is_some()) {
        Some(nearest) => fault.help(format!("write one of them, such as {nearest}")),
        None => fault,
    })
}

fn out_of_range(span: Span, place: &Place, must: &str, label: &str) -> Diagnostic {
    Diagnostic::new(Code::OutOfRange, format!("`{}` {must}", place.name)).at(span).label(label)
}

/// What is wrong with the number of items of a list, or of entries of a map.
pub(super) fn wrong_count(
    span: Span,
    count: usize,
    schema: &Value,
    place: &Place,
) -> Option<Diagnostic> {
    let limit = |of_list: &str, of_map: &str| {
        schema.get(of_list).or_else(|| schema.get(of_map)).and_then(Value::as_u64)
    };
    let items =
        |count: u64| if count == 1 { "1 item".to_owned() } else { format!("{count} items") };
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    if let Some(least) = limit("minItems", "minProperties").filter(|least| count < *least) {
        let must = format!("must have at least {}", items(least));
        return Some(out_of_range(span, place, &must, "too few"));
    }
    let most = limit("maxItems", "maxProperties").filter(|most| count > *most)?;
    let must = format!("must have at most {}", items(most));
    Some(out_of_range(span, place, &must, "too many"))
}

pub(super) fn scalar_text(
    node: &Node,
    text: &str,
    schema: &Value,
    place: &Place,
) -> Vec<Diagnostic> {
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
    let characters = |count: u64| format!("{count} character{}", if count == 1 { "" } else { "s" });
    let pattern = schema.get("pattern").and_then(Value::as_str);
    let (must, label) = if let Some(least) = limit("minLength").filter(|least| length < *least) {
        (format!("must have at least {}", characters(least)), "too short")
    } else if let Some(most) = limit("maxLength").filter(|most| length > *most) {
        (format!("must have at most {}", characters(most)), "too long")
    } else if let Some(pattern) = pattern.filter(|pattern| !matches(pattern, text)) {
        (format!("must match the pattern {pattern}"), "does not match")
    } else if schema.get(DURATION) == Some(&Value::Bool(true))
        && let Err(why) = parse_duration(text)
    {
        return vec![
            Diagnostic::new(Code::InvalidDuration, format!("`{}` {why}", place.name))
                .at(node.span)
                .label("no usable duration")
                .help(duration_to_write(text)),
        ];
    } else {
        return Vec::new();
    };
    vec![out_of_range(node.span, place, &must, label)]
}

fn matches(pattern: &str, text: &str) -> bool {
    regex_lite::Regex::new(pattern).map_or(true, |pattern| pattern.is_match(text))
}

pub(super) fn number(node: &Node, schema: &Value, place: &Place) -> Vec<Diagnostic> {
    if let Some(fault) = constant(node, schema, place) {
        return vec![fault];
    }
    let given = to_json(node).as_f64().unwrap_or_default();
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let (lowest, highest) = match schema.get("format").and_then(Value::as_str) {
        Some("int32") => (Some(f64::from(i32::MIN)), Some(f64::from(i32::MAX))),
        Some("uint32") => (Some(0.0), Some(f64::from(u32::MAX))),
        _ => (None, None),
    };
    let (must, label) =
        if let Some(least) = bound("minimum").or(lowest).filter(|least| given < *least) {
            (format!("must be at least {least}"), "too small")
        } else if let Some(most) = bound("maximum").or(highest).filter(|most| given > *most) {
            (format!("must be at most {most}"), "too large")
        } else if let Some(edge) = bound("exclusiveMinimum").filter(|edge| given <= *edge) {
            (format!("must be more than {edge}"), "too small")
        } else if let Some(edge) = bound("exclusiveMaximum").filter(|edge| given >= *edge) {
            (format!("must be less than {edge}"), "too large")
        } else {
            return Vec::new();
        };
    vec![out_of_range(node.span, place, &must, label)]
}
