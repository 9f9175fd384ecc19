mod marks;
mod properties;
mod rules;
mod traces;

use serde_json::json;

use super::*;
use crate::diagnostic::{Diagnostic, SourceId, Sources, render};
use crate::document::{self, Node};

fn node(text: &str) -> Node {
    document::parse(SourceId::default(), text).unwrap()
}

fn scope() -> Scope {
    let steps = Namespace::new();
    let role = Namespace::new();
    role.insert("arn", "arn:aws:iam::1:role/r");
    role.insert("name", "r");
    steps.insert("role", &role);
    steps.insert("later", unknown("steps.later"));
    steps.insert("mixed", from_json(&json!({"known": "k", "n": 3, "items": [1, 2]})));
    steps.insert(
        "partly",
        Value::from_pairs([("arn", unknown("steps.partly.arn")), ("name", Value::from("p"))]),
    );
    let inputs = Namespace::new();
    inputs.insert("number", 41);
    inputs.insert("names", from_json(&json!(["a", "b"])));
    inputs.insert("braces", "{{ steps.role.arn }}");
    inputs.insert("key", "role");
    inputs.insert_secret("password", "hunter22");
    let mut scope = Scope::new();
    scope.set("steps", &steps);
    scope.set("inputs", &inputs);
    scope
}

fn expression(source: &str) -> Expression {
    let quoted = format!("'{}'", source.replace('\'', "''"));
    Expression::parse(&node(&quoted)).unwrap()
}

fn evaluate(source: &str) -> Evaluated {
    expression(source).evaluate(&scope()).unwrap()
}

fn value(source: &str) -> serde_json::Value {
    to_json(&evaluate(source).value)
}

fn rendered(yaml: &str) -> Evaluated {
    Template::compile(&node(yaml)).unwrap().render(&scope()).unwrap()
}

fn error(source: &str) -> TemplateError {
    expression(source).evaluate(&scope()).unwrap_err()
}

fn faults(yaml: &str) -> Vec<Diagnostic> {
    Template::compile(&node(yaml)).unwrap_err()
}

/// The source text under every reference.
fn references(yaml: &str) -> Vec<(String, String, bool)> {
    let mut sources = Sources::new();
    sources.add("x", yaml);
    let template = Template::compile(&node(yaml)).unwrap();
    let describe = |reference: Reference| {
        (reference.path.join("."), sources.slice(reference.span).to_owned(), reference.optional)
    };
    template.references().into_iter().map(describe).collect()
}

#[test]
fn expressions_keep_types() {
    assert_eq!(value("inputs.number + 1"), json!(42));
    assert_eq!(value("inputs.number > 40 and not false"), json!(true));
    assert_eq!(value("inputs.names"), json!(["a", "b"]));
    assert_eq!(value("steps.mixed"), json!({"known": "k", "n": 3, "items": [1, 2]}));
    assert_eq!(value("inputs.number / 2"), json!(20.5));
    assert_eq!(value("none"), json!(null));
    assert_eq!(value("steps.role"), json!({"arn": "arn:aws:iam::1:role/r", "name": "r"}));
    assert_eq!(value("steps.mixed.items | map('string') | list"), json!(["1", "2"]));
    assert_eq!(value("'arn' in steps.role"), json!(true));
}

#[test]
fn constants_are_expressions() {
    for (yaml, expected) in [("true", json!(true)), ("12", json!(12)), ("1.5", json!(1.5))] {
        let parsed = Expression::parse(&node(yaml)).unwrap();
        assert_eq!(to_json(&parsed.evaluate(&scope()).unwrap().value), expected);
    }
    for yaml in ["~", "[1]", "{a: 1}"] {
        assert_eq!(Expression::parse(&node(yaml)).unwrap_err()[0].code, "wrong-type");
    }
}

#[test]
fn braces_around_a_bare_expression_are_refused() {
    let found = Expression::parse(&node("\"{{ steps.role.arn }}\"")).unwrap_err();
    assert_eq!(found[0].code, "unneeded-braces");
    assert_eq!(found[0].help.as_deref(), Some("write `steps.role.arn`"));
}

