//! The line at the bottom of the terminal that says what is running now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::width::cut;

/// What stands beside the text: the spinner, the time, and room for the `^C` that a terminal writes when Ctrl-C is
/// pressed. In a full line it would begin the next, and what is to be taken away would be the wrong one.
const BESIDE: usize = 14;

const TICK: Duration = Duration::from_millis(100);

/// The live line. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Live {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    enabled: bool,
    colour: bool,
    columns: Option<usize>,
    /// The terminal belongs to a question.
    paused: bool,
    bar: Option<ProgressBar>,
}

impl Live {
    pub(super) fn new(enabled: bool, colour: bool, columns: Option<usize>) -> Self {
        let state = State { enabled, colour, columns, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Says what is running; `fresh` restarts the clock.
    pub(super) fn show(&self, text: String, fresh: bool) {
        self.with(|state| {
            if !state.enabled || state.paused {
                return;
            }
            let bar = state.bar.get_or_insert_with(|| spinner(state.colour));
            bar.set_message(match state.columns {
                Some(columns) => cut(&text, columns.saturating_sub(BESIDE).max(1)),
                None => text,
            });
            if fresh {
                bar.reset_elapsed();
            }
        });
    }

    /// Takes the line away; the next [`Live::show`] brings it back.
    pub(super) fn hide(&self) {
        self.with(State::hide);
    }

    /// Takes the line away until [`Live::resume`].
    pub(super) fn pause(&self) {
        self.with(|state| {
            state.paused = true;
            state.hide();
        });
    }

    pub(super) fn resume(&self) {
        self.with(|state| state.paused = false);
    }

    /// Writes above the line.
    pub(super) fn above(&self, write: impl FnOnce()) {
        let bar = self.with(|state| state.bar.clone());
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn hide(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn spinner(colour: bool) -> ProgressBar {
    let template = if colour {
        "{spinner:.cyan} {elapsed:>4.dim} {msg}"
    } else {
        "{spinner} {elapsed:>4} {msg}"
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(15))
        .with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}
