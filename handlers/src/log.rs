//! The log: plain lines, to which CloudWatch Logs adds the time.

use std::fmt::{self, Display, Formatter, Write};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;

/// Sends the log to the standard output, from where Lambda takes it.
pub fn start() {
    // There is one already only where somebody else has started it, whose wish that was.
    let _ = tracing::subscriber::set_global_default(to(std::io::stdout));
}

/// The log, written elsewhere.
///
/// What handlers say of their work is shown, and of the libraries warnings alone whatever the environment says: at the
/// level TRACE the runtime logs whole events, passwords included.
pub fn to<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = layer().with_writer(writer).with_ansi(false).with_target(false).without_time();
    let shown = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
    tracing_subscriber::registry().with(shown).with(lines)
}

/// Text from elsewhere in a line of the log: it neither ends the line nor moves a terminal's cursor.
#[derive(Debug, Clone, Copy)]
pub struct OneLine<'a>(pub &'a str);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            c if c.is_control() => write!(f, "{}", c.escape_debug()),
            c => f.write_char(c),
        })
    }
}