#[test]
fn a_single_expression_keeps_its_type_and_mixed_text_is_a_string() {
    assert_eq!(to_json(&rendered("'{{ inputs.number }}'").value), json!(41));
    assert_eq!(to_json(&rendered("'n{{ inputs.number }}'").value), json!("n41"));
    assert_eq!(to_json(&rendered("'{{ inputs.number }} '").value), json!("41 "));
    assert_eq!(to_json(&rendered("'{{ steps.mixed.items }}!'").value), json!("[1,2]!"));
    assert_eq!(to_json(&rendered("'x: {{ none }}'").value), json!("x: null"));
    assert_eq!(to_json(&rendered("|\n  a {{ inputs.number }}\n  b\n").value), json!("a 41\nb\n"));
    assert_eq!(
        to_json(&rendered("{a: ['{{ inputs.key }}', 1], b: {c: true}}").value),
        json!({"a": ["role", 1], "b": {"c": true}})
    );
}

#[test]
fn values_are_data_and_never_templates() {
    assert_eq!(to_json(&rendered("'{{ inputs.braces }}'").value), json!("{{ steps.role.arn }}"));
    assert_eq!(
        to_json(&rendered("'a {{ inputs.braces }}'").value),
        json!("a {{ steps.role.arn }}")
    );
    assert_eq!(to_json(&rendered("\"a {{ '{{' }}\"").value), json!("a {{"));
}

#[test]
fn statements_render_as_a_whole() {
    let yaml = "\"{% for n in inputs.names %}{{ loop.index }}{{ n }};{% endfor %}\"";
    assert_eq!(to_json(&rendered(yaml).value), json!("1a;2b;"));
    let yaml = "\"{% if steps.later.x %}yes{% endif %}\"";
    let evaluated = rendered(yaml);
    assert!(evaluated.unknown);
    assert_eq!(to_json(&evaluated.value), json!("⟨{% if steps.later.x %}yes{% endif %}⟩"));
    assert!(rendered("\"{% set p = inputs.password %}{{ p }}\"").secret);
}

#[test]
fn undefined_is_an_error_with_name_and_place() {
    for (source, name, help) in [
        ("steps.role.arm", "steps.role.arm", Some("did you mean `arn`?")),
        ("steps.rol.arn", "steps.rol", Some("did you mean `role`?")),
        ("step.role.arn", "step", Some("did you mean `steps`?")),
        ("1 + steps.role.arm", "steps.role.arm", Some("did you mean `arn`?")),
        ("steps.role.arm == 1", "steps.role.arm", Some("did you mean `arn`?")),
        ("inputs.number == 41 and steps.zzz", "steps.zzz", None),
        ("steps[inputs.key].nothing", "steps[inputs.key].nothing", None),
        ("[steps.role.nothing]", "steps.role.nothing", None),
    ] {
        let error = error(source);
        assert_eq!(error.message, format!("{name} is not defined"), "{source}");
        assert_eq!(error.help.as_deref(), help, "{source}");
        let start = u32::try_from(source.find(name).unwrap()).unwrap() + 1;
        let end = start + u32::try_from(name.len()).unwrap();
        assert_eq!((error.span.start, error.span.end), (start, end), "{source}");
    }
}

#[test]
fn undefined_is_found_behind_brackets_and_in_statements() {
    for source in ["(steps.role).nothing ~ ''", "((steps).role.nothing) ~ ''", "(steps).x.y"] {
        assert!(error(source).message.contains("not defined"), "{source}");
    }
    let yaml = "\"{% for n in inputs.names %}{{ n.x == 1 }}{% endfor %}\"";
    let error = Template::compile(&node(yaml)).unwrap().render(&scope()).unwrap_err();
    assert_eq!(error.message, "n.x is not defined");
    assert_eq!((error.span.start, error.span.end), (31, 34));
}

#[test]
fn what_is_not_evaluated_need_not_be_defined() {
    assert_eq!(value("steps.role.arm is defined"), json!(false));
    assert_eq!(value("steps.role.arm is not defined"), json!(true));
    assert_eq!(value("steps.role.arm | default('x')"), json!("x"));
    assert_eq!(value("steps.role.arm | d('x') | upper"), json!("X"));
    assert_eq!(value("false and steps.role.arm"), json!(false));
    assert_eq!(value("steps.role.arm if steps.role.arm is defined else 3"), json!(3));
    assert_eq!(error("steps.rol.arm is defined").message, "steps.rol is not defined");
}

