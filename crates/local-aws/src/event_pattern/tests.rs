use serde_json::{Value, json};

use super::EventPattern;

fn matches(pattern: Value, event: &Value) -> bool {
    EventPattern::read(&pattern).expect("a pattern").matches(event)
}

#[test]
fn every_kind_of_condition_holds_for_what_it_says() {
    let event = json!({
        "source": "shop.orders",
        "detail": {
            "state": "paid", "total": 42.0, "tags": ["new", "big"], "ip": "10.0.1.7",
            "items": [{"sku": "a"}, {"sku": "b"}], "note": null,
        },
    });
    for (pattern, expected) in [
        (json!({"source": ["shop.orders"]}), true),
        (json!({"source": ["shop"]}), false),
        (json!({"source": [{"prefix": "shop."}], "detail": {"state": ["open", "paid"]}}), true),
        (json!({"source": [{"prefix": {"equals-ignore-case": "SHOP"}}]}), true),
        (json!({"source": [{"suffix": ".orders"}]}), true),
        (json!({"source": [{"wildcard": "s*.ord*s"}]}), true),
        (json!({"source": [{"wildcard": "s*.x*"}]}), false),
        (json!({"source": [{"equals-ignore-case": "Shop.Orders"}]}), true),
        (json!({"detail": {"total": [42]}}), true),
        (json!({"detail": {"total": [{"numeric": [">", 40, "<=", 42]}]}}), true),
        (json!({"detail": {"total": [{"numeric": ["<", 42]}]}}), false),
        (json!({"detail": {"tags": ["big"]}}), true),
        (json!({"detail": {"tags": ["small"]}}), false),
        (json!({"detail": {"state": [{"anything-but": "open"}]}}), true),
        (json!({"detail": {"state": [{"anything-but": ["open", "paid"]}]}}), false),
        (json!({"detail": {"state": [{"anything-but": {"prefix": "pa"}}]}}), false),
        (json!({"detail": {"missing": [{"anything-but": "x"}]}}), false),
        (json!({"detail": {"missing": [{"exists": false}]}}), true),
        (json!({"missing": {"deep": [{"exists": false}]}}), true),
        (json!({"detail": {"state": [{"exists": true}]}}), true),
        (json!({"detail": {"ip": [{"cidr": "10.0.0.0/16"}]}}), true),
        (json!({"detail": {"ip": [{"cidr": "10.1.0.0/16"}]}}), false),
        (json!({"detail": {"items": {"sku": ["b"]}}}), true),
        (json!({"detail": {"note": [null]}}), true),
        (json!({"$or": [{"source": ["x"]}, {"detail": {"state": ["paid"]}}]}), true),
        (json!({"$or": [{"source": ["x"]}, {"detail": {"state": ["open"]}}]}), false),
    ] {
        assert_eq!(matches(pattern.clone(), &event), expected, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for pattern in [
        "[]",
        "{",
        r#"{"a": "b"}"#,
        r#"{"a": []}"#,
        r#"{"a": {}}"#,
        r#"{"a": [{"near": 1}]}"#,
        r#"{"a": [{"numeric": [">"]}]}"#,
        r#"{"a": [{"cidr": "x"}]}"#,
        r#"{"a": [{"exists": 1}]}"#,
    ] {
        let refused = EventPattern::parse(pattern).expect_err(pattern);
        assert!(refused.starts_with("Event pattern is not valid. Reason: "), "{refused}");
    }
}
