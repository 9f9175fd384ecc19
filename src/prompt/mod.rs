//! Questions and answers: at the terminal, from the command line, from files and from the environment.

pub mod inputs;
mod line;
mod planning;
mod terminal;
mod tty;
mod unattended;

pub use planning::PlanningPrompter;
pub use terminal::{TerminalPrompter, restore_terminal};
pub use unattended::UnattendedPrompter;
