use super::*;

fn drawn(text: &str, build: impl FnOnce(SourceId) -> Vec<Diagnostic>) -> String {
    let mut sources = Sources::new();
    let id = sources.add("playbooks/x.yaml", text);
    render(&build(id), &sources, false)
}

/// The id that a source would have as the `number`th, from 0.
fn foreign(number: usize) -> SourceId {
    let mut others = Sources::new();
    let ids: Vec<SourceId> =
        (0..=number).map(|number| others.add(number.to_string(), "")).collect();
    ids[number]
}

#[test]
fn a_diagnostic_is_drawn_as_rustc_draws_it() {
    let shown = drawn("a: 1\nnäme: äx  # c\nz: 1\n", |id| {
        vec![
            Diagnostic::new(Code::UnknownKey, "there is no `äx`")
                .at(Span::new(id, 12, 15))
                .label("not a field")
                .help("write `ax`\nor leave it out"),
        ]
    });
    assert_eq!(
        shown,
        "error[unknown-key]: there is no `äx`
 --> playbooks/x.yaml:2:7
  |
2 | näme: äx  # c
  |       ^^ not a field
  |
  = help: write `ax`
          or leave it out"
    );
}

#[test]
fn diagnostics_are_sorted_by_place_and_each_is_shown_once() {
    let shown = drawn("a\nb\n", |id| {
        let second = Diagnostic::new(Code::MissingKey, "b").at(Span::new(id, 2, 3));
        let first = Diagnostic::new(Code::UnknownKey, "a").at(Span::new(id, 0, 1));
        let other = Diagnostic::new(Code::WrongType, "b").at(Span::new(id, 2, 3));
        let nowhere = Diagnostic::new(Code::TooLarge, "n");
        vec![second.clone(), other, first, second, nowhere.clone(), nowhere]
    });
    let titles: Vec<&str> = shown.lines().filter(|line| line.starts_with("error")).collect();
    let expected = [
        "error[too-large]: n",
        "error[unknown-key]: a",
        "error[missing-key]: b",
        "error[wrong-type]: b",
    ];
    assert_eq!(titles, expected);
}

