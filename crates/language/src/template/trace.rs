//! What the evaluation that is under way on this thread has touched.

use std::cell::Cell;
use std::ops::Range;

/// What an evaluation touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) unknown: bool,
    pub(super) secret: bool,
    /// Where the path that turned out to be undefined starts and ends in the source.
    pub(super) undefined: Option<(usize, usize)>,
}

thread_local! {
    static TOUCHED: Cell<Touched> = Cell::default();
}

fn update(change: impl FnOnce(&mut Touched)) {
    TOUCHED.with(|cell| {
        let mut touched = cell.get();
        change(&mut touched);
        cell.set(touched);
    });
}

pub(super) fn mark_unknown() {
    update(|touched| touched.unknown = true);
}

pub(super) fn mark_secret() {
    update(|touched| touched.secret = true);
}

pub(super) fn mark_undefined(path: Range<usize>) {
    update(|touched| touched.undefined = Some((path.start, path.end)));
}

/// Runs an evaluation and says what it touched. An evaluation around it hears of that too.
pub(super) fn observe<T>(evaluate: impl FnOnce() -> T) -> (T, Touched) {
    let scope = Restore { outer: TOUCHED.with(Cell::take) };
    let result = evaluate();
    let touched = TOUCHED.with(Cell::get);
    drop(scope);
    (result, touched)
}

struct Restore {
    outer: Touched,
}

impl Drop for Restore {
    fn drop(&mut self) {
        let outer = self.outer;
        update(|touched| {
            *touched = Touched {
                unknown: outer.unknown || touched.unknown,
                secret: outer.secret || touched.secret,
                undefined: outer.undefined,
            };
        });
    }
}
