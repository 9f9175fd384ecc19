use serde_json::json;

use super::*;
use crate::diagnostic::{Code, Diagnostic, SourceId, Sources, render};

fn read(text: &str) -> Node {
    parse(SourceId::default(), text).unwrap_or_else(|found| panic!("{found:?}"))
}

fn fault(text: &str) -> Diagnostic {
    parse(SourceId::default(), text).unwrap_err().swap_remove(0)
}

fn slice(text: &str, span: Span) -> &str {
    &text[usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap()]
}

/// The source text of every key and value, in order.
fn places<'a>(text: &'a str, node: &Node, found: &mut Vec<&'a str>) {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().for_each(|item| places(text, item, found)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                found.push(slice(text, entry.key.span));
                places(text, &entry.value, found);
            }
        }
        _ => found.push(slice(text, node.span)),
    }
}

/// Where a part of the value under `k` stands.
fn located<'a>(text: &'a str, part: &str) -> &'a str {
    let node = read(text);
    let value = node.get("k").unwrap();
    let start = value.as_str().unwrap().find(part).unwrap();
    slice(text, value.locate(start..start + part.len()))
}

#[test]
fn every_key_and_scalar_knows_its_place() {
    let text = "plain: abc def\n'sq': 'it''s'\n\"dq\": \"a\\tb\" # c\nnum: 12\nnone:\nflow: {a: [1, \"x\"], é: ü}\nlit: |  # why\n  one\n    two\n\n\nfold: >-\n  p\n  q\nlist:\n- x\n- y: 1\n  z: ~\nmulti: one\n  two\n";
    let mut found = Vec::new();
    places(text, &read(text), &mut found);
    let expected = [
        "plain",
        "abc def",
        "'sq'",
        "'it''s'",
        "\"dq\"",
        "\"a\\tb\"",
        "num",
        "12",
        "none",
        "",
        "flow",
        "a",
        "1",
        "\"x\"",
        "é",
        "ü",
        "lit",
        "one\n    two",
        "fold",
        "p\n  q",
        "list",
        "x",
        "y",
        "1",
        "z",
        "~",
        "multi",
        "one\n  two",
    ];
    assert_eq!(found, expected);
}

#[test]
fn collections_span_from_their_first_to_their_last_character() {
    let text = "a:\n  b: [1, 2]\n  c:\n    - {x: 1}\n    - y  # c\n\n# c\nd: {}\n";
    let node = read(text);
    assert_eq!(slice(text, node.span), text.trim_end());
    let inner = node.get("a").unwrap();
    assert_eq!(slice(text, inner.span), "b: [1, 2]\n  c:\n    - {x: 1}\n    - y");
    assert_eq!(slice(text, inner.get("b").unwrap().span), "[1, 2]");
    assert_eq!(slice(text, inner.get("c").unwrap().span), "- {x: 1}\n    - y");
    assert_eq!(slice(text, node.get("d").unwrap().span), "{}");
}

#[test]
fn parts_of_scalars_are_located() {
    for (text, part, expected) in [
        ("k: a {{ b }} c", "{{ b }}", "{{ b }}"),
        ("k: 'ü {{ b }}'", "{{ b }}", "{{ b }}"),
        ("k: \"ü {{ b }}\"", "{{ b }}", "{{ b }}"),
        ("k: 'it''s {{ ''b'' }} x'", "'b'", "''b'"),
        ("k: 'it''s {{ b }}'", "{{ b }}", "{{ b }}"),
        ("k: \"\\u00e9\\t\\x41\\n{{ b }}\"", "{{ b }}", "{{ b }}"),
        ("k: \"a \\\n   b {{ c }}\"", "{{ c }}", "{{ c }}"),
        ("k: \"a\n\n  b {{ c }}\"", "{{ c }}", "{{ c }}"),
        ("k: |\n  one\n    {{ b }} two\n", "{{ b }}", "{{ b }}"),
        ("k: |2-\n    one\n  {{ b }} two\n", "{{ b }}", "{{ b }}"),
        ("k: |\r\n  one\r\n  {{ b }} two\r\n", "{{ b }}", "{{ b }}"),
        ("k: |\n  {{ a\n     + b }}\n", "a\n   + b", "a\n     + b"),
        ("k: >\n  one\n  two {{ b }}\n\n  three {{ c }}\n", "{{ c }}", "{{ c }}"),
        ("k: >\n  one {{\n  b }}\n", "{{ b", "{{\n  b"),
        ("k: one\n  two {{ b }}\n", "{{ b }}", "{{ b }}"),
        ("k: &x 'a {{ b }}'\nj: *x\n", "{{ b }}", "{{ b }}"),
        ("k:   \u{1f600} x\n", "x", "x"),
    ] {
        assert_eq!(located(text, part), expected, "{text}");
    }
}

