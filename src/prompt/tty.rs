//! Whether there still is a terminal to read from. What reads keys waits for ever, at full speed, once there is none.

use std::io;
use std::time::{Duration, Instant};

/// What can be read from the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// A key, or a part of one.
    Some,
    /// Nothing yet.
    None,
    /// There is no terminal any more.
    Gone,
}

/// How soon it is noticed that a terminal is gone.
const TICK: Duration = Duration::from_millis(100);

/// Waits for input, up to a limit.
pub(super) fn wait(limit: Duration) -> io::Result<Input> {
    let started = Instant::now();
    loop {
        let left = limit.saturating_sub(started.elapsed());
        match look(left.min(TICK))? {
            Input::None if !left.is_zero() => {}
            input => return Ok(input),
        }
    }
}

#[cfg(unix)]
fn look(limit: Duration) -> io::Result<Input> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let mut files = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec::try_from(limit).unwrap_or_default();
    match poll(&mut files, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let seen = files[0].revents();
    Ok(if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        Input::Gone
    } else if seen.contains(PollFlags::IN) {
        Input::Some
    } else {
        Input::None
    })
}

#[cfg(not(unix))]
fn look(limit: Duration) -> io::Result<Input> {
    Ok(if crossterm::event::poll(limit)? { Input::Some } else { Input::None })
}

/// Calls `gone` if the terminal goes away while `ask` waits for an answer in a way of its own.
pub(super) fn watched<T>(gone: super::terminal::Hook, ask: impl FnOnce() -> T) -> T {
    let (answered, waits) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        while waits.recv_timeout(TICK) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            if look(Duration::ZERO).is_ok_and(|input| input == Input::Gone) {
                gone();
                return;
            }
        }
    });
    let answer = ask();
    drop(answered);
    let _ = watch.join();
    answer
}
