//! The request to stop, as whoever waits hears of it.

use tokio::sync::watch;

/// The wish to stop: once is gentle, twice is at once.
#[derive(Debug, Clone)]
pub struct Interrupt {
    wishes: watch::Receiver<u8>,
    heeded: u8,
}

impl Interrupt {
    /// Heeds the wish once it was expressed `heeded` times.
    #[must_use]
    pub fn new(wishes: watch::Receiver<u8>, heeded: u8) -> Self {
        Self { wishes, heeded }
    }

    /// The same wishes, heeded only at the given count.
    #[must_use]
    pub fn at(&self, heeded: u8) -> Self {
        Self { wishes: self.wishes.clone(), heeded }
    }

    /// Whether to stop.
    #[must_use]
    pub fn requested(&self) -> bool {
        *self.wishes.borrow() >= self.heeded
    }

    /// Returns when it is time to stop; never, if that never happens.
    pub async fn wait(&self) {
        let mut wishes = self.wishes.clone();
        if wishes.wait_for(|wishes| *wishes >= self.heeded).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
