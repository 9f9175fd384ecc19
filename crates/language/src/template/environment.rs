use std::cmp::Ordering;
use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::mark::MASK;
use super::runtime::{calculation, condition, conversion, data, order, refusal};
use super::value::{holds_unknown, to_text};
use super::{Value, trace};

/// Enough for any text of a playbook; a loop that never ends stops within milliseconds.
const FUEL: u64 = 200_000;

/// The filter that compiled programs put around every path: it must be defined.
pub(super) const REQUIRE: &str = "__require";
/// The same around paths that may be undefined.
pub(super) const TOUCH: &str = "__touch";
/// The same around conditions: they must be true or false.
pub(super) const CONDITION: &str = "__condition";
/// Stands for comparisons.
pub(super) const ORDER: &str = "__order";
/// Stands for operators that calculate.
pub(super) const CALCULATE: &str = "__calculate";
/// Stands for a minus sign before a value.
pub(super) const NEGATE: &str = "__negate";
/// Stands for `~`.
pub(super) const JOIN: &str = "__join";
/// The engine's own `join`.
pub(super) const ENGINE_JOIN: &str = "__engine_join";
/// The engine's own `format`.
pub(super) const ENGINE_FORMAT: &str = "__engine_format";

/// Filters that can be used.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "format",
    "fromcsv",
    "fromjson",
    "fromyaml",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "jwt_payload",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "product",
    "regex_match",
    "regex_replace",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sha256",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// Tests that can follow `is`.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// The function that stands for the content of a file.
pub(super) const FILE: &str = "file";
/// The name under which an evaluation finds the contents of files.
pub(super) const FILES: &str = "__files";

/// Functions that can be called.
pub(super) const FUNCTIONS: &[&str] = &["dict", "file", "namespace", "range"];

/// The usual delimiters; the last line break of a block of text is part of it.
pub(super) fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default()
}

/// The one environment that everything is compiled in.
pub(super) fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_syntax(syntax());
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(false);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_formatter(|output, _, value| {
            if value.is_undefined() {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            let hides = trace::hides(value);
            let text = if hides { MASK.to_owned() } else { to_text(value) };
            output.write_str(&text).map_err(Error::from)
        });
        // It prints every variable there is, secrets too.
        environment.remove_global("debug");
        environment.remove_filter("e");
        environment.add_filter(REQUIRE, require);
        environment.add_filter(TOUCH, touch);
        environment.add_filter(CONDITION, |value: &Value| condition(value));
        environment.add_filter(ORDER, order::ordered);
        environment.add_filter(CALCULATE, calculation::calculate);
        environment.add_filter(NEGATE, calculation::negate);
        environment.add_filter(JOIN, calculation::join);
        environment.add_filter(ENGINE_JOIN, minijinja::filters::join);
        environment.add_filter(ENGINE_FORMAT, minijinja::filters::format);
        add_filters(&mut environment);
        // A call with a path in quotes has the content in its place; there are no others.
        environment.add_function("file", || -> Result<Value, Error> {
            Err(refusal("this file was not read", "write its path as text in quotes"))
        });
        for (names, equal_is) in [(["eq", "equalto", "=="], true), (["ne", "!=", "!="], false)] {
            for name in names {
                environment.add_test(name, order::equality(equal_is));
            }
        }
        environment.add_test("in", order::is_in);
        for (names, holds) in [
            (["lt", "lessthan", "<"].as_slice(), Ordering::is_lt as fn(Ordering) -> bool),
            (&["le", "<="], Ordering::is_le),
            (&["gt", "greaterthan", ">"], Ordering::is_gt),
            (&["ge", ">="], Ordering::is_ge),
        ] {
            for name in names {
                environment.add_test(*name, order::test(holds));
            }
        }
        environment
    })
}

