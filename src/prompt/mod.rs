//! Questions and answers: at the terminal, from the command line, from files and from the environment.

mod choice;
pub mod inputs;
mod keys;
mod line;
mod planning;
mod screen;
mod terminal;
mod unattended;

use std::io;

use engine::step::StepError;

pub use planning::PlanningPrompter;
pub use terminal::{Hooks, TerminalPrompter, restore_terminal};
pub use unattended::UnattendedPrompter;

/// Why a question at the terminal has no answer.
#[derive(Debug)]
enum NoLine {
    /// Escape, or Ctrl-D where nothing is typed.
    Cancelled,
    /// Ctrl-C.
    Interrupted,
    /// The run is to stop.
    Stopped,
    /// There is no terminal any more.
    Gone,
    /// Nobody answered in time, or there is nothing to answer.
    Refused(StepError),
    /// The terminal cannot be used.
    Io(io::Error),
}

impl From<io::Error> for NoLine {
    fn from(error: io::Error) -> Self {
        // What is written to a terminal that is gone comes back as an error before anybody has seen that it is gone.
        match error.raw_os_error() {
            #[cfg(unix)]
            Some(code) if code == rustix::io::Errno::IO.raw_os_error() => Self::Gone,
            _ => Self::Io(error),
        }
    }
}