#[test]
fn errors_never_quote_values() {
    for source in [
        "inputs.password | int",
        "inputs.password + 1",
        "inputs.password.x",
        "1 // (inputs.password | length - 8)",
        "inputs.password | fromjson",
        "inputs.password | float",
        "-inputs.password",
        "range(inputs.password)",
        "inputs.password | format(1, 2)",
        "inputs.password | batch('x')",
        "[1] | map(inputs.password) | list",
        "[1] | select(inputs.password) | list",
        "{}[inputs.password] ~ ''",
        "inputs.password | round",
        "inputs[inputs.password]",
        "dict(inputs.password)",
        "inputs.password | attr(inputs.password) | upper",
        "9223372036854775807 ** (inputs.password | length)",
    ] {
        let Err(error) = expression(source).evaluate(&scope()) else {
            continue;
        };
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("hunter22"), "{source}: {shown}");
        assert!(!error.message.is_empty());
    }
    assert_eq!(
        error("inputs.number // 0").message,
        "this calculation has no result: a division by zero, or numbers too large"
    );
    assert_eq!(
        error("inputs.names + 1").message,
        "tried to use + operator on unsupported types sequence and number"
    );
}

#[test]
fn error_places_point_at_the_failing_part() {
    let failing = "  [inputs.number, steps.role.name - 1]";
    let error = expression(failing).evaluate(&scope()).unwrap_err();
    let start = usize::try_from(error.span.start).unwrap() - 1;
    let end = usize::try_from(error.span.end).unwrap() - 1;
    assert_eq!(&failing[start..end], "steps.role.name - 1");
}