#[test]
fn text_from_files_cannot_move_the_cursor() {
    let text = "a: \u{1b}[2J\u{9b}1m\u{7}\u{8}\u{202e}\rend\u{0}";
    let mut sources = Sources::new();
    let id = sources.add("x\u{1b}[1m.yaml", text);
    let fault = Diagnostic::new(Code::Tag, "m\u{1b}\nm\r")
        .at(Span::new(id, text.len() - 4, text.len() - 1))
        .label("l\u{9b}")
        .help("h\u{1b}\n\u{2028}");
    let shown = render(&[fault], &sources, false);
    assert!(shown.chars().all(|it| it == '\n' || !it.is_control()), "{shown:?}");
    assert!(!shown.contains(['\u{202e}', '\u{2028}']), "{shown:?}");
    assert_eq!(
        shown,
        "error[tag]: m\\u{1b}\\nm\\r
 --> x\\u{1b}[1m.yaml:1:15
  |
1 | a: �[2J�1m����end�
  |               ^^^ l\\u{9b}
  |
  = help: h\\u{1b}
          \\u{2028}"
    );
}

#[test]
fn tabs_are_drawn_as_spaces() {
    let shown =
        drawn("\ta:\tb", |id| vec![Diagnostic::new(Code::Tag, "t").at(Span::new(id, 4, 5))]);
    assert_eq!(
        shown,
        "error[tag]: t
 --> playbooks/x.yaml:1:5
  |
1 |     a:    b
  |           ^"
    );
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let text = format!("{}: {}", "a".repeat(3_000), "b".repeat(3_000));
    let shown = drawn(&text, |id| {
        vec![Diagnostic::new(Code::Tag, "long").at(Span::new(id, 3_002, 3_010)).label("here")]
    });
    assert!(shown.contains("playbooks/x.yaml:1:3003"), "{shown}");
    assert!(shown.contains(": bbbbbbbb"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 140), "{shown}");
}

#[test]
fn odd_places_are_drawn_too() {
    for (text, start, end) in [
        ("", 0, 0),
        ("", 5, 9),
        ("a\n", 2, 2),
        ("a", 1, 1),
        ("é", 1, 2),
        ("a\r\nb", 1, 2),
        ("a\nb\nc", 0, 5),
        ("a\nb", 1, 2),
    ] {
        let shown =
            drawn(text, |id| vec![Diagnostic::new(Code::Tag, "o").at(Span::new(id, start, end))]);
        assert!(shown.starts_with("error[tag]: o\n --> playbooks/x.yaml:"), "{text:?} {shown}");
    }
    let strange = Span::new(foreign(7), 0, 1);
    let shown = drawn("a", |_| vec![Diagnostic::new(Code::Tag, "o").at(strange)]);
    assert_eq!(shown, "error[tag]: o");
}

#[test]
fn a_span_of_several_lines_is_drawn_by_its_first() {
    let shown = drawn("a: |\n  b\n  c\n", |id| {
        vec![Diagnostic::new(Code::Tag, "m").at(Span::new(id, 7, 12))]
    });
    assert_eq!(shown, "error[tag]: m\n --> playbooks/x.yaml:2:3\n  |\n2 |   b\n  |   ^");
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let fault = [Diagnostic::new(Code::Tag, "c")];
    assert!(render(&fault, &Sources::new(), true).contains('\u{1b}'));
    assert!(!render(&fault, &Sources::new(), false).contains('\u{1b}'));
    assert_eq!(render(&[], &Sources::new(), true), "");
}

#[test]
fn lines_and_columns_count_characters_from_one() {
    let mut sources = Sources::new();
    let id = sources.add("x", "é: ü\r\nb: \u{1f600}c");
    for (start, expected) in [(0, (1, 1)), (4, (1, 4)), (8, (2, 1)), (15, (2, 5)), (99, (2, 6))] {
        assert_eq!(sources.line_column(Span::new(id, start, start)), expected, "{start}");
    }
    assert_eq!(sources.slice(Span::new(id, 4, 6)), "ü");
    assert_eq!(sources.slice(Span::new(id, 5, 6)), "ü");
    assert_eq!((sources.name(id), sources.name(foreign(9))), ("x", ""));
    assert_eq!(sources.text(foreign(9)), "");
}

#[test]
fn spans_are_joined_within_one_source() {
    let (a, b) = (foreign(0), foreign(1));
    assert_eq!(Span::new(a, 4, 6).to(Span::new(a, 1, 5)), Span::new(a, 1, 6));
    assert_eq!(Span::new(a, 4, 6).to(Span::new(b, 1, 5)), Span::new(a, 4, 6));
    assert_eq!(Span::new(a, 6, 4), Span::new(a, 6, 6));
}

#[test]
fn typing_mistakes_are_recognised() {
    let fields = ["function_name", "runtime", "role", "id"];
    for (word, expected) in [
        ("functionname", Some("function_name")),
        ("function-name", Some("function_name")),
        ("Runtime", Some("runtime")),
        ("rolle", Some("role")),
        ("roel", Some("role")),
        ("x", None),
        ("handler", None),
        ("", None),
    ] {
        assert_eq!(did_you_mean(word, fields), expected, "{word}");
    }
    assert_eq!(did_you_mean(&"a".repeat(10_000), fields), None);
}

#[test]
fn a_part_of_one_name_alone_is_a_guess() {
    let near = |word, names: &[&'static str]| did_you_mean(word, names.iter().copied());
    assert_eq!(near("prod", &["test", "production"]), Some("production"));
    assert_eq!(near("bucket_name", &["bucket", "tags"]), Some("bucket"));
    assert_eq!(near("role_arn", &["role_name", "arn"]), Some("arn"));
    assert_eq!(near("name", &["function_name", "role"]), Some("function_name"));
    assert_eq!(near("name", &["function_name", "role_name"]), None);
    assert_eq!(near("ar", &["architecture", "role"]), None);
    assert_eq!(near("buckets_of_gold", &["bucket"]), None);
}

#[test]
fn other_places_are_drawn_with_the_place_itself() {
    let far = "z: 1\n".repeat(40);
    let text = format!("a: 1\nb: 2\na: 3\n{far}a: 4\n");
    let mut sources = Sources::new();
    let id = sources.add("x.yaml", text.as_str());
    let other = sources.add("other.yaml", "\tä: 1");
    let twice = Diagnostic::new(Code::DuplicateKey, "`a` stands twice")
        .at(Span::new(id, 10, 11))
        .label("again")
        .also(Span::new(id, 0, 1), "first")
        .also(Span::new(id, text.len() - 5, text.len() - 4), "and here")
        .also(Span::new(other, 1, 3), "and there")
        .help("leave it out");
    assert_eq!(
        render(&[twice], &sources, false),
        "error[duplicate-key]: `a` stands twice
  --> x.yaml:3:1
   |
 1 | a: 1
   | - first
 2 | b: 2
 3 | a: 3
   | ^ again
   |
  ::: x.yaml:44:1
   |
44 | a: 4
   | - and here
   |
  ::: other.yaml:1:2
   |
 1 |     ä: 1
   |     - and there
   |
   = help: leave it out"
    );
}

#[test]
fn where_there_is_little_room_nothing_is_drawn() {
    let mut sources = Sources::new();
    let id = sources.add("x.yaml", "a: 1\nb: 2\n");
    let fault = Diagnostic::new(Code::UnusedInput, "nothing reads it")
        .at(Span::new(id, 5, 6))
        .label("here")
        .also(Span::new(id, 0, 1), "and here")
        .help("one\ntwo");
    let narrow = Look { colour: false, width: Some(40) };
    assert_eq!(
        render(std::slice::from_ref(&fault), &sources, narrow),
        "warning[unused-input]: nothing reads it
x.yaml:2:1: here
x.yaml:1:1: and here
help: one
help: two"
    );
    let wide = Look { colour: false, width: Some(80) };
    assert!(render(&[fault], &sources, wide).contains(" --> x.yaml:2:1"));
}

#[test]
fn wide_characters_and_line_ends_do_not_shift_the_place() {
    let text = "a: 名前 {{ x }}\r\nb: \t{{ y }}\r\n";
    let shown = drawn(text, |id| {
        let x = text.find('x').unwrap();
        let y = text.find('y').unwrap();
        vec![
            Diagnostic::new(Code::UnknownName, "x").at(Span::new(id, x, x + 1)),
            Diagnostic::new(Code::UnknownName, "y").at(Span::new(id, y, y + 1)),
        ]
    });
    assert_eq!(
        shown,
        "error[unknown-name]: x
 --> playbooks/x.yaml:1:10
  |
1 | a: 名前 {{ x }}
  |            ^

error[unknown-name]: y
 --> playbooks/x.yaml:2:8
  |
2 | b:     {{ y }}
  |           ^"
    );
}

#[test]
fn diagnostics_are_told_to_programs() {
    let mut sources = Sources::new();
    let id = sources.add("dir with blanks/ä.yaml", "a: 1\nbé: 2\n");
    let found = [
        Diagnostic::new(Code::UnusedInput, "nothing reads it")
            .at(Span::new(id, 5, 8))
            .label("here")
            .also(Span::new(id, 0, 1), "and here")
            .help("leave it out"),
        Diagnostic::new(Code::UnreadableFile, "no such file"),
    ];
    let document = document(&found, &sources);
    assert_eq!((document["errors"].as_u64(), document["warnings"].as_u64()), (Some(1), Some(1)));
    let place = &document["diagnostics"][1]["place"];
    assert_eq!(
        *place,
        serde_json::json!({
            "file": "dir with blanks/ä.yaml", "line": 2, "column": 1, "end_line": 2, "end_column": 3
        })
    );
    let log = log(&found, &sources);
    let run = &log["runs"][0];
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(run["results"][0]["ruleId"], "unreadable-file");
    let warning = &run["results"][1];
    assert_eq!(warning["level"], "warning");
    assert_eq!(warning["message"]["text"], "nothing reads it\nhere\nleave it out");
    let index = usize::try_from(warning["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "unused-input");
    let physical = &warning["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "dir%20with%20blanks/%C3%A4.yaml");
    assert_eq!(physical["region"]["endColumn"], 3);
    assert_eq!(warning["relatedLocations"][0]["message"]["text"], "and here");
}

#[test]
fn every_code_is_in_kebab_case_and_has_a_page() {
    for code in Code::ALL {
        assert_eq!(Code::named(code.as_str()), Some(*code));
        assert!(code.as_str().chars().all(|it| it.is_ascii_lowercase() || it == '-'), "{code}");
        let page = code.page();
        assert!(page.summary.ends_with('.'), "{code}: {}", page.summary);
        assert!(!page.details.contains("```"), "{code}: {}", page.details);
    }
}
