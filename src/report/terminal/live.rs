//! The line at the bottom of the terminal that says what is running now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::Screen;

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
    /// The terminal belongs to a question.
    paused: bool,
    bar: Option<ProgressBar>,
}

impl Live {
    pub(super) fn new(enabled: bool, colour: bool) -> Self {
        let state = State { enabled, colour, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Says what is running; `fresh` restarts the clock.
    pub(super) fn show(&self, text: String, fresh: bool) {
        self.with(|state| {
            if !state.enabled || state.paused {
                return;
            }
            let bar = state.bar.get_or_insert_with(|| spinner(state.colour));
            bar.set_message(text);
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
        "{spinner:.cyan} {elapsed:>4.dim} {wide_msg}"
    } else {
        "{spinner} {elapsed:>4} {wide_msg}"
    };
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::with_draw_target(
        None,
        ProgressDrawTarget::term_like_with_hz(Box::new(Screen), 15),
    )
    .with_style(style);
    bar.enable_steady_tick(TICK);
    bar
}
