//! What a check costs grows with the file, and no faster.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::fakes::{Disk, FakeKinds};
use crate::diagnostic::{Sources, render};
use crate::playbook::check;

const SMALL: usize = 400;
const FACTOR: usize = 8;
/// Eight times the steps may take twice eight times as long on a busy machine; what grows with the square takes 64 times.
const MOST: u32 = 24;

/// The time that this thread has had of a processor, where the system tells it: others may want it as well.
struct Spent {
    clock: Instant,
    processor: Option<Duration>,
}

impl Spent {
    fn now() -> Self {
        Self { clock: Instant::now(), processor: Self::processor() }
    }

    fn processor() -> Option<Duration> {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }

    fn elapsed(&self) -> Duration {
        match (self.processor, Self::processor()) {
            (Some(before), Some(now)) if now > before => now.saturating_sub(before),
            _ => self.clock.elapsed(),
        }
    }
}

/// The time to check a playbook of that many parts, and to draw what is found.
fn time(make: &dyn Fn(usize) -> String, count: usize) -> Duration {
    let disk = Disk::with("main.yaml", &make(count));
    let rounds = (0..3).map(|_| {
        let mut sources = Sources::new();
        let started = Spent::now();
        let path = Path::new("/project/books/main.yaml");
        let found = check(path, &disk, &FakeKinds, &mut sources).found;
        let shown = found.get(..found.len().min(100)).unwrap_or_default();
        assert!(render(shown, &sources, false).is_empty() == found.is_empty());
        started.elapsed()
    });
    rounds.min().unwrap_or_default()
}

#[track_caller]
fn grows_with_the_file(make: impl Fn(usize) -> String) {
    let small = time(&make, SMALL);
    let large = time(&make, SMALL * FACTOR);
    assert!(large < small * MOST, "{SMALL}: {small:?}, {FACTOR} times as much: {large:?}");
}

fn steps(count: usize, step: impl Fn(usize) -> String) -> String {
    let mut text = "name: growth\nsteps:\n".to_owned();
    for number in 0..count {
        let _ = writeln!(text, "{}", step(number));
    }
    text
}

#[test]
fn steps_that_read_others() {
    grows_with_the_file(|count| {
        steps(count, |number| {
            format!(
                "  - id: s{number}\n    create-function: {{function_name: 'a-{{{{ run.id }}}}', role: '{{{{ steps.s{}.function_name if loop is defined else run.id }}}}', code: ../handlers/add.py}}",
                number / 2
            )
        })
    });
}

#[test]
fn steps_with_a_mistake_each() {
    grows_with_the_file(|count| {
        steps(count, |number| {
            format!(
                "  - id: s{number}\n    print: '{{{{ steps.t{number}.x }}}} {{{{ s{number} }}}}'"
            )
        })
    });
}

#[test]
fn names_that_are_given_twice() {
    grows_with_the_file(|count| {
        steps(count, |number| format!("  - id: s{}\n    print: a", number / 2))
    });
}

#[test]
fn variables_that_nobody_reads() {
    grows_with_the_file(|count| {
        let mut text = "name: growth\nvars:\n".to_owned();
        for number in 0..count {
            let _ = writeln!(text, "  v{number}: [a, {{b: '{{{{ run.id }}}}'}}]");
        }
        text.push_str("steps: [print: a]\n");
        text
    });
}

#[test]
fn conditions_and_loops() {
    grows_with_the_file(|count| {
        let list: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        let head = format!("name: growth\nvars: {{list: [{}]}}\nsteps:\n", list.join(", "));
        let body = steps(count, |number| {
            format!(
                "  - id: s{number}\n    when: run.local and run.id != 'a'\n    for_each: vars.list\n    print: '{{{{ item }}}}'"
            )
        });
        head + body.strip_prefix("name: growth\nsteps:\n").unwrap_or_default()
    });
}

#[test]
fn merged_maps() {
    grows_with_the_file(|count| {
        let first =
            "name: growth\nsteps:\n  - print: a\n    retry: &r {on: A, every: 1s}\n".to_owned();
        let body = steps(count, |_| "  - print: a\n    retry: {<<: *r, attempts: 2}".to_owned());
        first + body.strip_prefix("name: growth\nsteps:\n").unwrap_or_default()
    });
}
