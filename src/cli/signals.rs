//! Ctrl-C, SIGTERM, SIGHUP: once is a wish to stop gently, twice to stop now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tokio::sync::watch;

use engine::step::Interrupt;

/// Counts the wishes to stop. Clones share the count.
#[derive(Debug, Clone)]
pub(super) struct Wishes {
    count: Arc<watch::Sender<u8>>,
    /// The signal that came first; 0 for none.
    first: Arc<AtomicU8>,
    /// Whether the terminal is gone.
    hung_up: Arc<AtomicBool>,
}

/// The signal of a terminal that is gone.
const SIGHUP: u8 = 1;

impl Wishes {
    /// No wish yet. Nothing listens for signals before [`Wishes::listen`].
    pub(super) fn none() -> Self {
        let (count, _) = watch::channel(0);
        Self { count: Arc::new(count), first: Arc::default(), hung_up: Arc::default() }
    }

    /// The wish, as the engine heeds it: the first is enough.
    pub(super) fn interrupt(&self) -> Interrupt {
        Interrupt::new(self.count.subscribe(), 1)
    }

    /// Expresses the wish, as signal `number` would. That the terminal is gone may be seen twice, by its signal and by whoever
    /// reads from it, and is one wish.
    pub(super) fn express(&self, number: u8) {
        if number == SIGHUP && self.hung_up.swap(true, Ordering::Relaxed) {
            return;
        }
        let _ = self.first.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        self.count.send_modify(|count| *count = count.saturating_add(1));
    }

    /// The signal that came first, if any.
    pub(super) fn signal(&self) -> Option<u8> {
        Some(self.first.load(Ordering::Relaxed)).filter(|number| *number != 0)
    }

    /// Turns signals into wishes from now on, instead of into the end of the process.
    #[cfg(unix)]
    pub(super) fn listen(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        for (kind, number) in [
            (SignalKind::interrupt(), 2),
            (SignalKind::terminate(), 15),
            (SignalKind::hangup(), SIGHUP),
        ] {
            let mut signals = signal(kind)?;
            let wishes = self.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    wishes.express(number);
                }
            });
        }
        // A file that may not grow any more is an error of whoever writes to it, not the end of the process: the handler
        // that this installs stays for good.
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        Ok(())
    }

    /// Turns Ctrl-C into a wish from now on, instead of into the end of the process.
    #[cfg(not(unix))]
    pub(super) fn listen(&self) -> std::io::Result<()> {
        let wishes = self.clone();
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                wishes.express(2);
            }
        });
        Ok(())
    }
}
