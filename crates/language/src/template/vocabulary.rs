//! What expressions can call: every filter, test and function with an example that is held to be true.

/// A filter, test or function.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
    /// What that comes to, as JSON.
    pub gives: &'static str,
}

const fn word(name: &'static str, example: &'static str, gives: &'static str) -> Word {
    Word { name, example, gives }
}

/// The filters: `value | filter`.
pub const FILTER_WORDS: &[Word] = &[
    word("abs", "-3 | abs", "3"),
    word("attr", "{'a': 1} | attr('a')", "1"),
    word("b64decode", "'YWRh' | b64decode", "\"ada\""),
    word("b64encode", "'ada' | b64encode", "\"YWRh\""),
    word("batch", "[1, 2, 3] | batch(2) | list", "[[1,2],[3]]"),
    word("bool", "'' | bool", "false"),
    word("capitalize", "'ada' | capitalize", "\"Ada\""),
    word("chain", "[1] | chain([2]) | list", "[1,2]"),
    word("count", "[1, 2] | count", "2"),
    word("d", "{}.a | d('none')", "\"none\""),
    word("default", "{}.a | default('none')", "\"none\""),
    word("dictsort", "{'b': 1, 'a': 2} | dictsort", "[[\"a\",2],[\"b\",1]]"),
    word("escape", "'<a>' | escape", "\"&lt;a&gt;\""),
    word("first", "[1, 2] | first", "1"),
    word("float", "'1.5' | float", "1.5"),
    word("format", "'%s: %03d' | format('n', 7)", "\"n: 007\""),
    word("fromcsv", "'name,n\\nada,1' | fromcsv", "[{\"name\":\"ada\",\"n\":\"1\"}]"),
    word("fromjson", "'[1]' | fromjson", "[1]"),
    word("fromyaml", "'a: [1]' | fromyaml", "{\"a\":[1]}"),
    word(
        "groupby",
        "[{'k': 1, 'n': 2}] | groupby('k') | map('last') | list",
        "[[{\"k\":1,\"n\":2}]]",
    ),
    word("indent", "'a\\nb' | indent(2)", "\"a\\n  b\""),
    word("int", "'42' | int", "42"),
    word("items", "{'a': 1} | items", "[[\"a\",1]]"),
    word("join", "['a', 'b'] | join(', ')", "\"a, b\""),
    word(
        "jwt_payload",
        "'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.' | jwt_payload",
        "{\"sub\":\"ada\"}",
    ),
    word("last", "[1, 2] | last", "2"),
    word("length", "'abc' | length", "3"),
    word("lines", "'a\\nb' | lines", "[\"a\",\"b\"]"),
    word("list", "'ab' | list", "[\"a\",\"b\"]"),
    word("lower", "'ADA' | lower", "\"ada\""),
    word("map", "[{'n': 1}, {'n': 2}] | map(attribute='n') | list", "[1,2]"),
    word("max", "[1, 3, 2] | max", "3"),
    word("min", "[2, 1] | min", "1"),
    word("pprint", "[1] | pprint", "\"[\\n    1,\\n]\""),
    word("product", "[1, 2] | product(['a']) | list", "[[1,\"a\"],[2,\"a\"]]"),
    word("regex_match", "'ada-7' | regex_match('^[a-z]+-[0-9]$')", "true"),
    word("regex_replace", "'ada-7' | regex_replace('([a-z]+)-', '${1}_')", "\"ada_7\""),
    word("reject", "[1, 2] | reject('even') | list", "[1]"),
    word("rejectattr", "[{'n': 0}, {'n': 1}] | rejectattr('n') | list", "[{\"n\":0}]"),
    word("replace", "'a-b' | replace('-', '_')", "\"a_b\""),
    word("reverse", "[1, 2] | reverse", "[2,1]"),
    word("round", "2.345 | round(1)", "2.3"),
    word("safe", "'a' | safe", "\"a\""),
    word("select", "[1, 2] | select('even') | list", "[2]"),
    word("selectattr", "[{'n': 0}, {'n': 1}] | selectattr('n') | list", "[{\"n\":1}]"),
    word(
        "sha256",
        "'ada' | sha256",
        "\"fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029\"",
    ),
    word("slice", "[1, 2, 3] | slice(2) | list", "[[1,2],[3]]"),
    word("sort", "['b', 'a'] | sort", "[\"a\",\"b\"]"),
    word("split", "'a,b' | split(',') | list", "[\"a\",\"b\"]"),
    word("string", "42 | string", "\"42\""),
    word("sum", "[1, 2] | sum", "3"),
    word("title", "'ada lovelace' | title", "\"Ada Lovelace\""),
    word("tojson", "{'a': [1]} | tojson", "\"{\\\"a\\\":[1]}\""),
    word("trim", "' a ' | trim", "\"a\""),
    word("unique", "[1, 1, 2] | unique | list", "[1,2]"),
    word("upper", "'ada' | upper", "\"ADA\""),
    word("zip", "[1, 2] | zip(['a', 'b']) | list", "[[1,\"a\"],[2,\"b\"]]"),
];