#[test]
fn a_range_outside_the_value_is_the_whole_scalar() {
    let text = "k: 'abc'";
    let node = read(text);
    let value = node.get("k").unwrap();
    assert_eq!(slice(text, value.locate(1..99)), "'abc'");
    assert_eq!(slice(text, value.locate(3..3)), "");
    assert_eq!(slice(text, node.locate(0..1)), text);
}

#[test]
fn numbers_are_numbers_only_where_no_digit_is_lost() {
    let text =
        "[1, -1, 0, 18446744073709551615, 1.5, 1e3, -.5, 0x1F, 0o17, true, False, ~, null, ]";
    let expected = json!([1, -1, 0, u64::MAX, 1.5, 1000.0, -0.5, 31, 15, true, false, null, null]);
    assert_eq!(to_json(&read(text)), expected);
    for text in [
        "012",
        "+15551234567",
        "1_000",
        ".inf",
        ".nan",
        "-.inf",
        "1e999",
        "yes",
        "no",
        "on",
        "off",
        "0x",
        "1.2.3",
        "01.5",
        "18446744073709551616",
        "2024-01-01",
        "1:30",
        "e5",
        ".",
        "'1'",
        "\"true\"",
        "0b1",
        "- 1x",
    ] {
        let node = read(text);
        let leaf = node.as_sequence().and_then(<[Node]>::first).unwrap_or(&node);
        assert_eq!(leaf.type_name(), "a string", "{text}");
    }
}

#[test]
fn keys_are_text() {
    assert_eq!(
        to_json(&read("1: a\ntrue: b\n~: c\n1.50: d\n")),
        json!({"1": "a", "true": "b", "~": "c", "1.50": "d"})
    );
}

#[test]
fn aliases_repeat_values_with_their_own_place() {
    let text = "a: &x [1, {b: c}]\nd: *x\n";
    let node = read(text);
    assert_eq!(to_json(&node), json!({"a": [1, {"b": "c"}], "d": [1, {"b": "c"}]}));
    let alias = node.get("d").unwrap();
    assert_eq!(slice(text, alias.span), "*x");
    assert_eq!(slice(text, alias.as_sequence().unwrap()[0].span), "1");
}

#[test]
fn what_is_not_read_is_refused_with_its_place() {
    for (text, code, place) in [
        ("", "empty-document", ""),
        ("# only\n", "empty-document", ""),
        ("- a\n---\n- b\n", "several-documents", "---"),
        ("a:\n\tb: 1\n", "tab-indentation", "\t"),
        ("a: \"x\n", "unclosed-quote", "\""),
        ("a: 'x\nb: c\n", "unclosed-quote", "'"),
        ("a: 1\nb: 2\na: 3\n", "duplicate-key", "a"),
        ("a: !Ref x\n", "tag", "!Ref"),
        ("a: !!str 1\n", "tag", "!!str"),
        ("a: *nope\n", "unknown-alias", "*"),
        ("a: &x [*x]\n", "recursive-alias", "*x"),
        ("%YAML 1.2\n---\na: 1\n", "directive", "%"),
        ("a: [1, 2\nb: 3\n", "unclosed-bracket", "["),
        ("a:\n  b: {c: 1\nd: \"x\"\n", "unclosed-bracket", "{"),
        ("a: {\n  b: 1\n  c: 2\n}\n", "missing-comma", "c"),
        ("a: {b: c d: e}\n", "missing-comma", "d"),
        ("a: {b: c[0].d}\n", "missing-comma", "["),
        ("a：b\nc:\n", "missing-colon", "："),
        ("a：b\nc: d\n", "missing-colon", "："),
        ("a: \"C:\\Users\"\n", "unknown-escape", "\\U"),
        ("a: \"\\x4\"\n", "unknown-escape", "\\x"),
        ("a: \"\\ud800\"\n", "unknown-escape", "\\u"),
        ("a: `b`\n", "invalid-yaml", "`"),
        ("? [a]\n: b\n", "complex-key", "[a]"),
        ("a:\n\t\tb: 1\n", "tab-indentation", "\t\t"),
        ("a: b: c\n", "misplaced-colon", ":"),
        ("a: {{ b }}\n", "unquoted-template", "{{"),
        ("a: {{ b }}-{{ c }}\n", "unquoted-template", "{{"),
        ("a: {{ b.c | d('x') }}\n", "unquoted-template", "{{"),
        ("a: {% if b %}\n", "unquoted-template", "{%"),
        ("a: @b\n", "invalid-yaml", "@"),
        ("- a\nb: c\n", "bad-indentation", "b"),
        ("a: [1, 2\n", "unclosed-bracket", "["),
        ("a: 'b' c\n", "text-after-quote", "c"),
        ("a: \"b\\\\ \\qx\"\n", "unknown-escape", "\\q"),
    ] {
        let found = parse(SourceId::default(), text).unwrap_err();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].code, code, "{text}: {found:?}");
        assert_eq!(slice(text, found[0].span.unwrap()), place, "{text}: {found:?}");
    }
}

