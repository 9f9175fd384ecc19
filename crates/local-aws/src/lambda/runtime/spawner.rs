//! Starts processes from one thread that lives as long as they may.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Order {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// A thread that starts processes.
///
/// Forking takes as long as this program's memory is large; the workers of the async runtime have other things to do.
#[derive(Debug)]
pub(super) struct Spawner {
    orders: mpsc::Sender<Order>,
}

impl Spawner {
    /// Starts the thread; it ends when the spawner is dropped.
    pub(super) fn start() -> io::Result<Self> {
        let (orders, inbox) = mpsc::channel::<Order>();
        let runtime = Handle::current();
        thread::Builder::new().name("lambda-spawner".to_owned()).spawn(move || {
            let _context = runtime.enter();
            for Order { mut command, reply } in inbox {
                // A child that nobody waits for any more ends as it is dropped.
                let _unclaimed = reply.send(command.spawn());
            }
        })?;
        Ok(Self { orders })
    }

    /// Starts a process.
    pub(super) async fn spawn(&self, command: Command) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts Lambda handlers has ended");
        self.orders.send(Order { command, reply }).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starts_processes_and_reports_what_cannot_be_started() {
        let spawner = Spawner::start().expect("a thread");
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]);
        let mut child = spawner.spawn(command).await.expect("a process");
        assert_eq!(child.wait().await.expect("its end").code(), Some(3));
        let error = spawner.spawn(Command::new("/nonexistent")).await.expect_err("no program");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