#[test]
fn endless_work_is_stopped() {
    let started = std::time::Instant::now();
    for source in ["range(100000000) | list", "'%0999999999d' | format(1)", "'a' * 1000000000"] {
        assert!(expression(source).evaluate(&scope()).is_err(), "{source}");
    }
    let loops =
        "\"{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}\"";
    let template = Template::compile(&node(loops)).unwrap();
    assert_eq!(template.render(&scope()).unwrap_err().message, "this takes too much work");
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn references_have_their_places() {
    let found = references(
        "a: '{{ steps.role.arn }}'\nb: |\n  x {{ inputs.number }}\n    y {{ steps[inputs.key].arn }}\nc: \"\\u00e9 {{ inputs['names'][0] | default(vars.z) }}\"\n",
    );
    let expected = [
        ("steps.role.arn", "steps.role.arn", false),
        ("inputs.number", "inputs.number", false),
        ("steps", "steps", false),
        ("inputs.key", "inputs.key", false),
        ("inputs.names.0", "inputs['names'][0]", true),
        ("vars.z", "vars.z", false),
    ];
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(path, text, optional)| (path.to_owned(), text.to_owned(), optional))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn local_names_and_call_targets_are_no_references() {
    let found = references(
        "\"{% for n in inputs.names %}{{ n }}{{ loop.index }}{% endfor %}{% set z = range(3) %}{{ z }}{{ n }}\"",
    );
    let paths: Vec<&str> = found.iter().map(|(path, _, _)| path.as_str()).collect();
    assert_eq!(paths, ["inputs.names", "n"]);
    let guarded = references("'{{ steps.a.b if steps.a.b is defined else inputs.c }}'");
    let optional: Vec<bool> = guarded.iter().map(|(_, _, optional)| *optional).collect();
    assert_eq!(optional, [true, true, false]);
}

#[test]
fn methods_of_other_languages_name_the_filter_to_use() {
    let found = faults("\"{{ steps.role.arn.endswith('x') }}\"");
    assert_eq!(found[0].code, "no-methods");
    assert_eq!(found[0].help.as_deref(), Some("write `… is endingwith \"…\"`"));
    let found = faults("['{{ a | lenght }}', '{{ a is strng }}', '{{ lookup(1) }}']");
    let codes: Vec<_> =
        found.iter().map(|it| (it.code.as_str(), it.help.as_deref().unwrap())).collect();
    assert_eq!(codes[0], ("unknown-filter", "did you mean `length`?"));
    assert_eq!(codes[1], ("unknown-test", "did you mean `string`?"));
    assert_eq!(codes[2].0, "unknown-function");
}

#[test]
fn syntax_errors_point_into_the_scalar() {
    let text = "a:\n  b: \"x {{ inputs.a && inputs.b }}\"\n";
    let mut sources = Sources::new();
    let id = sources.add("p.yaml", text);
    let found = Template::compile(&document::parse(id, text).unwrap()).unwrap_err();
    assert_eq!(
        render(&found, &sources, false),
        "error[template-syntax]: `&` cannot stand in an expression
 --> p.yaml:2:21
  |
2 |   b: \"x {{ inputs.a && inputs.b }}\"
  |                     ^
  |
  = help: write `and` instead of `&&`"
    );
}

#[test]
fn syntax_errors_say_what_to_write() {
    for (text, place, message, help) in [
        (
            "'{{ $HOME }}'",
            "$",
            "`$` cannot stand in an expression",
            "write `env.HOME` for a variable of the environment",
        ),
        ("'{{ !a }}'", "!", "`!` cannot stand in an expression", "write `not` instead of `!`"),
        (
            "'{{ 名 }}'",
            "名",
            "`名` cannot stand in an expression",
            "names are made of a–z, 0–9 and _; text stands in quotes",
        ),
        (
            "'{{ {{ a }} | upper }}'",
            "{{",
            "braces stand inside braces",
            "leave the inner `{{` and `}}` out",
        ),
        (
            "'{% if a %}b'",
            "{% if a %}",
            "this `{% if %}` is never closed",
            "close it with `{% endif %}`",
        ),
        (
            "'{% for a in b %}c{% endif %}'",
            "endif",
            "`{% endif %}` does not close `{% for %}`",
            "write `{% endfor %}`",
        ),
        ("'a{% endif %}'", "endif", "`{% endif %}` closes nothing", "leave it out"),
        (
            "'{% macro a() %}'",
            "macro",
            "there is no statement `macro`",
            "there are `if`, `for`, `set`, `with` and `filter`",
        ),
        (
            "'{{ }}'",
            "",
            "an expression is missing here",
            "write an expression, such as `steps.role.arn`",
        ),
    ] {
        let found = faults(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].message, message, "{text}");
        assert_eq!(found[0].help.as_deref(), Some(help), "{text}");
        let span = found[0].span.unwrap();
        assert_eq!(&text[span.start as usize..span.end as usize], place, "{text}");
    }
}

#[test]
fn a_path_is_one_with_indices_too() {
    let path = |text: &str| Expression::parse(&node(text)).unwrap().path().map(|it| it.join("/"));
    assert_eq!(path("steps.a.b").as_deref(), Some("steps/a/b"));
    assert_eq!(path("steps.a.b[0].c").as_deref(), Some("steps/a/b/0/c"));
    assert_eq!(path("steps['a'].b").as_deref(), Some("steps/a/b"));
    assert_eq!(path("steps.a[inputs.key]"), None);
    assert_eq!(path("steps.a | length"), None);
    assert_eq!(path("\"'steps.a'\""), None);
}

#[test]
fn words_with_hyphens_are_known_as_such() {
    let words = |text: &str| -> Vec<String> {
        let expression = Expression::parse(&node(text)).unwrap();
        expression.references().iter().filter_map(|it| it.word.clone()).map(|it| it.0).collect()
    };
    assert_eq!(words("run.region == eu-central-1"), ["eu-central-1", "eu-central-1"]);
    assert_eq!(words("steps.list-all.count"), ["steps.list-all.count", "steps.list-all.count"]);
    assert!(words("inputs.a - inputs.b").is_empty());
    assert!(words("inputs.a-inputs.b").is_empty());
    assert!(words("inputs.a-1").is_empty());
}

