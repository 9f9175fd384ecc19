//! One environment's log stream, and the tail that an invocation may ask for.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
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
    /// When the last event happened.
    latest: Mutex<SystemTime>,
    paths: OnceLock<Paths>,
}

/// Where an environment's directories really are means nothing to anybody, and differs from run to run: people see the
/// paths that they have on Lambda.
#[derive(Debug, Default)]
pub(super) struct Paths(Vec<(String, &'static str)>);

impl Paths {
    /// The real directories: of the function's code, of the runtime, for temporary files.
    pub(super) fn new(task: &Path, runtime: &Path, scratch: &Path) -> Self {
        let pair = |path: &Path, shown| path.to_str().map(|path| (path.to_owned(), shown));
        let pairs = [pair(task, "/var/task"), pair(runtime, "/var/runtime"), pair(scratch, "/tmp")];
        Self(pairs.into_iter().flatten().collect())
    }

    /// The text with Lambda's paths.
    pub(super) fn shown(&self, text: String) -> String {
        self.0.iter().fold(text, |text, (real, shown)| {
            if text.contains(real.as_str()) { text.replace(real.as_str(), shown) } else { text }
        })
    }
}

impl StreamLog {
    pub(super) fn new(host: Arc<dyn Host>, group: String, stream: String) -> Self {
        Self {
            host,
            group,
            stream,
            tail: Mutex::default(),
            latest: Mutex::new(SystemTime::UNIX_EPOCH),
            paths: OnceLock::new(),
        }
    }

    /// Says which paths of what a handler writes are shown otherwise.
    pub(super) fn show(&self, paths: Paths) {
        let _once = self.paths.set(paths);
    }

    /// A text with the paths that people see.
    pub(super) fn shown(&self, text: String) -> String {
        match self.paths.get() {
            Some(paths) => paths.shown(text),
            None => text,
        }
    }

    /// The time of what is written now.
    pub(super) fn now(&self) -> SystemTime {
        self.host.now()
    }

    /// Writes what a handler wrote.
    pub(super) fn write_records(&self, records: Vec<Record>) {
        let now = self.now();
        let events =
            records.into_iter().map(|record| (record.time.unwrap_or(now), self.shown(record.text)));
        self.write(events.collect());
    }

    /// Writes what Lambda says.
    pub(super) fn write_lines(&self, lines: impl IntoIterator<Item = String>) {
        let now = self.now();
        self.write(lines.into_iter().map(|line| (now, line)).collect());
    }

    fn write(&self, mut events: Vec<(SystemTime, String)>) {
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
        self.keep_order(&mut events);
        self.host.append_log(&self.group, &self.stream, events);
    }

    /// What was written later did not happen earlier: a line gets its time when it is read, a record when it is written.
    fn keep_order(&self, events: &mut [(SystemTime, String)]) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        for (time, _) in events {
            *time = (*time).max(*latest);
            *latest = *time;
        }
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

    struct Nowhere(Mutex<Vec<(SystemTime, String)>>);

    impl Host for Nowhere {
        fn now(&self) -> SystemTime {
            SystemTime::now()
        }

        fn append_log(&self, _: &str, _: &str, events: Vec<(SystemTime, String)>) {
            self.0.lock().expect("no panic").extend(events);
        }

        fn aws_variables(&self, _: &str, _: &str) -> Vec<(String, String)> {
            Vec::new()
        }
    }

    #[test]
    fn what_is_written_later_is_not_earlier() {
        let host = Arc::new(Nowhere(Mutex::default()));
        let log = StreamLog::new(host.clone(), "group".to_owned(), "stream".to_owned());
        let before = SystemTime::now() - std::time::Duration::from_secs(1);
        log.write_lines(["a line".to_owned()]);
        log.write_records(vec![Record { time: Some(before), text: "a record".to_owned() }]);
        let events = host.0.lock().expect("no panic").clone();
        assert_eq!(events[0].0, events[1].0);
        assert!(events[0].0 > before);
    }

    #[test]
    fn paths_are_those_that_people_know() {
        let paths = Paths::new(Path::new("/x/task-1"), Path::new("/x/runtime"), Path::new("/x/t"));
        let shown = paths.shown("/x/task-1/m.py, /x/runtime/index.mjs, /x/t/f, /x/u".to_owned());
        assert_eq!(shown, "/var/task/m.py, /var/runtime/index.mjs, /tmp/f, /x/u");
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
