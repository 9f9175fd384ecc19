//! Consumers of events: what people and machines see of a run. Imports [`engine::event`] alone.

mod body;
mod dry_run;
mod failures;
mod file;
mod github;
mod grouped;
mod html;
mod json;
mod junit;
mod markdown;
mod otlp;
pub mod safe;
pub mod shell;
mod stream;
mod tap;
mod terminal;
mod trace;
mod words;

#[cfg(test)]
mod sample;

use std::io;

use engine::event::Event;

pub use dry_run::DryRunReporter;
pub use github::{GithubReporter, message as github_message};
pub use grouped::Grouped;
pub use html::HtmlReporter;
pub use json::{JsonFileReporter, JsonReporter};
pub use junit::JunitReporter;
pub use markdown::MarkdownReporter;
pub use otlp::OtlpReporter;
pub use shell::ShellReporter;
pub use stream::{Paint, Stream};
pub use tap::TapReporter;
pub use terminal::{Manner, TerminalReporter};
pub(crate) use words::ago;

/// Someone who is told what happens.
pub trait Reporter: Send {
    /// Something happened.
    fn event(&mut self, event: &Event);

    /// Nothing more will happen.
    ///
    /// # Errors
    /// What could not be written, now or earlier. The run was not affected.
    fn finish(&mut self) -> io::Result<()>;
}

/// Several reporters as one.
#[derive(Default)]
pub struct Reporters(Vec<Box<dyn Reporter>>);

impl Reporters {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn add(&mut self, reporter: impl Reporter + 'static) {
        self.0.push(Box::new(reporter));
    }
}

impl Reporter for Reporters {
    fn event(&mut self, event: &Event) {
        for reporter in &mut self.0 {
            reporter.event(event);
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        // All of them finish, whatever becomes of the first.
        let finished: Vec<_> = self.0.iter_mut().map(|reporter| reporter.finish()).collect();
        finished.into_iter().collect()
    }
}