/// Filters that keep the language's rules where the engine's own do not.
fn add_filters(environment: &mut Environment<'static>) {
    environment.add_filter("tojson", data::to_json_text);
    environment.add_filter("fromjson", data::from_json_text);
    environment.add_filter("fromyaml", data::from_yaml_text);
    environment.add_filter("fromcsv", data::from_csv_text);
    environment.add_filter("b64encode", data::to_base64);
    environment.add_filter("b64decode", data::from_base64);
    environment.add_filter("sha256", data::sha256);
    environment.add_filter("jwt_payload", data::token_payload);
    environment.add_filter("regex_match", data::matches);
    environment.add_filter("regex_replace", data::replace);
    environment.add_filter("product", data::product);
    environment.add_filter("sort", order::sort);
    environment.add_filter("min", order::least);
    environment.add_filter("max", order::greatest);
    environment.add_filter("dictsort", order::sort_entries);
    environment.add_filter("groupby", order::group);
    environment.add_filter("int", conversion::to_int);
    environment.add_filter("float", conversion::to_float);
    environment.add_filter("string", conversion::to_string);
    environment.add_filter("join", conversion::join_items);
    environment.add_filter("format", conversion::format_text);
}

fn require(value: &Value, start: usize, end: usize) -> Result<Value, Error> {
    if value.is_undefined() {
        trace::mark_undefined(start..end);
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    Ok(touch(value))
}

fn touch(value: &Value) -> Value {
    if holds_unknown(value) {
        trace::mark_unknown();
    }
    value.clone()
}

/// What to write instead of a method that Python has.
pub(super) fn instead_of_method(name: &str) -> Option<&'static str> {
    let help = match name {
        "endswith" => "write `… is endingwith \"…\"`",
        "startswith" => "write `… is startingwith \"…\"`",
        "upper" => "write `… | upper`",
        "lower" | "casefold" => "write `… | lower`",
        "title" => "write `… | title`",
        "capitalize" => "write `… | capitalize`",
        "strip" | "lstrip" | "rstrip" => "write `… | trim`",
        "replace" => "write `… | replace(\"old\", \"new\")`",
        "split" => "write `… | split(\",\")`",
        "splitlines" => "write `… | lines`",
        "join" => "write `list | join(\",\")`",
        "format" => "write `\"%s\" | format(…)`",
        "count" => "write `… | length` for the number of items",
        "find" | "index" | "contains" | "__contains__" | "includes" => "write `\"part\" in …`",
        "isdigit" | "isnumeric" | "isdecimal" => "write `… is number`, or convert with `… | int`",
        "isupper" => "write `… is upper`",
        "islower" => "write `… is lower`",
        "items" => "write `… | items`",
        "keys" => "write `… | list` for the keys of a map",
        "values" => "write `… | items | map(attribute=1)`",
        "get" => "write `map.key | default(…)`",
        "append" | "extend" => "write `list + [item]`",
        "sort" => "write `… | sort`",
        "reverse" => "write `… | reverse`",
        "length" | "size" | "len" | "__len__" => "write `… | length`",
        "toString" | "to_string" => "write `… | string`",
        _ => return None,
    };
    Some(help)
}

/// What to write instead of a function that other languages have.
pub(super) fn instead_of_function(name: &str) -> Option<String> {
    match name {
        "str" => Some("write `… | string`".to_owned()),
        "now" | "utcnow" | "timestamp" => {
            Some("write `run.started` for the time at which the run began".to_owned())
        }
        "env" | "getenv" => Some("write `env.NAME`".to_owned()),
        name if FILTERS.contains(&name) => Some(format!("write `… | {name}`")),
        name => instead_of_method(name).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_filter_and_test_exists_and_no_other() {
        for (names, test) in [(FILTERS, "filter"), (TESTS, "test")] {
            for name in names {
                let source = format!("{name:?} is {test}");
                let found = environment().compile_expression_owned(source).unwrap();
                assert!(found.eval(()).unwrap().is_true(), "{test} {name}");
            }
        }
        for absent in ["e", "debug", "urlencode", "random"] {
            let source = format!("{absent:?} is filter");
            let found = environment().compile_expression_owned(source).unwrap();
            assert!(!found.eval(()).unwrap().is_true(), "{absent}");
        }
    }

    #[test]
    fn every_listed_function_exists_and_no_other() {
        let mut names: Vec<&str> = environment().globals().map(|(name, _)| name).collect();
        names.sort_unstable();
        assert_eq!(names, FUNCTIONS);
    }
}
