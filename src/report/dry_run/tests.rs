use super::*;
use crate::report::sample::{self, Captured};
use engine::event::Plan;

fn shown(events: &[Event]) -> (String, String) {
    let (out, err) = (Captured::default(), Captured::default());
    let mut reporter = DryRunReporter::new(out.stream(), err.stream());
    sample::feed(&mut reporter, events);
    (out.text(), err.text())
}

#[test]
fn a_plan() {
    let (out, err) = shown(&sample::planned());
    assert_eq!(out, include_str!("../expected/plan.txt"));
    assert_eq!(err, "");
}

#[test]
fn a_plan_of_a_clean_up_says_of_which_run() {
    let head = |at: Option<&str>| {
        let mut events = sample::planned();
        for event in &mut events {
            if let What::RunStarted { account, endpoint, region, .. } = &mut event.what {
                *account = Some("123456789012".to_owned());
                *endpoint = at.map(str::to_owned);
                *region = "eu-central-1".to_owned();
            }
        }
        let (out, err) = (Captured::default(), Captured::default());
        let mut reporter = DryRunReporter::new(out.stream(), err.stream()).cleaning_up();
        sample::feed(&mut reporter, &events);
        out.text().lines().next().map(str::to_owned).unwrap_or_default()
    };
    let (at_aws, elsewhere) = (head(None), head(Some("http://127.0.0.1:4566")));
    let expected = "  dry run · run k3x9 · account 123456789012 · eu-central-1";
    assert!(at_aws.ends_with(expected), "{at_aws}");
    let expected = "  dry run · run k3x9 · http://127.0.0.1:4566 · eu-central-1";
    assert!(elsewhere.ends_with(expected), "{elsewhere}");
}

#[test]
fn plans_are_counted_in_words() {
    let words = |plan: Plan, created: usize, removed: usize| {
        plan_in_words(Counts { created, removed, plan: Some(plan), ..Counts::default() })
    };
    let plan = Plan { create: 5, change: 2, read: 7, cleanup: 9, ..Plan::default() };
    assert_eq!(
        words(plan, 3, 3),
        "14 calls: 5 create, 2 change, 7 read; 9 to clean up 3 resources"
    );
    let perhaps = Plan { conditional: 2, cleanup: 1, ..Plan::default() };
    assert_eq!(
        words(perhaps, 0, 1),
        "0 calls; 2 more only under a condition; 1 to clean up 1 resource"
    );
    let only = Plan { cleanup: 1, ..Plan::default() };
    assert_eq!(words(only, 0, 1), "1 call to clean up 1 resource");
    assert_eq!(words(Plan { act: 1, ..Plan::default() }, 0, 0), "1 call: 1 act");
    assert_eq!(words(Plan::default(), 1, 0), "0 calls; 1 resource to make");
}

#[test]
fn a_plan_that_ends_early_says_so() {
    let (out, err) = shown(&sample::failing());
    assert!(out.ends_with("The plan ends early: 1 step failed after 9 calls; 5 resources to make. Nothing was called.\n"), "{out}");
    assert!(err.starts_with("! it took more than 5 s\nerror[FunctionError]"), "{err}");
}

#[test]
fn nothing_hostile_gets_through() {
    let (out, err) = shown(&sample::hostile());
    let all = out + &err;
    assert!(!all.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\r']), "{all:?}");
}
