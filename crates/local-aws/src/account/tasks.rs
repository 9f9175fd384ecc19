//! What goes on after a request has been answered.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The background tasks of all accounts; they end with them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: Mutex<JoinSet<()>>,
}

impl Tasks {
    fn running(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let mut running = self.running();
        while running.try_join_next().is_some() {}
        running.spawn(async move {
            // Nobody need wait for the result.
            let _unheard = sender.send(work.await);
        });
        receiver
    }

    /// Ends every task, and returns when all have ended.
    pub(super) async fn shutdown(&self) {
        let mut running = std::mem::take(&mut *self.running());
        running.shutdown().await;
    }

    /// Ends every task, without waiting.
    pub(super) fn abort(&self) {
        self.running().abort_all();
    }
}
