use proptest::collection::{btree_map, hash_map, vec};
use proptest::prelude::*;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "tests read better so")]
fn of(value: Value) -> Result<AttributeValue, Unfit> {
    of_plain(&value)
}

#[test]
fn plain_data_becomes_what_it_says() {
    let cases = [
        (json!("text"), AttributeValue::S("text".to_owned())),
        (json!(""), AttributeValue::S(String::new())),
        (json!(42), AttributeValue::N("42".to_owned())),
        (json!(1.5), AttributeValue::N("1.5".to_owned())),
        (json!(true), AttributeValue::Bool(true)),
        (json!(null), AttributeValue::Null(true)),
        (json!([]), AttributeValue::L(Vec::new())),
        (json!({}), AttributeValue::M(HashMap::new())),
        (json!({"$binary": "AAE="}), AttributeValue::B(Blob::new([0, 1]))),
        (json!({"$set": ["a"]}), AttributeValue::Ss(vec!["a".to_owned()])),
        (json!({"$set": [1, 2.5]}), AttributeValue::Ns(vec!["1".to_owned(), "2.5".to_owned()])),
        (json!({"$set": [{"$binary": ""}]}), AttributeValue::Bs(vec![Blob::new([])])),
    ];
    for (value, attribute) in cases {
        assert_eq!(of(value.clone()).as_ref(), Ok(&attribute));
        assert_eq!(to_plain(&attribute), value);
    }
}

#[test]
fn numbers_keep_every_digit() {
    let long = "3.1415926535897932384626433832795028842";
    assert_eq!(number(long), json!({"$number": long}));
    assert_eq!(of(number(long)), Ok(AttributeValue::N(long.to_owned())));
    assert_eq!(number("9007199254740993"), json!(9_007_199_254_740_993_i64));
    assert_eq!(number("18446744073709551615"), json!(u64::MAX));
    // The nearest double is written as 18446744073709552000, which is not the same number.
    assert_eq!(number("18446744073709551616"), json!({"$number": "18446744073709551616"}));
    assert_eq!(number("100000000000000000000"), json!(1e20));
    assert_eq!(number("0.1"), json!(0.1));
    assert_eq!(number("1E-130"), json!(1e-130));
    assert_eq!(of(json!({"$number": 7})), Ok(AttributeValue::N("7".to_owned())));
}

#[test]
fn a_map_that_looks_like_something_else_stays_a_map() {
    let odd = AttributeValue::M(HashMap::from([("$set".to_owned(), AttributeValue::Null(true))]));
    assert_eq!(to_plain(&odd), json!({"$map": {"$set": null}}));
    assert_eq!(of(json!({"$map": {"$set": null}})), Ok(odd));
    let other = json!({"$other": 1});
    assert_eq!(to_plain(&of(other.clone()).expect("a map")), other);
    let two = json!({"$number": 1, "$set": 2});
    assert_eq!(to_plain(&of(two.clone()).expect("a map")), two);
}

