//! One environment's log stream, and the tail that an invocation may ask for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::Host;
use super::frames::Record;

/// What `LogType: Tail` returns at most.
pub(super) const TAIL_BYTES: usize = 4096;

/// A log stream.
pub(super) struct StreamLog {
    host: Arc<dyn Host>,
    group: String,
    stream: String,
    tail: Mutex<Vec<u8>>,
}

impl StreamLog {
    pub(super) fn new(host: Arc<dyn Host>, group: String, stream: String) -> Self {
        Self { host, group, stream, tail: Mutex::default() }
    }

    /// Writes what a handler wrote.
    pub(super) fn write_records(&self, records: Vec<Record>) {
        let now = SystemTime::now();
        let events = records.into_iter().map(|record| (record.time.unwrap_or(now), record.text));
        self.write(events.collect());
    }

    /// Writes what Lambda says.
    pub(super) fn write_lines(&self, lines: impl IntoIterator<Item = String>) {
        let now = SystemTime::now();
        self.write(lines.into_iter().map(|line| (now, line)).collect());
    }

    fn write(&self, events: Vec<(SystemTime, String)>) {
        if events.is_empty() {
            return;
        }
        let mut tail = self.tail();
        for (_, text) in &events {
            tail.extend_from_slice(text.as_bytes());
            if !text.ends_with('\n') {
                tail.push(b'\n');
            }
        }
        shorten(&mut tail);
        drop(tail);
        self.host.append_log(&self.group, &self.stream, events);
    }

    /// Forgets the tail: an invocation begins.
    pub(super) fn begin_tail(&self) {
        self.tail().clear();
    }

    /// The last 4 KB since [`Self::begin_tail`].
    pub(super) fn take_tail(&self) -> Vec<u8> {
        std::mem::take(&mut *self.tail())
    }

    fn tail(&self) -> MutexGuard<'_, Vec<u8>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shorten(tail: &mut Vec<u8>) {
    let Some(mut excess) = tail.len().checked_sub(TAIL_BYTES) else {
        return;
    };
    // Never half a character: continuation bytes are 0b10xxxxxx.
    while tail.get(excess).is_some_and(|byte| byte & 0xc0 == 0x80) {
        excess += 1;
    }
    tail.drain(..excess);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_the_end_and_whole_characters() {
        let mut tail = "ü".repeat(3000).into_bytes();
        tail.push(b'.');
        shorten(&mut tail);
        assert!(tail.len() <= TAIL_BYTES && tail.len() > TAIL_BYTES - 4);
        let text = String::from_utf8(tail).expect("whole characters");
        assert!(text.ends_with("ü."));
    }
}
