//! Where events go: redacted, counted, one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::event::{Counts, Event, Mode, Owner, Status, UndoStatus, What};
use crate::journal::History;
use crate::redactor::Redactor;

/// Who hears of events.
pub type Listener = Box<dyn FnMut(&Event) + Send>;

/// Where the events of a run go. Clones share everything.
#[derive(Clone)]
pub struct Sink {
    shared: Arc<Mutex<Shared>>,
    redactor: Redactor,
    run: Arc<str>,
}

struct Shared {
    listener: Listener,
    counts: Counts,
    /// How many events there were.
    seq: u64,
    /// Where the run's history is kept, if it is.
    history: Option<History>,
}

impl Sink {
    /// A sink that hands every event of a run, with secrets masked, to `listener`.
    #[must_use]
    pub fn new(run: &str, listener: Listener, redactor: Redactor) -> Self {
        let shared = Shared { listener, counts: Counts::default(), seq: 0, history: None };
        Self { shared: Arc::new(Mutex::new(shared)), redactor, run: Arc::from(run) }
    }

    /// Adds what passes to the history of the run, too.
    pub fn keep(&self, history: Option<&History>) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.history = history.cloned();
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

    /// Passes on what happened.
    pub fn emit(&self, owner: Owner, what: What) {
        self.pass_on(owner, what, true);
    }

    /// Passes on what happened in the run before it was resumed, and stands in its history already.
    pub(crate) fn emit_again(&self, owner: Owner, what: What) {
        self.pass_on(owner, what, false);
    }

    fn pass_on(&self, owner: Owner, what: What, is_new: bool) {
        let (owner, what) = self.redacted(owner, what);
        let run = self.run.as_ref().to_owned();
        // Numbers and times go up in the order in which events are told.
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.seq += 1;
        let event = Event { seq: shared.seq, at: Timestamp::now(), run, owner, what };
        count(&mut shared.counts, &event);
        if let Some(history) = shared.history.as_ref().filter(|_| is_new) {
            history.tell(&event);
        }
        (shared.listener)(&event);
    }

    fn redacted(&self, mut owner: Owner, what: What) -> (Owner, What) {
        if self.redactor.is_empty() {
            return (owner, what);
        }
        match &mut owner {
            Owner::Step(step) => self.mask(&mut step.title),
            Owner::Undo(resource) => self.mask(&mut resource.name),
            Owner::Run => {}
        }
        (owner, self.masked(what))
    }

    fn mask(&self, text: &mut String) {
        *text = self.redactor.redact(text).into_owned();
    }

    fn masked(&self, what: What) -> What {
        // Through its serialised form, so that no field of any event, present or future, is forgotten.
        let Ok(mut value) = serde_json::to_value(&what) else {
            return what;
        };
        self.redactor.redact_event(&mut value);
        serde_json::from_value(value).unwrap_or_else(|_| What::Warned {
            text: "something was said that cannot be shown without showing a secret".to_owned(),
        })
    }
}

fn count(counts: &mut Counts, event: &Event) {
    match &event.what {
        What::RunStarted { mode: Mode::DryRun, .. } => {
            counts.plan.get_or_insert_default();
        }
        What::Called { call, only_if, .. } => {
            counts.calls += 1;
            if let Some(plan) = &mut counts.plan {
                plan.add(call.effect, *only_if, event.owner.undone().is_some());
            }
        }
        What::Created { .. } => counts.created += 1,
        What::Removed { .. } => counts.removed += 1,
        What::StepFinished { status, .. } => match status {
            Status::Passed
            | Status::DoneBefore
            | Status::ExpectedError
            | Status::AllowedError
            | Status::Planned => {
                counts.passed += 1;
            }
            Status::Failed | Status::Interrupted => counts.failed += 1,
            Status::Skipped => counts.skipped += 1,
        },
        What::UndoFinished { status, .. } => match status {
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
    use crate::event::StepRef;

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
        redactor.learn("printed");
        let sink = Sink::new("k3x9", listener, redactor);
        let step = StepRef {
            path: "role".into(),
            rounds: Vec::new(),
            number: "1".into(),
            depth: 0,
            id: Some("role".into()),
            title: "for hunter22".into(),
            kind: "print".into(),
        };
        sink.emit(Owner::Step(step), What::Printed { text: "the password is hunter22".into() });
        sink.emit(Owner::Run, What::Asking);
        let heard = heard.lock().unwrap();
        let event: Event = serde_json::from_str(&heard[0]).unwrap();
        assert_eq!((event.seq, event.run.as_str()), (1, "k3x9"));
        assert_eq!(event.what, What::Printed { text: "the password is ***".into() });
        assert_eq!(event.owner.step().map(|step| step.title.as_str()), Some("for ***"));
        assert!(
            heard[0].contains("\"owner\":{\"of\":\"step\",\"path\":\"role\",\"number\":\"1\""),
            "{}",
            heard[0]
        );
        assert!(heard[1].starts_with("{\"seq\":2,\"at\":\"20"), "{}", heard[1]);
        assert!(
            heard[1]
                .ends_with("Z\",\"run\":\"k3x9\",\"owner\":{\"of\":\"run\"},\"event\":\"asking\"}"),
            "{}",
            heard[1]
        );
    }
}