#[test]
fn what_does_not_fit_is_said_where_it_stands() {
    let fields = json!({"a": [1, {"$set": [1, "x"]}]});
    let unfit = item(fields.as_object().expect("a map"), false).expect_err("mixed");
    let StepError::Input { field, message, .. } = unfit.of("item") else {
        panic!("not a fault of the input")
    };
    assert_eq!(field, ["item", "a", "1"]);
    assert_eq!(message, "what is in a set is of one type");
    for wrong in [
        json!({"$set": []}),
        json!({"$set": [true]}),
        json!({"$set": "a"}),
        json!({"$binary": "%"}),
        json!({"$binary": 1}),
        json!({"$number": "x"}),
        json!({"$number": null}),
        json!({"$map": []}),
    ] {
        assert!(of(wrong.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_not_known_yet_is_not_wrong() {
    for value in [json!({"$binary": "⟨steps.a.b⟩"}), json!({"$number": "⟨steps.a.b⟩"})] {
        let error = of(value).expect_err("unknown").of("item");
        assert!(matches!(error, StepError::NotPlannable { .. }), "{error}");
    }
}

#[test]
fn types_can_be_written_out() {
    let typed = json!({
        "a": {"S": "x"}, "b": {"N": "1.50"}, "c": {"B": "AAE="}, "d": {"BOOL": false}, "e": {"NULL": true},
        "f": {"M": {"g": {"L": [{"S": "y"}]}}}, "h": {"SS": ["z"]}, "i": {"NS": ["1"]}, "j": {"BS": ["AA=="]},
    });
    let item = item(typed.as_object().expect("a map"), true).expect("typed");
    assert_eq!(Value::Object(plain(&item, true)), typed);
    for wrong in
        [json!("x"), json!({"S": 1}), json!({"X": "y"}), json!({}), json!({"S": "a", "N": "1"})]
    {
        assert!(of_typed(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn sameness_is_that_of_dynamodb() {
    let numbers = |texts: &[&str]| AttributeValue::Ns(texts.iter().map(|&it| it.into()).collect());
    assert!(same(&numbers(&["1.0", "2"]), &numbers(&["2", "1"])));
    assert!(!same(&numbers(&["1"]), &numbers(&["2", "1"])));
    assert!(same(&of(json!([{"a": 1.0}])).expect("fit"), &of(json!([{"a": 1}])).expect("fit")));
    assert!(!same(&of(json!("1")).expect("fit"), &of(json!(1)).expect("fit")));
    let of = |value: Value| item(value.as_object().expect("a map"), false).expect("fit");
    let (one, other) = (of(json!({"k": 1})), of(json!({"k": 1, "seen": "today"})));
    assert!(!same_items(&one, &other, &[]));
    assert!(same_items(&one, &other, &["seen".to_owned()]));
}

fn plain_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |it| it.is_finite() && *it != 0.0).prop_map(Value::from),
        ".*".prop_map(Value::from),
        vec(any::<u8>(), 0..9).prop_map(|bytes| json!({"$binary": BASE64_STANDARD.encode(bytes)})),
        vec(".*", 1..4).prop_map(|texts| json!({"$set": texts})),
        vec(any::<i64>(), 1..4).prop_map(|numbers| json!({"$set": numbers})),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{1,3}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn attribute() -> impl Strategy<Value = AttributeValue> {
    let decimal = "-?[1-9][0-9]{0,25}(\\.[0-9]{0,11}[1-9])?";
    let blob = || vec(any::<u8>(), 0..9).prop_map(Blob::new);
    let leaf = prop_oneof![
        ".*".prop_map(AttributeValue::S),
        decimal.prop_map(AttributeValue::N),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null(true)),
        blob().prop_map(AttributeValue::B),
        vec(".*", 1..4).prop_map(AttributeValue::Ss),
        vec(decimal, 1..4).prop_map(AttributeValue::Ns),
        vec(blob(), 1..4).prop_map(AttributeValue::Bs),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            hash_map(prop_oneof!["[a-z]{1,3}", "\\$(set|map|number|binary)"], inner, 0..4)
                .prop_map(AttributeValue::M),
        ]
    })
}

proptest! {
    #[test]
    fn plain_data_comes_back_as_it_was(value in plain_value()) {
        prop_assert_eq!(to_plain(&of_plain(&value).expect("fit")), value);
    }

    #[test]
    fn what_dynamodb_holds_comes_back_the_same(attribute in attribute()) {
        let back = of_plain(&to_plain(&attribute)).expect("fit");
        prop_assert!(same(&back, &attribute), "{back:?}");
        prop_assert_eq!(of_typed(&to_typed(&attribute)), Ok(attribute));
    }

    #[test]
    fn anything_at_all_is_taken_or_refused(value in plain_value(), mark in "\\$(set|map|number|binary)") {
        let _ = of_plain(&json!({mark: value.clone()}));
        let _ = of_typed(&value);
    }
}
