//! One environment's log stream, and the tail that an invocation may ask for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::Host;
use super::frames::Record;

/// What `LogType: Tail` returns at most.
pub(super) const TAIL_BYTES: usize = 4096;

/// Nothing is read so late; a clock that says so is wrong.
const LATEST: Duration = Duration::from_mins(1);

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
        self.write(in_order(records, SystemTime::now()));
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

/// Gives each record a time. What was written before a record that says when it was written is not later than that, however
/// late it is read.
fn in_order(records: Vec<Record>, now: SystemTime) -> Vec<(SystemTime, String)> {
    let mut latest = now;
    let mut events: Vec<(SystemTime, String)> = records
        .into_iter()
        .rev()
        .map(|record| {
            let late = |time: &SystemTime| now.duration_since(*time).is_ok_and(|it| it < LATEST);
            latest = record.time.filter(late).map_or(latest, |time| latest.min(time));
            (record.time.unwrap_or(latest), record.text)
        })
        .collect();
    events.reverse();
    events
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
    fn text_read_late_stays_before_the_frame_behind_it() {
        let now = SystemTime::now();
        let before = |seconds| now.checked_sub(Duration::from_secs(seconds)).expect("after 1970");
        let record = |text: &str, time| Record { text: text.to_owned(), time };
        let (earlier, wrong) = (before(1), before(1000));
        let given = vec![
            record("a", None),
            record("b", Some(earlier)),
            record("c", None),
            record("d", Some(wrong)),
        ];
        let expected = [(earlier, "a"), (earlier, "b"), (now, "c"), (wrong, "d")];
        assert_eq!(in_order(given, now), expected.map(|(time, text)| (time, text.to_owned())));
    }

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