#[test]
fn all_duplicate_keys_and_tags_are_reported() {
    let found = parse(SourceId::default(), "a: !x 1\na: 2\nb: {c: 1, c: !y 2}\n").unwrap_err();
    let codes: Vec<_> = found.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["tag", "duplicate-key", "duplicate-key", "tag"]);
    assert_eq!(found[1].also.len(), 1);
}

#[test]
fn an_unquoted_template_is_quoted_in_the_help() {
    assert_eq!(
        fault("a: {{ steps.role.arn }}\n").help.as_deref(),
        Some("write \"{{ steps.role.arn }}\"")
    );
    assert_eq!(
        fault("a: {{ b['c'] }}\n").help.as_deref(),
        Some("put the whole value in quotes: \"{{ … }}\"")
    );
}

#[test]
fn help_says_where_a_space_is_missing() {
    assert_eq!(fault("- a\n-b\n").help.as_deref(), Some("put a space after the dash"));
    assert_eq!(fault("a: b\nc:d\n").help.as_deref(), Some("put a space after the colon"));
    assert_eq!(fault("a: b\nc\n").help.as_deref(), Some("write `key: value`"));
}

#[test]
fn a_fault_is_drawn_with_its_line() {
    let mut sources = Sources::new();
    let text = "steps:\n  - id: role\n    id: other\n";
    let id = sources.add("playbooks/x.yaml", text);
    assert_eq!(
        render(&parse(id, text).unwrap_err(), &sources, false),
        "error[duplicate-key]: `id` stands twice in the same map
 --> playbooks/x.yaml:3:5
  |
2 |   - id: role
  |     -- first written here
3 |     id: other
  |     ^^ stands here again
  |
  = help: leave one of the two out, or start a new item with `- ` before the second"
    );
}

#[test]
fn bombs_are_refused_quickly() {
    let started = std::time::Instant::now();
    let mut bomb = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x]".to_owned()];
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push(format!("a{level}: &a{level} [{aliases}]"));
    }
    assert_eq!(fault(&bomb.join("\n")).code, "alias-bomb");
    let wide = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 500].join(","));
    assert_eq!(fault(&wide).code, "alias-bomb");
    let anchors = (0..60).fold(String::new(), |text, level| text + &format!("&a{level} ["));
    let nested = format!("{anchors}'{}'{}", "x".repeat(1 << 20), "]".repeat(60));
    assert_eq!(fault(&nested).code, "alias-bomb");
    assert_eq!(fault(&"[".repeat(100_000)).code, "too-deep");
    assert_eq!(fault(&"- ".repeat(100_000)).code, "too-deep");
    let nested: Vec<String> = (0..1_000).map(|level| " ".repeat(level) + "a:").collect();
    assert_eq!(fault(&nested.join("\n")).code, "too-deep");
    assert_eq!(fault(&"- a\n".repeat(260_000)).code, "too-many-values");
    assert_eq!(fault(&"a".repeat((4 << 20) + 1)).code, "too-large");
    assert!(started.elapsed().as_secs() < 15);
}

