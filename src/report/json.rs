//! Events for machines: one line of JSON each, or one document.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Reporter, Stream, file, safe};
use engine::event::{Event, What};

/// Writes each event as one line of JSON.
#[derive(Debug)]
pub struct JsonReporter {
    out: Stream,
}

impl JsonReporter {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Stream) -> Self {
        Self { out }
    }
}

impl Reporter for JsonReporter {
    fn event(&mut self, event: &Event) {
        // Numbers that JSON cannot hold do not occur in a `Value`, and every key is text.
        if let Ok(line) = serde_json::to_string(event) {
            self.out.line(&safe::json(&line));
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.finish()
    }
}

/// Writes one JSON document at the end: `{"events": […], "summary": {"passed": …, "runs": […]}}`.
#[derive(Debug)]
pub struct JsonFileReporter {
    path: PathBuf,
    planning: bool,
    events: Vec<Value>,
    runs: Vec<Value>,
    started: usize,
    passed: bool,
}

impl JsonFileReporter {
    /// Will write to `path`.
    ///
    /// # Errors
    /// The directory does not exist, or the path is one.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        file::check(&path)?;
        Ok(Self {
            path,
            planning: false,
            events: Vec::new(),
            runs: Vec::new(),
            started: 0,
            passed: true,
        })
    }

    /// The same for a dry run, if it is one: what is not known yet stands in guillemets.
    #[must_use]
    pub fn planning(self, planning: bool) -> Self {
        Self { planning, ..self }
    }
}

impl Reporter for JsonFileReporter {
    fn event(&mut self, event: &Event) {
        let Ok(value) = serde_json::to_value(event) else {
            return;
        };
        match &event.what {
            What::RunStarted { .. } => self.started += 1,
            What::Refused { .. } => self.passed = false,
            What::RunFinished { passed, remaining, .. } => {
                self.passed &= *passed && remaining.is_empty();
                let mut run = value.clone();
                if let Some(fields) = run.as_object_mut() {
                    for own in ["seq", "owner", "event"] {
                        fields.shift_remove(own);
                    }
                }
                self.runs.push(run);
            }
            _ => {}
        }
        self.events.push(value);
    }

    fn finish(&mut self) -> io::Result<()> {
        let passed = self.passed && self.runs.len() == self.started;
        let document = json!({
            "events": std::mem::take(&mut self.events),
            "summary": {"passed": passed, "runs": std::mem::take(&mut self.runs)},
        });
        let text = format!("{document:#}\n");
        let text = safe::guillemets(&text, self.planning);
        file::write(&self.path, safe::json(&text).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{self, Captured};

    #[test]
    fn events_are_lines_and_read_back() {
        let out = Captured::default();
        let mut reporter = JsonReporter::new(out.stream());
        let events = sample::passing();
        sample::feed(&mut reporter, &events);
        let text = out.text();
        let read: Vec<Event> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(read, events);
        assert!(text.starts_with(
                "{\"seq\":1,\"at\":\"2026-11-23T05:00:00.000Z\",\"run\":\"k3x9\",\"owner\":{\"of\":\"run\"},\"event\":\"run-started\""
            ), "{text}");
    }

    #[test]
    fn the_document_has_events_and_a_summary() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("report.json");
        let mut reporter = JsonFileReporter::new(&path)?;
        sample::feed(&mut reporter, &sample::failing());
        reporter.finish()?;
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        assert_eq!(document["events"].as_array().map(Vec::len), Some(sample::failing().len()));
        assert_eq!(document["summary"]["passed"], false);
        assert_eq!(document["summary"]["runs"][0]["counts"]["failed"], 1);
        assert_eq!(document["summary"]["runs"][0]["remaining"][0]["type"], "AWS::IAM::Role");
        Ok(())
    }

    #[test]
    fn a_run_without_an_end_has_not_passed() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("report.json");
        let mut reporter = JsonFileReporter::new(&path)?;
        sample::feed(&mut reporter, sample::passing().get(..3).unwrap_or_default());
        reporter.finish()?;
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        assert_eq!(document["summary"], json!({"passed": false, "runs": []}));
        Ok(())
    }
}
