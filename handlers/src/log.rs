//! The log: plain lines, to which `CloudWatch` Logs adds the time.

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
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
    let lines = fmt::layer().with_writer(writer).with_ansi(false).with_target(false).without_time();
    let shown = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::INFO);
    tracing_subscriber::registry().with(shown).with(lines)
}