#[test]
fn merge_keys_copy_entries_that_the_map_does_not_have_itself() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: [*a, *b], x: 0}\nd: {\"<<\": 5}\n";
    let node = read(text);
    let merged = node.get("c").unwrap();
    let shown: Vec<(&str, i128, &str)> = merged
        .as_mapping()
        .unwrap()
        .iter()
        .map(|it| {
            (it.key.name.as_str(), it.value.as_integer().unwrap(), slice(text, it.value.span))
        })
        .collect();
    assert_eq!(shown, [("y", 2, "2"), ("z", 4, "4"), ("x", 0, "0")]);
    assert_eq!(node.get("d").unwrap().get("<<").unwrap().as_integer(), Some(5));
    let found = fault("a: {<<: [1]}\n");
    assert_eq!((found.code, slice("a: {<<: [1]}\n", found.span.unwrap())), (Code::MergeKey, "1"));
    assert_eq!(fault("a: &a {b: 1}\nc: {<<: *a, <<: *a}\n").code, "duplicate-key");
}

#[test]
fn aliases_cannot_build_a_tree_that_is_too_deep() {
    let mut text = vec!["a0: &a0 [[[[[[[[[[x]]]]]]]]]]".to_owned()];
    for level in 1..12 {
        text.push(format!("a{level}: &a{level} [[[[[[*a{}]]]]]]", level - 1));
    }
    assert_eq!(fault(&text.join("\n")).code, "too-deep");
}

#[test]
fn sixty_levels_are_read() {
    let text = format!("{}x{}", "[".repeat(60), "]".repeat(60));
    assert!(parse(SourceId::default(), &text).is_ok());
}

#[test]
fn type_names_and_accessors() {
    let node = read("{n: ~, b: true, i: 1, f: 1.5, s: x, l: [], m: {}}");
    let names: Vec<_> =
        node.as_mapping().unwrap().iter().map(|entry| entry.value.type_name()).collect();
    let expected =
        ["nothing", "true or false", "a number", "a number", "a string", "a list", "a map"];
    assert_eq!(names, expected);
    assert_eq!(node.get("s").unwrap().as_str(), Some("x"));
    assert_eq!(node.get("i").unwrap().as_integer(), Some(1));
    assert_eq!(node.get("b").unwrap().as_bool(), Some(true));
    assert!(node.get("n").unwrap().is_null());
    assert_eq!(node.get("x"), None);
    assert_eq!(node.entry("l").unwrap().key.name, "l");
}

mod properties {
    use proptest::prelude::*;

    use super::super::*;
    use crate::diagnostic::SourceId;

    fn check_places(text: &str, node: &Node) {
        let range =
            usize::try_from(node.span.start).unwrap()..usize::try_from(node.span.end).unwrap();
        assert!(text.get(range.clone()).is_some(), "{range:?} {node:?}");
        match &node.kind {
            NodeKind::String(value) => {
                for (at, character) in value.value.char_indices() {
                    let place = value.locate(at..at + character.len_utf8());
                    let range =
                        usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
                    assert!(range.end <= text.len() && range.start <= range.end);
                }
            }
            NodeKind::Sequence(items) => items.iter().for_each(|item| check_places(text, item)),
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    check_places(text, &entry.value);
                }
            }
            _ => {}
        }
    }

    fn check(text: &str) {
        match parse(SourceId::default(), text) {
            Ok(node) => check_places(text, &node),
            Err(found) => assert!(!found.is_empty()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn anything_like_yaml_is_read_or_refused(
            text in r#"([-?:,\[\]{}#&*!|>'"%@` ~\\\n\t\ra0é<=.+]|: |\n  |- |\{\{|\}\}|\\u00e9|&a|\*a){0,40}"#
        ) {
            check(&text);
        }

        #[test]
        fn visible_characters_are_found_again(
            words in prop::collection::vec("[a-zé{}\\.]{1,6}", 1..12),
            indent in 2_usize..5,
            folded: bool,
        ) {
            let head = if folded { ">" } else { "|" };
            let blank = " ".repeat(indent);
            let lines: Vec<String> = words.iter().map(|word| format!("{blank}{word}")).collect();
            let text = format!("k: {head}\n{}\n", lines.join("\n"));
            let node = parse(SourceId::default(), &text).unwrap();
            let value = node.get("k").unwrap();
            let content = value.as_str().unwrap();
            for (at, character) in content.char_indices().filter(|(_, it)| !it.is_whitespace()) {
                let place = value.locate(at..at + character.len_utf8());
                let start = usize::try_from(place.start).unwrap();
                prop_assert_eq!(text[start..].chars().next(), Some(character));
            }
        }
    }
}
