use serde_json::json;

use super::*;

#[test]
fn unknown_values_are_named_by_their_path_or_the_expression() {
    for (source, expected) in [
        ("steps.later", "steps.later"),
        ("steps.later.arn", "steps.later.arn"),
        ("steps.later.items[0].name", "steps.later.items[0].name"),
        ("steps.later['a b']", "steps.later['a b']"),
        ("steps.later.name | length", "steps.later.name | length"),
        ("steps.later.n + 1", "steps.later.n + 1"),
        ("steps.later.n == 'x'", "steps.later.n == 'x'"),
        ("not steps.later", "not steps.later"),
        ("steps.later.x is defined", "steps.later.x is defined"),
        ("steps.later.x | default('y')", "steps.later.x | default('y')"),
        ("steps.later.a | int", "steps.later.a | int"),
        ("inputs[steps.later.key]", "inputs[steps.later.key]"),
        ("'a' in steps.later.list", "'a' in steps.later.list"),
        ("steps.later.a  ~\n 'b'", "steps.later.a ~ 'b'"),
        ("[steps.later.a]", "[steps.later.a]"),
        ("1 if steps.later.a else 2", "1 if steps.later.a else 2"),
        ("steps.partly.arn", "steps.partly.arn"),
        ("steps.partly.arn == 'x'", "steps.partly.arn == 'x'"),
        ("steps.partly | items | list | length", "steps.partly | items | list | length"),
        ("steps.later.x / 0", "steps.later.x / 0"),
    ] {
        let evaluated = expression(source).evaluate(&scope());
        let evaluated = evaluated.unwrap_or_else(|error| panic!("{source}: {error}"));
        assert!(evaluated.unknown, "{source}");
        let text = is_unknown(&evaluated.value).unwrap_or_else(|| panic!("{source}"));
        assert_eq!(text, expected);
        assert_eq!(to_json(&evaluated.value), json!(marker(expected)));
        assert!(!evaluated.is_true());
    }
}

#[test]
fn what_does_not_touch_an_unknown_is_known() {
    for source in ["steps.partly.name", "steps.role.arn", "true or steps.later.x", "1 + 1"] {
        assert!(!evaluate(source).unknown, "{source}");
    }
}

#[test]
fn a_map_with_unknown_parts_keeps_its_shape() {
    let evaluated = evaluate("steps.partly");
    assert!(evaluated.unknown);
    assert_eq!(to_json(&evaluated.value), json!({"arn": "⟨steps.partly.arn⟩", "name": "p"}));
    let evaluated = rendered("{a: '{{ steps.later.x }}', b: 1}");
    assert!(evaluated.unknown);
    assert_eq!(to_json(&evaluated.value), json!({"a": "⟨steps.later.x⟩", "b": 1}));
}

#[test]
fn each_segment_of_a_text_is_judged_by_itself() {
    let evaluated =
        rendered("'a-{{ steps.later.y }}-{{ inputs.number }}-{{ steps.later.z | upper }}'");
    assert!(evaluated.unknown);
    assert_eq!(to_json(&evaluated.value), json!("a-⟨steps.later.y⟩-41-⟨steps.later.z | upper⟩"));
    // Nothing is computed from such a text either.
    let vars = Namespace::new();
    vars.insert_evaluated("name", &evaluated);
    let mut scope = scope();
    scope.set("vars", &vars);
    let length = expression("vars.name | length").evaluate(&scope).unwrap();
    assert_eq!(is_unknown(&length.value).as_deref(), Some("vars.name | length"));
    let again = Template::compile(&node("'x{{ vars.name }}'")).unwrap().render(&scope).unwrap();
    assert_eq!(to_json(&again.value), json!("xa-⟨steps.later.y⟩-41-⟨steps.later.z | upper⟩"));
}

#[test]
fn secrets_are_traced_however_they_are_read() {
    for source in [
        "inputs.password",
        "inputs['password']",
        "inputs['pass' ~ 'word']",
        "inputs.password | length",
        "inputs | items | list | length",
        "inputs | tojson",
        "inputs | pprint",
        "inputs ~ ''",
        "inputs",
        "[inputs]",
        "inputs | attr('password')",
        "'x' if inputs.password == 'y' else 'z'",
        "inputs | dictsort",
        "inputs.password is defined",
        "inputs.password | b64encode",
        "inputs.password | b64encode | b64decode",
        "inputs.password | sha256",
        "inputs.password | regex_match('a')",
        "inputs.password | regex_replace('a', 'b')",
        "'x' | regex_replace('x', inputs.password)",
        "[inputs.password] | product([1])",
        "[1] | zip([inputs.password]) | list",
        "('\"' ~ inputs.password ~ '\"') | fromjson",
        "inputs.password | fromyaml",
        "inputs.password | fromcsv(header=false)",
        "inputs.password ~ '' | string | join",
        "inputs.password < 'z'",
        "inputs.password + 'x'",
        "[inputs.password, 'a'] | sort",
    ] {
        assert!(evaluate(source).secret, "{source}");
    }
    for source in ["inputs.number", "inputs.names", "inputs | length"] {
        assert!(!evaluate(source).secret, "{source}");
    }
    assert!(rendered("{a: [1, 'x{{ inputs.password }}']}").secret);
    assert!(rendered("\"{% for k in inputs %}{{ inputs[k] }}{% endfor %}\"").secret);
    assert!(!rendered("\"{% for k in inputs %}{{ k }}{% endfor %}\"").secret);
    let mut scope = scope().child();
    scope.set_secret("item", 1);
    assert!(expression("item + 1").evaluate(&scope).unwrap().secret);
}

#[test]
fn a_nested_evaluation_is_heard_of_outside() {
    let (inner, outer) = trace::observe(|| evaluate("inputs.password"));
    assert!(inner.secret && !outer.secrets.is_empty());
    let ((), after) = trace::observe(|| ());
    assert_eq!(after, trace::Touched::default());
}
