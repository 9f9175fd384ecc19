//! Carries what a handler writes from its pipe to the log.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::Arc;

use rustix::io::Errno;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};

use super::frames::Decoder;
use super::log::StreamLog;

/// The reading end of a handler's stdout and stderr, read by a task of its own.
pub(super) struct Output {
    drains: mpsc::Sender<oneshot::Sender<()>>,
}

struct Pump {
    pipe: Receiver,
    decoder: Decoder,
    log: Arc<StreamLog>,
}

impl Output {
    /// The output and the two writing ends for the process: one pipe, so that order is kept.
    pub(super) fn open(log: Arc<StreamLog>) -> io::Result<(Self, Stdio, Stdio)> {
        let (reader, writer) = io::pipe()?;
        let stderr = writer.try_clone()?;
        let pump = Pump {
            pipe: Receiver::from_owned_fd(OwnedFd::from(reader))?,
            decoder: Decoder::default(),
            log,
        };
        let (drains, inbox) = mpsc::channel(4);
        tokio::spawn(pump.run(inbox));
        Ok((Self { drains }, Stdio::from(writer), Stdio::from(stderr)))
    }

    /// Returns when everything that has been written so far is in the log.
    pub(super) async fn drain(&self) {
        let (done, wait) = oneshot::channel();
        if self.drains.send(done).await.is_ok() {
            let _pump_ended = wait.await;
        }
    }
}

impl Pump {
    async fn run(mut self, mut inbox: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut open = true;
        loop {
            tokio::select! {
                drain = inbox.recv() => {
                    let Some(done) = drain else { break };
                    self.read_all();
                    self.log.write_records(self.decoder.flush_text());
                    let _nobody_waits = done.send(());
                }
                readable = self.pipe.readable(), if open => {
                    open = readable.is_ok() && self.read_some();
                }
            }
        }
        self.read_all();
        self.log.write_records(self.decoder.flush());
    }

    /// Reads once; says whether more may come.
    fn read_some(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.pipe.try_read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                self.log.write_records(self.decoder.push(bytes));
                true
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Reads until nothing is left. Asks the kernel itself: the reactor may not have heard yet of what was just written.
    fn read_all(&mut self) {
        let mut buffer = [0; 16 * 1024];
        // A handler that writes without end must not hold up the end of its own invocation.
        for _ in 0..4096 {
            match rustix::io::read(&self.pipe, &mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    self.log.write_records(self.decoder.push(bytes));
                }
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }
}
