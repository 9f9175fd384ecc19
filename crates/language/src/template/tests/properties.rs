use minijinja::machinery::parse_expr;
use proptest::prelude::*;

use super::*;

fn text_node(text: &str) -> Node {
    let span = crate::diagnostic::Span::new(SourceId::default(), 0, text.len());
    Node::new(span, document::NodeKind::String(document::Text::new(text, span)))
}

fn check(text: &str) {
    let node = text_node(text);
    if let Ok(parsed) = Expression::parse(&node) {
        let _ = parsed.evaluate(&scope());
    }
    if let Ok(template) = Template::compile(&node) {
        let _ = template.render(&scope());
    }
}

/// Expressions of the grammar, most of which are valid.
fn source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("inputs.number".to_owned()),
        Just("inputs['names']".to_owned()),
        Just("steps.role.arn".to_owned()),
        Just("steps.mixed.n".to_owned()),
        Just("inputs.key".to_owned()),
        Just("steps[inputs.key].name".to_owned()),
        Just("(steps).role".to_owned()),
        Just("steps.mixed.missing".to_owned()),
        Just("3".to_owned()),
        Just("'é)'".to_owned()),
        Just("none".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            (
                pair.clone(),
                prop::sample::select(
                    &["+", "-", "*", "~", "==", "<", "and", "or", "in", "not in"][..]
                )
            )
                .prop_map(|((a, b), operator)| format!("{a} {operator} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.clone().prop_map(|a| format!("{a} is defined")),
            inner.clone().prop_map(|a| format!("{a} | default(1)")),
            inner.clone().prop_map(|a| format!("{a} | string | length")),
            inner.clone().prop_map(|a| format!("{a}.x")),
            inner.clone().prop_map(|a| format!("{a}[0:1]")),
            pair.clone().prop_map(|(a, b)| format!("{a}[{b}]")),
            pair.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            pair.clone().prop_map(|(a, b)| format!("{{'k': {a}, 'l': {b}}}")),
            (pair, inner).prop_map(|((a, b), c)| format!("{a} if {b} else {c}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_compiled_or_refused(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn anything_like_a_template_is_compiled_or_refused(
        text in r#"(\{\{|\}\}|\{%|%\}|\{#|#\}|-| |\n|é|a|steps|\.|\[|\]|\(|\)|'|"|\\|\||,|:|=|\+|\*|~|1|9| if | else | for a in | endfor | endif | set | is | not | and | defined| default|range|loop|raw|endraw|with|do|filter|upper){0,30}"#
    ) {
        check(&text);
        check(&format!("{{{{ {text} }}}}"));
    }

    /// The checks that are put around parts change neither what compiles nor what it gives where that is not refused.
    #[test]
    fn checked_expressions_agree_with_the_engine(source in source()) {
        let parsed = parse_expr(&source);
        let ours = Expression::parse(&text_node(&source));
        // `x is defined.y` asks for a test of that name, `x is defined not in y` tests `not`.
        if let Err(found) = &ours
            && (found[0].code.as_str().starts_with("unknown-") || found[0].message.ends_with("` cannot stand here"))
        {
            return Ok(());
        }
        prop_assert_eq!(parsed.is_ok(), ours.is_ok(), "{}: {:?}", source, ours);
        let Ok(ours) = ours else { return Ok(()) };
        let engine = environment::environment().compile_expression(&source).unwrap();
        let expected = engine.eval(scope().context());
        match (ours.evaluate(&scope()), expected) {
            (Ok(ours), Ok(expected)) => {
                // Truth and nothing are spelled as in JSON here.
                if !source.contains('~') {
                    prop_assert_eq!(to_json(&ours.value), to_json(&expected), "{}", source);
                }
            }
            (Ok(ours), Err(error)) => {
                prop_assert!(false, "{}: {:?} but {}", source, ours, error);
            }
            // What is undefined, no condition or without an order is an error here also where the engine lets it pass.
            (Err(error), Ok(_)) => {
                let ours = ["is not defined", "must be true or false", "no order", "tried to use", "not defined"];
                let known = ours.iter().any(|it| error.message.contains(it));
                prop_assert!(known, "{}: {}", source, error);
            }
            (Err(_), Err(_)) => {}
        }
    }

    /// Whatever is done with an unknown value, nothing is computed from it.
    #[test]
    fn nothing_is_computed_from_the_unknown(source in source()) {
        let mut scope = scope();
        let steps = Namespace::new();
        for name in ["role", "mixed"] {
            steps.insert(name, unknown(format!("steps.{name}")));
        }
        scope.set("steps", &steps);
        let Ok(parsed) = Expression::parse(&text_node(&source)) else { return Ok(()) };
        let always_read = source.starts_with("steps.") && !source.contains(" if ");
        if let Ok(evaluated) = parsed.evaluate(&scope) {
            let shown = to_text(&evaluated.value);
            prop_assert_eq!(evaluated.unknown, shown.starts_with('⟨'), "{}: {}", source, shown);
            prop_assert!(evaluated.unknown || !always_read, "{}: {}", source, shown);
        }
    }
}
