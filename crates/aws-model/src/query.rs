//! JMESPath, as much of it as the models use: for waiters, for pages.
//!
//! Members, indexes, flattening (`[]`), projections (`[*]`, `.*`, `[?…]`), comparisons, `&&`, `||`, `!`, lists (`[a, b]`), pipes,
//! literals, and the functions `length`, `keys`, `contains`. Every expression of every packed model is one of these: a test reads
//! them all.

mod evaluate;
mod parse;

use serde_json::Value;

/// An expression over values.
#[derive(Debug, Clone, PartialEq)]
pub struct Query(parse::Expression);

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{query}` is no expression: {what} at character {at}")]
pub struct QueryError {
    /// The text.
    pub query: String,
    /// What is wrong.
    pub what: String,
    /// Where.
    pub at: usize,
}

impl Query {
    /// The expression that a text is.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let parsed = parse::parse(query);
        parsed.map(Self).map_err(|(at, what)| QueryError { query: query.to_owned(), what, at })
    }

    /// What it finds in a value; nothing (`null`) where that is not there.
    pub fn find(&self, value: &Value) -> Value {
        evaluate::evaluate(&self.0, value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Query;

    fn find(query: &str, value: &Value) -> Value {
        Query::parse(query).unwrap_or_else(|error| panic!("{error}")).find(value)
    }

    #[test]
    fn expressions_find_what_they_say() {
        let value = json!({
            "a": {"b": [{"c": 1, "d": "x"}, {"c": 2, "d": "y"}, {"d": "y"}]},
            "nested": [[1, 2], [3], 4],
            "map": {"k": {"s": "on"}, "l": {"s": "off"}},
            "none": [],
            "with space": true,
        });
        for (query, expected) in [
            ("a.b[].c", json!([1, 2])),
            ("a.b[*].d", json!(["x", "y", "y"])),
            ("a.b[0].d", json!("x")),
            ("a.b[-1].d", json!("y")),
            ("a.b[?d == 'y'].c", json!([2])),
            ("a.b[?c && d != 'x'].d", json!(["y"])),
            ("nested[]", json!([1, 2, 3, 4])),
            ("map.*.s", json!(["on", "off"])),
            ("keys(map)", json!(["k", "l"])),
            ("length(a.b) > `2`", json!(true)),
            ("length(none) == `0` && !missing", json!(true)),
            ("missing.deeper[0]", Value::Null),
            ("missing || a.b[0].c", json!(1)),
            ("a.b[].[c, d][]", json!([1, "x", 2, "y", "y"])),
            ("\"with space\"", json!(true)),
            ("contains(map.k.s, 'n')", json!(true)),
            ("a.b | [0].c", json!(1)),
            ("length(a.b[?!(c == `1` && d == 'x')]) == `2`", json!(true)),
            ("a.b[].c | length(@)", json!(2)),
        ] {
            assert_eq!(find(query, &value), expected, "{query}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for query in
            ["", "a.", "a[", "a ||", "`not json`", "f(a", "nothing(a)", "a b", "'open", "(a"]
        {
            assert!(Query::parse(query).is_err(), "{query}");
        }
        assert!(Query::parse(&"(".repeat(10_000)).is_err());
    }
}