/// The tests: `value is test`, `value is not test`.
pub const TEST_WORDS: &[Word] = &[
    word("boolean", "true is boolean", "true"),
    word("defined", "{}.a is defined", "false"),
    word("divisibleby", "6 is divisibleby(3)", "true"),
    word("endingwith", "'a.yaml' is endingwith('.yaml')", "true"),
    word("eq", "1 is eq(1)", "true"),
    word("equalto", "1 is equalto(1)", "true"),
    word("escaped", "'a' is escaped", "false"),
    word("even", "2 is even", "true"),
    word("false", "0 is false", "false"),
    word("filter", "'upper' is filter", "true"),
    word("float", "1.5 is float", "true"),
    word("ge", "2 is ge(1)", "true"),
    word("greaterthan", "2 is greaterthan(1)", "true"),
    word("gt", "2 is gt(1)", "true"),
    word("in", "1 is in([1, 2])", "true"),
    word("int", "1 is int", "true"),
    word("integer", "1 is integer", "true"),
    word("iterable", "[1] is iterable", "true"),
    word("le", "1 is le(1)", "true"),
    word("lessthan", "1 is lessthan(2)", "true"),
    word("lower", "'a' is lower", "true"),
    word("lt", "1 is lt(2)", "true"),
    word("mapping", "{} is mapping", "true"),
    word("ne", "1 is ne(2)", "true"),
    word("none", "none is none", "true"),
    word("number", "1.5 is number", "true"),
    word("odd", "1 is odd", "true"),
    word("safe", "'a' is safe", "false"),
    word("sameas", "1 is sameas(1)", "true"),
    word("sequence", "[1] is sequence", "true"),
    word("startingwith", "'arn:aws' is startingwith('arn:')", "true"),
    word("string", "'a' is string", "true"),
    word("test", "'even' is test", "true"),
    word("true", "1 is true", "false"),
    word("undefined", "{}.a is undefined", "true"),
    word("upper", "'A' is upper", "true"),
];

/// The functions.
pub const FUNCTION_WORDS: &[Word] = &[
    word("dict", "dict(a=1)", "{\"a\":1}"),
    word("file", "file('data.json') | fromjson", "{\"a\":1}"),
    word("namespace", "namespace(n=1).n", "1"),
    word("range", "range(1, 4) | list", "[1,2,3]"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Sources;
    use crate::document;
    use crate::template::environment::{FILTERS, FUNCTIONS, TESTS};
    use crate::template::{Expression, Scope, to_json};

    #[test]
    fn every_filter_test_and_function_has_an_example() {
        for (words, names) in
            [(FILTER_WORDS, FILTERS), (TEST_WORDS, TESTS), (FUNCTION_WORDS, FUNCTIONS)]
        {
            let words: Vec<&str> = words.iter().map(|word| word.name).collect();
            assert_eq!(words, names);
        }
    }

    #[test]
    fn examples_give_what_they_say() {
        let mut wrong = Vec::new();
        for word in FILTER_WORDS.iter().chain(TEST_WORDS).chain(FUNCTION_WORDS) {
            assert!(word.example.contains(word.name), "{word:?}");
            let mut sources = Sources::new();
            let text = serde_json::to_string(word.example).unwrap();
            let source = sources.add("example".to_owned(), text.as_str());
            let node = document::parse(source, &text).unwrap();
            let found = Expression::parse(&node)
                .map_err(|faults| format!("{faults:?}"))
                .and_then(|it| {
                    let file = ("data.json".to_owned(), r#"{"a": 1}"#.to_owned());
                    it.provide(&[file].into());
                    it.evaluate(&Scope::new()).map_err(|error| error.to_string())
                })
                .map(|it| to_json(&it.value).to_string());
            if found.as_deref() != Ok(word.gives) {
                wrong.push(format!("{}: {found:?}, not {}", word.example, word.gives));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
