use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;
use serde_json::json;

fn knowing(secret: &str) -> Redactor {
    let redactor = Redactor::default();
    redactor.learn(secret);
    redactor
}

#[test]
fn masks_every_form() {
    let secret = "Pa\"ss w\u{f6}rd/+9";
    let redactor = knowing(secret);
    let forms = [
        secret.to_owned(),
        json!({ "p": secret }).to_string(),
        json!(json!({ "p": secret }).to_string()).to_string(),
        r#"{"p": "Pa\"ss w\u00f6rd/+9"}"#.to_owned(),
        r#"{"p": "Pa\"ss w\u00F6rd/+9"}"#.to_owned(),
        json!(r#"{"p": "Pa\"ss w\u00f6rd/+9"}"#).to_string(),
        format!("x={}", utf8_percent_encode(secret, NON_ALPHANUMERIC)),
        STANDARD.encode(secret),
        STANDARD.encode(format!("a{secret}b")),
        STANDARD.encode(format!("ab{secret}")),
        STANDARD.encode(format!("abc{secret}cd")),
    ];
    for form in forms {
        let masked = redactor.redact(&form);
        assert!(masked.contains(MASK), "{form} came out as {masked}");
        assert!(!masked.contains("rd/") && !masked.contains("w%C3%B6rd"), "{masked}");
    }
}

#[test]
fn masks_what_yaml_has_quoted() {
    let redactor = knowing("it's \"o\u{f6}\"");
    let said = r#"- '"it''s \"o\u00f6\""'"#;
    assert_eq!(redactor.redact(said), r#"- '"***"'"#);
    assert_eq!(redactor.redact("- 'it''s \"o\u{f6}\"'"), "- '***'");
}

#[test]
fn the_longer_secret_is_masked_first() {
    let redactor = knowing("pass");
    redactor.learn("password");
    assert_eq!(redactor.redact("my password, your pass"), "my ***, your ***");
}

#[test]
fn masks_values_and_keys() {
    let redactor = knowing("hunter22");
    let mut value = json!({ "a": ["x hunter22", 1], "hunter22": null });
    redactor.redact_value(&mut value);
    assert_eq!(value, json!({ "a": ["x ***", 1], "***": null }));
}

#[test]
fn an_empty_text_is_no_secret() {
    assert!(knowing("").is_empty());
    assert_eq!(knowing("").redact("abc"), "abc");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line a form")]
fn what_serialisers_make_of_a_secret_is_found() {
    let secret = "a&b<c>'d\"/e f\u{f6}-G7";
    let redactor = knowing(secret);
    let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let wrapped = |width: usize, end: &str| {
        let text = STANDARD.encode(format!("{}{secret}{}", "x".repeat(50), "y".repeat(50)));
        let lines: Vec<&str> =
            text.as_bytes().chunks(width).map(|it| std::str::from_utf8(it).unwrap()).collect();
        lines.join(end)
    };
    let forms = [
        r#"a\u0026b\u003cc\u003e'd\"/e f\u{f6}-G7"#.to_owned(),
        r"a\u0026b\u003Cc\u003E\u0027d\u0022\/e f\u00F6-G7".to_owned(),
        r#"a&b<c>'d\"\/e f\u00f6-G7"#.to_owned(),
        r#"{\"s\":\"a\\u0026b\\u003cc\\u003e'd\\\"/e f\u{f6}-G7\"}"#.to_owned(),
        "a&amp;b&lt;c&gt;'d\"/e f\u{f6}-G7".to_owned(),
        "a&amp;b&lt;c&gt;&apos;d&quot;/e f\u{f6}-G7".to_owned(),
        "a&amp;b&lt;c&gt;&#39;d&#34;/e f&#246;-G7".to_owned(),
        "a&#x26;b&#x3c;c&#x3E;&#x27;d&#x22;&#x2F;e f&#xF6;-G7".to_owned(),
        "a&amp;amp;b&amp;lt;c&amp;gt;&amp;#39;d&amp;quot;/e f\u{f6}-G7".to_owned(),
        r#"'a&b<c>'\''d"/e f\u{f6}-G7'"#.to_owned(),
        r#"'a&b<c>'"'"'d"/e f\u{f6}-G7'"#.to_owned(),
        r#"'a&b<c>\'d"/e f\u{f6}-G7'"#.to_owned(),
        r#"b'a&b<c>\'d"/e f\xc3\xb6-G7'"#.to_owned(),
        r#"a&b<c>'d"/e f\xf6-G7"#.to_owned(),
        r#"a\&b\<c\>\'d\"/e\ f\u{f6}-G7"#.to_owned(),
        r#"$'a&b<c>\'d"/e f\303\266-G7'"#.to_owned(),
        "'a&b<c>''d\"/e f\u{f6}-G7'".to_owned(),
        "\"a&b<c>'d\"\"/e f\u{f6}-G7\"".to_owned(),
        r#"a&b<c>'d"/e f\u{f6}-G7"#.to_owned(),
        "a%26b%3Cc%3E%27d%22%2Fe%20f%C3%B6-G7".to_owned(),
        "a%26b%3cc%3e%27d%22/e+f%c3%b6-G7".to_owned(),
        "a%2526b%253Cc%253E%2527d%2522%252Fe%2520f%25C3%25B6-G7".to_owned(),
        "a&b<c>'d\"/e f=C3=B6-G7".to_owned(),
        "a&b<c>'d=22/e=20f=C3=\r\n=B6-G7".to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        hex.clone(),
        hex.to_uppercase(),
        format!("0x00{hex}ff"),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
        secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", "),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(format!("ab{secret}\u{fc}\u{fc}")),
        STANDARD.encode(STANDARD.encode(secret)),
        STANDARD.encode(json!({ "s": secret }).to_string()),
        STANDARD.encode("a%26b%3Cc%3E%27d%22%2Fe%20f%C3%B6-G7"),
        wrapped(64, "\n"),
        wrapped(76, "\r\n"),
        wrapped(76, "\n  "),
        json!(wrapped(64, "\n")).to_string(),
    ];
    for form in forms {
        let text = format!("before {form} after");
        let masked = redactor.redact(&text);
        assert!(masked.contains(MASK), "{form} came out as {masked}");
        assert!(masked.len() < text.len(), "{form} came out as {masked}");
        assert!(masked.starts_with("before ") && masked.ends_with(" after"), "{form}: {masked}");
        assert!(redactor.finds_secret_in(&form), "{form}");
    }
    let mut list = json!({ "data": secret.as_bytes(), "more": [1, 2, 3] });
    redactor.redact_value(&mut list);
    assert_eq!(list, json!({ "data": MASK, "more": [1, 2, 3] }));
}

#[test]
fn what_is_no_secret_stays() {
    let redactor = knowing("123456");
    for secret in ["1234", "true", "abc", "root", "7"] {
        redactor.learn(secret);
    }
    for text in [
        "account 123456789012 has 1234 items, true",
        "arn:aws:iam::000123456000:role/x",
        "rootless uproot abcdef 7 12",
        "0.123456789",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "\\u0041 %41 &#65; ''",
    ] {
        assert_eq!(redactor.redact(text), text);
    }
    assert_eq!(redactor.redact("code 123456, user root"), "code ***, user ***");
    let mut value =
        json!({ "parameters": { "a": 123_456, "b": 1234, "c": true }, "millis": 123_456 });
    redactor.redact_event(&mut value);
    assert_eq!(value["parameters"], json!({ "a": MASK, "b": 1234, "c": true }));
    assert_eq!(value["millis"], 123_456);
}

#[test]
fn many_secrets_are_all_found() {
    let redactor = Redactor::default();
    for number in 0..100 {
        redactor.learn(&format!("secret-{number}-x"));
        let text = format!("secret-0-x, Secret-{number}-X, secret-{}-x", number + 1);
        let expected = format!("***, ***, secret-{}-x", number + 1);
        assert_eq!(redactor.redact(&text), expected);
    }
}
