use serde_json::{Value, json};

use super::*;
use crate::dynamodb::value::{Item, read_item, write_item};

fn item(value: &Value) -> Item {
    read_item(value.as_object().expect("an object")).expect("an item")
}

fn placeholders(names: &[(&str, &str)], values: &Value) -> Placeholders {
    let names: BTreeMap<String, String> =
        names.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect();
    let values = values.as_object().filter(|values| !values.is_empty());
    let names = (!names.is_empty()).then_some(&names);
    Placeholders::read(names, values, true).expect("placeholders")
}

fn some_item() -> Item {
    item(&json!({
        "id": {"S": "abc"},
        "n": {"N": "5"},
        "tags": {"SS": ["x", "y"]},
        "list": {"L": [{"N": "1"}, {"S": "two"}, {"N": "3"}]},
        "map": {"M": {"branch": {"M": {"deep": {"S": "found"}}}}},
        "yes": {"BOOL": true},
    }))
}

#[test]
fn conditions_hold_or_not() {
    let values = json!({
        ":a": {"S": "a"}, ":abc": {"S": "abc"}, ":4": {"N": "4"}, ":5": {"N": "5.0"}, ":6": {"N": "6"},
        ":x": {"S": "x"}, ":S": {"S": "S"}, ":found": {"S": "found"}, ":3": {"N": "3"},
    });
    let placeholders = placeholders(&[("#l", "list"), ("#m", "map")], &values);
    for (expression, expected) in [
        ("id = :abc", true),
        ("id <> :abc", false),
        ("nothing = :abc", false),
        ("nothing <> :abc", true),
        ("NOT nothing < :6", true),
        ("n = :5 AND n >= :5 AND n <= :5", true),
        ("n > :4 and n < :6", true),
        ("n BETWEEN :4 AND :6 AND id = :abc", true),
        ("n < :abc", false),
        ("id IN (:a, :abc)", true),
        ("id = :a OR id = :abc AND n = :4", false),
        ("(id = :a OR id = :abc) AND n = :5", true),
        ("attribute_exists(#m.branch.deep)", true),
        ("attribute_not_exists(#m.branch.next2)", true),
        ("attribute_type(id, :S)", true),
        ("begins_with(id, :a)", true),
        ("contains(tags, :x) AND contains(#l, :3) AND contains(id, :a)", true),
        ("size(#l) = :3 AND size(id) = :3", true),
        ("#l[2] = :3 AND #m.branch.deep = :found", true),
        ("#l[3] = :3", false),
    ] {
        let condition = parse_condition("ConditionExpression", expression, &placeholders);
        assert_eq!(condition.expect(expression).holds(&some_item()), expected, "{expression}");
    }
}

