use super::*;

#[test]
fn conditions_are_true_or_false() {
    let condition = |source: &str| {
        let quoted = format!("'{}'", source.replace('\'', "''"));
        Expression::condition(&node(&quoted)).unwrap().evaluate(&scope())
    };
    for (source, holds) in [
        ("inputs.number > 40 and not false", true),
        ("inputs.names | length > 0 or steps.zzz", true),
        ("true if inputs.number == 41 else 3", true),
        ("steps.role.name == 'r'", true),
        ("steps.role is defined", true),
        ("'' | bool", false),
    ] {
        assert_eq!(to_json(&condition(source).unwrap().value), json!(holds), "{source}");
    }
    for (source, kind, help) in [
        (
            "steps.role.name",
            "a string",
            "write `steps.role.name == \"true\"`, or `steps.role.name != \"\"` to ask whether it is empty",
        ),
        ("inputs.number", "a number", "write `inputs.number != 0` or another comparison"),
        ("inputs.names", "a list", "write `inputs.names | length > 0`"),
        ("steps.role", "a map", "write `steps.role | length > 0`"),
        ("none", "none", "write `none is not none`"),
        (
            "not steps.role.name",
            "a string",
            "write `steps.role.name == \"true\"`, or `steps.role.name != \"\"` to ask whether it is empty",
        ),
        ("true and inputs.number", "a number", "write `inputs.number != 0` or another comparison"),
        (
            "true if inputs.number else false",
            "a number",
            "write `inputs.number != 0` or another comparison",
        ),
        (
            "inputs.names | first",
            "a string",
            "write `… == \"true\"`, or `… != \"\"` to ask whether it is empty",
        ),
    ] {
        let error = condition(source).unwrap_err();
        assert_eq!(error.message, format!("a condition must be true or false, this is {kind}"));
        assert_eq!(error.help.as_deref(), Some(help), "{source}");
    }
    // A value is chosen as ever.
    assert_eq!(value("'' or steps.role.name"), json!("r"));
    let yaml = "\"{% if inputs.names %}yes{% endif %}\"";
    let error = Template::compile(&node(yaml)).unwrap().render(&scope()).unwrap_err();
    assert_eq!(error.help.as_deref(), Some("write `inputs.names | length > 0`"));
}

#[test]
fn only_values_of_one_kind_are_ordered() {
    for (source, holds) in [
        ("inputs.number >= 41", true),
        ("'a' < 'b'", true),
        ("1 < 2 < 3", true),
        ("1 < 2 == 2 < 1", false),
        ("1.5 < 2", true),
        ("[1, 'a'] < [1, 'b']", true),
        ("[1] < [1, 2]", true),
        ("2 is gt(1)", true),
        ("18446744073709551615 > -1", true),
    ] {
        assert_eq!(value(source), json!(holds), "{source}");
    }
    for (source, message) in [
        ("'3' >= 10", "a string and a number have no order"),
        ("none < 5", "none and a number have no order"),
        ("[1] > 5", "a list and a number have no order"),
        ("[1] < 'a'", "a list and a string have no order"),
        ("[1] < ['a']", "a number and a string have no order"),
        ("true < 2", "true or false and a number have no order"),
        ("{} < {}", "a map has no order"),
        ("none < none", "none has no order"),
        ("'3' is ge(10)", "a string and a number have no order"),
        ("[1, 'a'] | sort", "a number and a string have no order"),
        ("[1, none] | max", "a number and none have no order"),
        ("[{'n': 1}, {'n': 'a'}] | sort(attribute='n')", "a number and a string have no order"),
        ("{'a': 1, 'b': 'c'} | dictsort(by='value')", "a number and a string have no order"),
    ] {
        assert_eq!(error(source).message, message, "{source}");
    }
    assert_eq!(
        value("[{'n': 2}, {'n': 1}] | sort(attribute='n') | map(attribute='n') | list"),
        json!([1, 2])
    );
    assert_eq!(value("'3' == 3"), json!(false));
}

#[test]
fn values_of_different_kinds_are_never_equal() {
    for never in [
        "1 == true",
        "0 == false",
        "[1] == [true]",
        "{'a': 1} == {'a': true}",
        "true in [1]",
        "1 is eq(true)",
        "none == false",
        "1 != 1.0",
        "'1' in [1]",
    ] {
        assert_eq!(value(never), json!(false), "{never}");
    }
    for always in [
        "1 == 1.0",
        "[1] == [1.0]",
        "true in [1, true]",
        "1 != true",
        "1 is ne(true)",
        "3 > 2 == 2",
    ] {
        assert_eq!(value(always), json!(true), "{always}");
    }
    assert_eq!(
        value("[{'a': 1}, {'a': true}] | selectattr('a', '==', 1) | list | length"),
        json!(1)
    );
}

#[test]
fn what_is_not_defined_is_no_value() {
    for undefined in ["[] | first", "[] | max", "'abc'[10]", "1 if false", "[1, [] | last]"] {
        assert_eq!(error(undefined).message, "something in this is not defined", "{undefined}");
    }
}

#[test]
fn numbers_are_exact_or_an_error() {
    assert_eq!(value("9223372036854775807 + 1"), json!(9_223_372_036_854_775_808_u64));
    assert_eq!(value("2 ** 70 // 2 ** 60"), json!(1024));
    assert_eq!(value("-7 // 2"), json!(-4));
    assert_eq!(value("-7 % 2"), json!(1));
    assert_eq!(value("7 // -2"), json!(-4));
    assert_eq!(value("7 % -2"), json!(-1));
    assert_eq!(value("0.1 + 0.2"), json!(0.1 + 0.2));
    assert_eq!(value("'9007199254740993' | int"), json!(9_007_199_254_740_993_i64));
    for (source, message) in [
        ("1e308 * 10", "this calculation has no result: a division by zero, or numbers too large"),
        ("18446744073709551615 + 1", "this is a whole number of more than 64 bits"),
        ("[2 ** 64]", "this is a whole number of more than 64 bits"),
        ("2 ** 4000", "this calculation has no result: a division by zero, or numbers too large"),
        ("9007199254740993 / 1", "a whole number beyond 2^53 is not exact as a decimal"),
        ("9007199254740993 | float", "a whole number beyond 2^53 is not exact as a decimal"),
        ("'%d' | format('a')", "the format and its values do not fit"),
        ("range(1, 10000000000)", "this range has too many items"),
        ("'abc' | int", "this text is no whole number"),
        ("'1e400' | float", "this text is no number"),
        (
            "'12345678901234567890123' | fromjson",
            "this JSON has a number of more digits than can be kept",
        ),
        (
            "'[0.12345678901234567890123]' | fromjson",
            "this JSON has a number of more digits than can be kept",
        ),
    ] {
        assert_eq!(error(source).message, message, "{source}");
    }
}

#[test]
fn truth_and_nothing_have_one_spelling_in_texts() {
    assert_eq!(value("true ~ '|' ~ none ~ '|' ~ [true, none]"), json!("true|null|[true,null]"));
    assert_eq!(value("[true, none, 'a'] | join(',')"), json!("true,null,a"));
    assert_eq!(value("true | string"), json!("true"));
    assert_eq!(value("'%s %s %d' | format(true, none, 3)"), json!("true null 3"));
    assert_eq!(to_json(&rendered("'{{ true }} {{ none }}'").value), json!("true null"));
    let yaml = "\"{% if true %}{{ true }} {{ none }}{% endif %}\"";
    assert_eq!(to_json(&rendered(yaml).value), json!("true null"));
}
