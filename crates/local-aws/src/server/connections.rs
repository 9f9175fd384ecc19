//! The connections of a listener: how many there may be, and which has to go when there are too many.
//!
//! Whoever opens connections and says nothing must not keep others out, nor use up the descriptors that handlers need.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tokio::sync::Notify;

/// How long a connection may be silent before its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(60);

/// One that was answered a moment ago may still be sending its answer.
const SETTLED: Duration = Duration::from_millis(100);

/// What of the descriptors that this process may have is for connections: as much is left for handlers and their pipes.
pub(super) fn most() -> usize {
    const USUAL: u64 = 1024;
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(USUAL);
    usize::try_from(descriptors / 2).unwrap_or(usize::MAX).clamp(8, 4096)
}

/// A connection, as long as it lives.
#[derive(Debug)]
pub(super) struct Connection {
    state: Mutex<State>,
    unwanted: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests that are being read or answered.
    busy: usize,
    answered: bool,
    /// When it began to be idle.
    since: Instant,
}

/// A request that is being answered.
pub(super) struct Busy(Arc<Connection>);

impl Connection {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps it from being idle.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.state().busy += 1;
        Busy(Arc::clone(self))
    }

    /// Returns when it is to be closed: it is idle, and unwanted or has been for too long. A runtime may compute for long
    /// between its requests; a client that has been answered may have more to ask.
    pub(super) async fn to_be_closed(&self) {
        loop {
            let unwanted =
                tokio::time::timeout(Duration::from_secs(5), self.unwanted.notified()).await;
            let state = self.state();
            let is_late = !state.answered && state.since.elapsed() > FIRST_REQUEST;
            if state.busy == 0 && (unwanted.is_ok() || is_late) {
                return;
            }
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy -= 1;
        state.answered = true;
        state.since = Instant::now();
    }
}

/// All connections of a listener.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Vec<Arc<Connection>>,
}

impl Connections {
    /// One more.
    pub(super) fn open(&mut self) -> Arc<Connection> {
        let state = State { busy: 0, answered: false, since: Instant::now() };
        let connection = Arc::new(Connection { state: Mutex::new(state), unwanted: Notify::new() });
        self.open.push(Arc::clone(&connection));
        connection
    }

    /// How many there are.
    pub(super) fn count(&mut self) -> usize {
        self.open.retain(|connection| Arc::strong_count(connection) > 1);
        self.open.len()
    }

    /// Has the one closed that has been idle for longest. Those that are at work are let alone.
    pub(super) fn close_oldest(&mut self) {
        self.open.retain(|connection| Arc::strong_count(connection) > 1);
        let idle = self.open.iter().filter_map(|connection| {
            let state = connection.state();
            let is_idle = state.busy == 0 && state.since.elapsed() > SETTLED;
            is_idle.then_some((state.since, connection))
        });
        if let Some((_, oldest)) = idle.min_by_key(|(since, _)| *since) {
            oldest.unwanted.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_is_idle_for_longest_has_to_go() {
        let mut all = Connections::default();
        let (first, second, third) = (all.open(), all.open(), all.open());
        let busy = first.begin();
        assert_eq!(all.count(), 3);
        let settled = || tokio::time::sleep(SETTLED * 2);
        settled().await;
        all.close_oldest();
        second.to_be_closed().await;
        drop(second);
        assert_eq!(all.count(), 2);
        drop(busy);
        settled().await;
        all.close_oldest();
        third.to_be_closed().await;
        drop(third);
        all.close_oldest();
        first.to_be_closed().await;
    }

    #[tokio::test]
    async fn one_that_is_at_work_is_let_alone() {
        let mut all = Connections::default();
        let only = all.open();
        let busy = only.begin();
        all.close_oldest();
        only.unwanted.notify_one();
        let closed = tokio::time::timeout(Duration::from_millis(50), only.to_be_closed()).await;
        assert!(closed.is_err());
        drop(busy);
    }

    #[test]
    fn there_is_room_for_some() {
        assert!(most() >= 8);
    }
}
