//! What the evaluation that is under way on this thread has touched.

use std::cell::RefCell;
use std::ops::Range;

use super::Value;
use super::mark::Mark;

/// What an evaluation touched.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Touched {
    pub(super) unknown: bool,
    /// The secrets that were read, each with what may be shown of it.
    pub(super) secrets: Vec<(Value, Mark)>,
    /// Where the path that turned out to be undefined starts and ends in the source.
    pub(super) undefined: Option<(usize, usize)>,
    /// How many secrets had been read when something was printed last.
    printed: usize,
    /// What a text that is rendered a second time, to be shown, hides.
    hidden: Vec<Value>,
    /// How that decides what to hide; absent where nothing is rendered to be shown.
    hides: Option<Hides>,
}

/// What a text with statements hides where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hides {
    /// What is printed right after a secret was read: the two belong together.
    Each,
    /// Whatever is printed once a secret was read: a name of the template's own may hold it.
    Rest,
}

thread_local! {
    /// Nothing while no evaluation is under way.
    static TOUCHED: RefCell<Option<Touched>> = const { RefCell::new(None) };
}

fn update(change: impl FnOnce(&mut Touched)) {
    TOUCHED.with_borrow_mut(|touched| {
        if let Some(touched) = touched {
            change(touched);
        }
    });
}

pub(super) fn mark_unknown() {
    update(|touched| touched.unknown = true);
}

pub(super) fn mark_secret(value: &Value, mark: &Mark) {
    if *mark != Mark::Open {
        update(|touched| touched.secrets.push((value.clone(), mark.clone())));
    }
}

pub(super) fn mark_undefined(path: Range<usize>) {
    update(|touched| touched.undefined = Some((path.start, path.end)));
}

/// Whether what is printed now has to be hidden.
pub(super) fn hides(value: &Value) -> bool {
    let mut hidden = false;
    update(|touched| {
        let read = touched.secrets.len();
        hidden = match touched.hides {
            None => false,
            Some(Hides::Each) => read > touched.printed,
            Some(Hides::Rest) => read > 0,
        };
        touched.printed = read;
        if hidden {
            touched.hidden.push(value.clone());
        }
    });
    hidden
}

/// Runs an evaluation and says what it touched. An evaluation around it hears of that too.
pub(super) fn observe<T>(evaluate: impl FnOnce() -> T) -> (T, Touched) {
    observe_as(None, evaluate)
}

/// Runs an evaluation that hides secrets in what it prints, and says what it has hidden.
pub(super) fn observe_hiding<T>(hides: Hides, evaluate: impl FnOnce() -> T) -> (T, Vec<Value>) {
    let (result, touched) = observe_as(Some(hides), evaluate);
    (result, touched.hidden)
}

fn observe_as<T>(hides: Option<Hides>, evaluate: impl FnOnce() -> T) -> (T, Touched) {
    let inner = Touched { hides, ..Touched::default() };
    let scope = Restore { outer: TOUCHED.replace(Some(inner)) };
    let result = evaluate();
    let touched = TOUCHED.with_borrow(Clone::clone).unwrap_or_default();
    drop(scope);
    (result, touched)
}

struct Restore {
    outer: Option<Touched>,
}

impl Drop for Restore {
    fn drop(&mut self) {
        let inner = TOUCHED.replace(self.outer.take()).unwrap_or_default();
        update(|touched| {
            touched.unknown |= inner.unknown;
            touched.secrets.extend(inner.secrets);
        });
    }
}