#[test]
fn operators_read_as_names_are_refused() {
    let found = faults("'{{ inputs.a is defined not in inputs.b }}'");
    assert_eq!(found[0].message, "`not` cannot stand here");
    assert_eq!((found[0].span.unwrap().start, found[0].span.unwrap().end), (24, 27));
}

#[test]
fn every_fault_is_reported() {
    assert_eq!(faults("{a: '{{ 1 + }}', b: ['{{ x', '{{ }}'], '{{ k }}': 1}").len(), 4);
    assert_eq!(faults("'{{ a }} {% nope %}'")[0].code, "template-syntax");
}

#[test]
fn structure_and_places_can_be_asked_for() {
    let text = "a:\n  - x\n  - '{{ inputs.b }}'\nc: 1\n";
    let template = Template::compile(&node(text)).unwrap();
    assert_eq!(template.literal(), None);
    assert_eq!(template.get("c").unwrap().literal(), Some(&json!(1)));
    let span = template.at(&["a", "1"]).unwrap();
    assert_eq!((span.start, span.end), (13, 29));
    assert_eq!(template.at(&["a", "7"]), None);
    let TemplateKind::Mapping(entries) = template.kind() else { panic!() };
    assert_eq!(entries[1].key.span.start, 30);
    assert!(matches!(
        template.get("a").unwrap().get("1").unwrap().kind(),
        TemplateKind::Expression(_)
    ));
    let literal = Template::compile(&node("{a: [1, 'x', ~, 1.5, 18446744073709551615]}")).unwrap();
    let expected = json!({"a": [1, "x", null, 1.5, u64::MAX]});
    assert_eq!(literal.literal(), Some(&expected));
    assert_eq!(to_json(&literal.render(&scope()).unwrap().value), expected);
}

#[test]
fn long_expressions_are_refused_before_they_exhaust_the_stack() {
    for source in [
        format!("1{}", "+1".repeat(50_000)),
        format!("a{}", "|d".repeat(50_000)),
        format!("{}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        "not ".repeat(50_000),
        format!("a{}", ".a".repeat(50_000)),
    ] {
        assert!(Expression::parse(&node(&format!("'{source}'"))).is_err());
    }
    let most = format!("'1{}'", "+1".repeat(499));
    assert!(Expression::parse(&node(&most)).unwrap().evaluate(&scope()).is_ok());
    for source in
        ["not ".repeat(999), "-".repeat(999), "[".repeat(999), format!("a{}", ".a".repeat(499))]
    {
        let _ = Expression::parse(&node(&format!("'{source}1'")));
    }
    let deep = format!("'{}{}'", "{% if 1 %}".repeat(50), "{% endif %}".repeat(50));
    assert!(Template::compile(&node(&deep)).is_ok());
    assert!(Template::compile(&node(&format!("'{}'", "{% if 1 %}".repeat(5_000)))).is_err());
}

#[test]
fn child_scopes_add_roots() {
    let parent = scope();
    let mut child = parent.child();
    child.set("item", "i");
    assert_eq!(
        to_json(&expression("item ~ inputs.key").evaluate(&child).unwrap().value),
        json!("irole")
    );
    assert_eq!(expression("item").evaluate(&parent).unwrap_err().message, "item is not defined");
    assert_eq!(child.names(), ["inputs", "item", "steps"]);
}

#[test]
fn compiled_code_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Expression>();
    shared::<Template>();
    shared::<Scope>();
    shared::<TemplateError>();
}

/// Whoever looks at one part of a choice twice, looks at the innermost for ever.
#[test]
fn what_is_nested_is_looked_at_once() {
    for (before, after) in [
        ("1 if inputs.number > 0 else ", ""),
        ("(1 if inputs.number > 0 else ", ") "),
        ("-", ""),
        ("[", "]"),
        ("1 + (", ")"),
        ("inputs.number and ", ""),
    ] {
        let source = format!("{}1{}", before.repeat(40), after.repeat(40));
        assert!(!evaluate(&source).secret, "{source}");
    }
    let nested = expression(&format!("{}1", "1 if inputs.number > 0 else ".repeat(40)));
    assert_eq!(nested.types(&|_| crate::types::Types::ANY), crate::types::Types::INTEGER);
}
