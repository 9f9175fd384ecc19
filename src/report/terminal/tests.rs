use super::*;
use crate::report::sample::{self, Captured};
use engine::event::Status;

fn shown(events: &[Event], manner: Manner) -> (String, String) {
    let (out, err) = (Captured::default(), Captured::default());
    let mut reporter = TerminalReporter::new(out.stream(), err.stream(), manner);
    sample::feed(&mut reporter, events);
    assert!(reporter.finish().is_ok());
    (out.text(), err.text())
}

fn last_of(events: &mut [Event]) -> Option<&mut What> {
    events.last_mut().map(|event| &mut event.what)
}

#[test]
fn a_passing_run() {
    let (out, err) = shown(&sample::passing(), Manner::default());
    assert_eq!(out, "Hello\nworld\ngreeting: Hello\ncount: 2\n");
    assert_eq!(err, include_str!("../expected/passing.txt"));
}

#[test]
fn answers_that_stand_there_already_are_not_repeated() {
    let (_, err) = shown(&sample::passing(), Manner { asks: true, ..Manner::default() });
    assert!(!err.contains("Your name?"), "{err}");
}

#[test]
fn a_failing_run_with_a_remainder() {
    let (out, err) = shown(&sample::failing(), Manner::default());
    assert_eq!(out, "");
    assert_eq!(err, include_str!("../expected/failing.txt"));
}

#[test]
fn quiet_shows_results_failures_and_what_remains() {
    let quiet = Manner { quiet: true, ..Manner::default() };
    assert_eq!(
        shown(&sample::passing(), quiet),
        ("Hello\nworld\ngreeting: Hello\ncount: 2\n".to_owned(), String::new())
    );
    assert_eq!(shown(&sample::failing(), quiet).1, include_str!("../expected/failing_quiet.txt"));
}

#[test]
fn an_interrupted_run_says_so() {
    let mut events = sample::failing();
    if let Some(What::RunFinished { exit_code, .. }) = last_of(&mut events) {
        *exit_code = 130;
    }
    let (_, err) = shown(&events, Manner::default());
    assert!(
        err.contains("\n! interrupted: 1 failed in 4.00s: 9 calls, 5 resources made, 3 removed\n"),
        "{err}"
    );
}

#[test]
fn what_failed_in_a_run_that_passed_was_rescued() {
    let mut events = sample::failing();
    if let Some(What::RunFinished { passed, exit_code, remaining, .. }) = last_of(&mut events) {
        (*passed, *exit_code) = (true, 0);
        remaining.clear();
    }
    let (_, err) = shown(&events, Manner::default());
    assert!(err.contains("\n✓ 1 rescued in 4.00s: 9 calls"), "{err}");
}

#[test]
fn nothing_hostile_gets_through() {
    let (out, err) = shown(&sample::hostile(), Manner::default());
    assert_eq!(out, "]]><evil/> \\u{1b}[2J\\u{7}\\u{9b}31m\\u{202e}\u{ffff}\\rgone\ntwo\n");
    assert!(!err.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r']), "{err:?}");
    assert!(
        err.contains("✗ ]]><evil/> \\u{1b}[2J\\u{7}\\u{9b}31m\\u{202e}\u{ffff}\\rgone\\ntwo"),
        "{err}"
    );
}

#[test]
fn colour_only_if_told() {
    let err = Captured::default();
    let coloured = Stream::new(err.clone(), true);
    let mut reporter =
        TerminalReporter::new(Captured::default().stream(), coloured, Manner::default());
    let step = sample::step("1", "Wait", "wait");
    reporter.event(&sample::begun(&step));
    reporter.event(&sample::ended(&step, Status::Passed, 5));
    assert!(err.text().starts_with("\u{1b}[32m✓\u{1b}[0m Wait "), "{:?}", err.text());
}