#[test]
fn what_is_wrong_with_a_condition_is_said_as_aws_says_it() {
    let values = json!({":a": {"S": "a"}, ":l": {"L": []}, ":9": {"N": "9"}, ":1": {"N": "1"}});
    let placeholders = placeholders(&[], &values);
    for (expression, message) in [
        ("", "The expression can not be empty;"),
        ("id = ", "Syntax error; token: \"<EOF>\", near: \"=\""),
        ("id = = :a", "Syntax error; token: \"=\", near: \"= = :a\""),
        (
            "id = :b",
            "An expression attribute value used in expression is not defined; attribute value: :b",
        ),
        (
            "#i = :a",
            "An expression attribute name used in the document path is not defined; attribute name: #i",
        ),
        ("name = :a", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("exists(id)", "Invalid function name; function: exists"),
        (
            "attribute_exists(id, :a)",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number \
             of operands: 2",
        ),
        (
            "id < :l",
            "Incorrect operand type for operator or function; operator or function: <, operand type: L",
        ),
        (
            "attribute_exists(:a)",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "id BETWEEN :9 AND :1",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
             operand: AttributeValue: {\"N\":\"9\"}, upper bound operand: AttributeValue: {\"N\":\"1\"}",
        ),
    ] {
        let refused = parse_condition("ConditionExpression", expression, &placeholders);
        let refused = refused.expect_err(expression);
        assert_eq!(refused.message, format!("Invalid ConditionExpression: {message}"));
    }
}

#[test]
fn no_expression_is_too_deep_for_the_stack() {
    let placeholders = Placeholders::default();
    for expression in ["(".repeat(4000), "NOT ".repeat(1000), "size(".repeat(800)] {
        let refused = parse_condition("FilterExpression", &expression, &placeholders);
        assert!(refused.expect_err("too deep").message.contains("nested too deeply"));
    }
    let refused = parse_condition("FilterExpression", &"a".repeat(4097), &placeholders);
    assert!(refused.expect_err("too long").message.contains("expression size: 4097"));
}

#[test]
fn updates_change_what_they_name_and_nothing_else() {
    let values = json!({
        ":one": {"N": "1"}, ":s": {"S": "new"}, ":list": {"L": [{"S": "more"}]}, ":x": {"SS": ["x"]},
        ":z": {"SS": ["z"]}, ":xy": {"SS": ["x", "y"]},
    });
    let placeholders = placeholders(&[("#l", "list"), ("#m", "map")], &values);
    for (expression, changed) in [
        ("SET n = n + :one", json!({"n": {"N": "6"}})),
        ("SET n = n - :one, fresh = :s", json!({"n": {"N": "4"}, "fresh": {"S": "new"}})),
        ("SET n = if_not_exists(n, :one), m2 = if_not_exists(m2, :one)", json!({"m2": {"N": "1"}})),
        (
            "SET #l = list_append(#l, :list)",
            json!({"list": {"L": [{"N": "1"}, {"S": "two"}, {"N": "3"}, {"S": "more"}]}}),
        ),
        (
            "SET #l[9] = :s, #l[0] = :one",
            json!({"list": {"L": [{"N": "1"}, {"S": "two"}, {"N": "3"}, {"S": "new"}]}}),
        ),
        ("REMOVE #l[0], #l[1]", json!({"list": {"L": [{"N": "3"}]}})),
        (
            "SET #m.branch.next2 = :s REMOVE #m.branch.deep",
            json!({"map": {"M": {"branch": {"M": {"next2": {"S": "new"}}}}}}),
        ),
        (
            "ADD n :one, tags :z, c :one",
            json!({"n": {"N": "6"}, "tags": {"SS": ["x", "y", "z"]}, "c": {"N": "1"}}),
        ),
        ("DELETE tags :x", json!({"tags": {"SS": ["y"]}})),
        ("DELETE tags :xy", json!({"tags": null})),
        ("remove nothing", json!({})),
    ] {
        let mut expected = write_item(&some_item());
        for (name, value) in changed.as_object().expect("an object") {
            if value.is_null() {
                expected.as_object_mut().expect("an object").remove(name);
            } else {
                expected[name] = value.clone();
            }
        }
        let update = parse_update(expression, &placeholders).expect(expression);
        let updated = write_item(&update.apply(&some_item()).expect(expression));
        assert_eq!(updated, expected, "{expression}");
    }
}

#[test]
fn updates_that_cannot_be_are_refused() {
    let values = json!({":s": {"S": "s"}, ":n": {"N": "1"}});
    let placeholders = placeholders(&[], &values);
    for (expression, message) in [
        (
            "SET id = :s, id = :n",
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of \
             these paths; path one: [id], path two: [id]",
        ),
        (
            "SET a = :s SET b = :s",
            "Invalid UpdateExpression: The \"SET\" section can only be used once in an update expression;",
        ),
        (
            "ADD id :s",
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand \
             type: STRING, typeset: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "UPSERT a = :s",
            "Invalid UpdateExpression: Syntax error; token: \"UPSERT\", near: \"UPSERT a\"",
        ),
        (
            "SET a = nothing",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        ("SET a = id + :n", "An operand in the update expression has an incorrect data type"),
        (
            "SET nothing.a = :s",
            "The document path provided in the update expression is invalid for update",
        ),
    ] {
        let refused = parse_update(expression, &placeholders)
            .and_then(|update| update.apply(&some_item()))
            .expect_err(expression);
        assert_eq!(refused.message, message);
    }
}

#[test]
fn projections_keep_the_shape() {
    let placeholders = placeholders(&[("#l", "list"), ("#m", "map")], &json!({}));
    let paths = parse_projection("id, #l[2], #l[0], #m.branch.deep, nothing", &placeholders);
    assert_eq!(
        write_item(&project(&some_item(), &paths.expect("paths"))),
        json!({
            "id": {"S": "abc"},
            "list": {"L": [{"N": "1"}, {"N": "3"}]},
            "map": {"M": {"branch": {"M": {"deep": {"S": "found"}}}}},
        })
    );
}

#[test]
fn placeholders_must_be_needed_and_used() {
    let names = BTreeMap::from([("#a".to_owned(), "a".to_owned())]);
    let refused = Placeholders::read(Some(&names), None, false).expect_err("no expression");
    assert_eq!(
        refused.message,
        "ExpressionAttributeNames can only be specified when using expressions"
    );
    let empty = Placeholders::read(None, Some(&Map::new()), true).expect_err("empty");
    assert_eq!(empty.message, "ExpressionAttributeValues must not be empty");
    let values = json!({":a": {"S": "x"}, ":b": {"S": "x"}});
    let unused = placeholders(&[("#a", "a")], &values);
    parse_condition("FilterExpression", "#a = :a", &unused).expect("valid");
    assert_eq!(
        unused.check_used().expect_err(":b is not used").message,
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}"
    );
}
