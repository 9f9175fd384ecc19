//! What is secret of a value, and what may be shown of it.

use super::*;
use crate::template::{Evaluated, MASK, is_distinctive};
use serde_json::json;

fn secrets() -> Scope {
    let inputs = Namespace::new();
    inputs.insert_secret("s", "hunter22");
    inputs.insert_secret("pin", "1234");
    inputs.insert_secret("map", from_json(&json!({"deep": [7, "x"], "on": true})));
    inputs.insert("name", "ann");
    let clients = from_json(&json!([]));
    let mut items: Vec<Value> = clients.try_iter().unwrap().collect();
    for name in ["web", "app"] {
        let outputs = Namespace::new();
        outputs.insert("name", name);
        outputs.insert_secret("secret", format!("{name}-secret-key"));
        items.push(Value::from(outputs));
    }
    let steps = Namespace::new();
    let clients = Namespace::new();
    clients.insert("items", Value::from(items));
    steps.insert("clients", clients);
    let log = json!({"lines": ["START", "it is hunter22", "END"], "count": 3});
    let log = Evaluated::with_marks(from_json(&log), &mut |_, leaf| match leaf.as_str() {
        Some(text) if text.contains("hunter22") => Mark::Shown(text.into()),
        _ => Mark::Open,
    });
    steps.insert_evaluated("log", &log);
    let mut scope = Scope::new();
    scope.set("inputs", inputs);
    scope.set("steps", steps);
    scope
}

#[track_caller]
fn shown(yaml: &str) -> serde_json::Value {
    Template::compile(&node(yaml)).unwrap().render(&secrets()).unwrap().shown()
}

#[track_caller]
fn shown_of(source: &str) -> serde_json::Value {
    expression(source).evaluate(&secrets()).unwrap().shown()
}

#[test]
fn what_is_made_from_a_secret_is_hidden_whatever_its_type() {
    for source in [
        "inputs.s",
        "inputs.s | upper",
        "inputs.pin | int",
        "inputs.pin | int > 1000",
        "inputs.s | length",
        "inputs.s | first",
        "inputs.s[0]",
        "inputs.s | join('-')",
        "inputs.s | replace('h', 'H')",
        "inputs.s ~ ' / ' ~ (inputs.s | upper)",
        "inputs.s[1:]",
        "inputs.s | list | reverse | join",
        "'yes' if inputs.pin == '1234' else 'no'",
        "inputs.map.on",
        "inputs.map.deep[0]",
        "inputs.pin ~ ''",
        "steps.clients.items | map(attribute='secret') | map('upper') | first",
        "inputs.s in 'hunter22'",
        "inputs.map | tojson",
    ] {
        assert_eq!(shown_of(source), MASK, "{source}");
    }
    assert_eq!(shown_of("inputs.map"), json!({"deep": [MASK, MASK], "on": MASK}));
    assert_eq!(shown_of("inputs.s | list"), json!(vec![MASK; 8]));
}

#[test]
fn what_stands_beside_a_secret_is_not() {
    let masked = json!([{"name": "web", "secret": MASK}, {"name": "app", "secret": MASK}]);
    assert_eq!(shown_of("steps.clients.items"), masked);
    assert_eq!(shown_of("steps.clients.items | list"), masked);
    assert_eq!(shown_of("steps.clients.items | first"), masked[0]);
    assert_eq!(shown_of("steps.clients.items[1].name | upper"), "APP");
    assert_eq!(shown_of("steps.clients.items | map(attribute='name') | join('+')"), "web+app");
    assert_eq!(shown_of("steps.clients.items | length"), 2);
    assert_eq!(shown_of("{'n': inputs.name, 's': steps.clients}")["n"], "ann");
    assert_eq!(
        shown("{a: '{{ inputs.s }}', b: '{{ inputs.name }}', c: 1}"),
        json!({"a": MASK, "b": "ann", "c": 1})
    );
    assert_eq!(shown("'{{ inputs.name }}: {{ inputs.pin | int }}'"), "ann: ***");
    assert_eq!(shown("'{{ inputs.s }} / {{ inputs.s | upper }}'"), "*** / ***");
    assert_eq!(shown("'{{ steps.clients.items }}'"), masked);
}

#[test]
fn what_only_holds_a_secret_is_shown_but_for_it() {
    // A search for known secrets sees to the rest.
    assert_eq!(shown_of("steps.log.lines[1]"), "it is hunter22");
    assert_eq!(shown_of("steps.log.lines | join('; ')"), "START; it is hunter22; END");
    assert_eq!(shown_of("steps.log.lines"), json!(["START", "it is hunter22", "END"]));
    assert_eq!(shown_of("'the log: ' ~ steps.log.lines[1]"), MASK);
    assert_eq!(shown("'the log: {{ steps.log.lines[1] }}'"), "the log: it is hunter22");
    assert_eq!(shown_of("steps.log.lines[1] | upper"), MASK);
    assert_eq!(shown_of("steps.log.lines[0] | upper"), "START");
    assert_eq!(shown_of("steps.log.count + 1"), 4);
}

#[test]
fn statements_hide_what_they_print_of_a_secret() {
    let text = |source: &str| shown(&serde_json::to_string(source).unwrap());
    assert_eq!(
        text(
            "{% for c in steps.clients.items %}{{ c.name }}={{ c.secret }};{{ c.name }} {% endfor %}"
        ),
        "web=***;web app=***;app "
    );
    assert_eq!(
        text("{% if inputs.name == 'ann' %}{{ inputs.pin | int }}, {{ inputs.name }}{% endif %}"),
        "***, ann"
    );
    assert_eq!(
        text("{{ inputs.name }}{% set x = inputs.s | upper %}, {{ x }} {{ x }}"),
        "ann, *** ***"
    );
    assert_eq!(text("{% for c in inputs.map.deep %}{{ c }}{{ c }}{% endfor %}"), "************");
    let learned = Template::compile(&node("\"{% if true %}{{ inputs.s | reverse }}{% endif %}\""));
    let learned = learned.unwrap().render(&secrets()).unwrap();
    assert!(learned.secrets.contains(&Value::from("22retnuh")), "{:?}", learned.secrets);
}

#[test]
fn parts_of_a_result_keep_their_marks() {
    let evaluated = expression("steps.clients.items").evaluate(&secrets()).unwrap();
    let items = evaluated.items().unwrap();
    let mut scope = secrets().child();
    scope.set_evaluated("item", &items[0]);
    assert!(!expression("item.name").evaluate(&scope).unwrap().secret);
    assert!(expression("item.secret").evaluate(&scope).unwrap().secret);
    let item = scope.look_up(&["item", "secret"]).unwrap();
    assert_eq!(item.shown(), MASK);
    assert_eq!(scope.look_up(&["item", "name"]).unwrap().shown_text(), "web");
    let list = expression("inputs.map.deep").evaluate(&secrets()).unwrap().items().unwrap();
    scope.set_evaluated("item", &list[0]);
    assert_eq!(expression("item + 1").evaluate(&scope).unwrap().shown(), MASK);
    assert_eq!(evaluated.items().unwrap()[1].field("secret").unwrap().shown(), MASK);
}

#[test]
fn everyday_texts_and_short_numbers_are_not_searched_for() {
    for text in ["", "abc", "1234", "true", "None", "12.50", "-1e4"] {
        assert!(!is_distinctive(text), "{text}");
    }
    for text in ["abcd", "123456", "a1b2", "hunter22"] {
        assert!(is_distinctive(text), "{text}");
    }
}
