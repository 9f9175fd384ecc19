//! Where events go: redacted, counted, one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Counts, Event, Mode, Status, UndoStatus};
use crate::redactor::Redactor;

/// Who hears of events.
pub type Listener = Box<dyn FnMut(&Event) + Send>;

/// Where events go. Clones share everything.
#[derive(Clone)]
pub struct Sink {
    shared: Arc<Mutex<Shared>>,
    redactor: Redactor,
}

struct Shared {
    listener: Listener,
    counts: Counts,
    /// Whether calls belong to the clean-up.
    cleaning: bool,
}

impl Sink {
    /// A sink that hands every event, with secrets masked, to `listener`.
    #[must_use]
    pub fn new(listener: Listener, redactor: Redactor) -> Self {
        let shared = Shared { listener, counts: Counts::default(), cleaning: false };
        Self { shared: Arc::new(Mutex::new(shared)), redactor }
    }

    /// The secrets that it masks.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// How many of what have passed.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).counts
    }

    /// Passes an event on.
    pub fn emit(&self, event: Event) {
        let event = self.redacted(event);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        match &event {
            Event::CleanupStarted { .. } => shared.cleaning = true,
            Event::RunFinished { .. } => shared.cleaning = false,
            _ => {}
        }
        let cleaning = shared.cleaning;
        count(&mut shared.counts, &event, cleaning);
        (shared.listener)(&event);
    }

    fn redacted(&self, event: Event) -> Event {
        if self.redactor.is_empty() {
            return event;
        }
        // Through its serialised form, so that no field of any event, present or future, is forgotten.
        let Ok(mut value) = serde_json::to_value(&event) else {
            return event;
        };
        self.redactor.redact_event(&mut value);
        serde_json::from_value(value).unwrap_or_else(|_| Event::Warned {
            text: "something was said that cannot be shown without showing a secret".to_owned(),
        })
    }
}

fn count(counts: &mut Counts, event: &Event, cleaning: bool) {
    match event {
        Event::RunStarted { mode: Mode::DryRun, .. } => {
            counts.plan.get_or_insert_default();
        }
        Event::Called { call, only_if, .. } => {
            counts.calls += 1;
            if let Some(plan) = &mut counts.plan {
                plan.add(call.effect, *only_if, cleaning);
            }
        }
        Event::Made { .. } => counts.made += 1,
        Event::Settled { .. } => counts.removed += 1,
        Event::StepFinished { status, .. } => match status {
            Status::Passed | Status::ExpectedError | Status::AllowedError | Status::Planned => {
                counts.passed += 1;
            }
            Status::Failed | Status::Interrupted => counts.failed += 1,
            Status::Skipped => counts.skipped += 1,
        },
        Event::UndoFinished { status, .. } => match status {
            UndoStatus::Deleted | UndoStatus::Restored | UndoStatus::Planned => counts.removed += 1,
            UndoStatus::AlreadyGone => counts.gone += 1,
            UndoStatus::NotOurs
            | UndoStatus::Changed
            | UndoStatus::Failed
            | UndoStatus::Skipped
            | UndoStatus::Kept => {}
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_reach_the_listener() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let heard = Arc::clone(&heard);
            Box::new(move |event: &Event| {
                heard.lock().unwrap().push(serde_json::to_string(event).unwrap());
            })
        };
        let redactor = Redactor::default();
        redactor.learn("hunter22");
        // A secret that is also the name of an event must not break the event.
        redactor.learn("said");
        let sink = Sink::new(listener, redactor);
        sink.emit(Event::Said { text: "the password is hunter22".into() });
        assert_eq!(*heard.lock().unwrap(), [r#"{"event":"said","text":"the password is ***"}"#]);
    }
}
