//! Events of made-up runs, for the reporters' tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Reporter, Stream};
use engine::event::{
    Call, CallOutcome, Counts, Effect, Event, Failure, Mode, Plan, Remaining, ResourceRef, Status,
    StepRef, UndoStatus,
};

/// Keeps what is written to its streams.
#[derive(Clone, Default)]
pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(super) fn stream(&self) -> Stream {
        Stream::new(self.clone(), false)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells a reporter all of them.
pub(super) fn feed(reporter: &mut dyn Reporter, events: &[Event]) {
    for event in events {
        reporter.event(event);
    }
}

pub(super) fn step(path: &str, title: &str, kind: &str) -> StepRef {
    StepRef {
        path: path.to_owned(),
        depth: path.matches('.').count(),
        id: None,
        title: title.to_owned(),
        kind: kind.to_owned(),
    }
}

pub(super) fn started(mode: Mode) -> Event {
    Event::RunStarted {
        run: "k3x9".to_owned(),
        playbook: "get-started".to_owned(),
        description: Some("Create a function and invoke it.".to_owned()),
        file: "playbooks/get-started.yaml".to_owned(),
        mode,
        region: "eu-central-1".to_owned(),
        account: (mode == Mode::Live).then(|| "123456789012".to_owned()),
        endpoint: None,
        started: "2026-11-23T05:00:00Z".to_owned(),
        steps: 3,
    }
}

pub(super) fn begun(step: &StepRef) -> Event {
    Event::StepStarted { step: step.clone() }
}

pub(super) fn ended(step: &StepRef, status: Status, millis: u64) -> Event {
    Event::StepFinished { step: step.clone(), status, millis, outputs: Value::Null, failure: None }
}

pub(super) fn resource(seq: u64, kind: &str, name: &str) -> ResourceRef {
    ResourceRef { seq, kind: kind.to_owned(), name: name.to_owned() }
}

pub(super) fn call(
    step: Option<&StepRef>,
    service: &str,
    operation: &str,
    request: (&str, &str),
    body: Value,
) -> Event {
    Event::Called {
        step: step.cloned(),
        only_if: None,
        call: Call {
            service: service.to_owned(),
            operation: operation.to_owned(),
            effect: Effect::of(operation),
            method: request.0.to_owned(),
            path: request.1.to_owned(),
            parameters: if request.1 == "/" { body.clone() } else { Value::Null },
            body,
            outcome: None,
        },
    }
}

fn role() -> ResourceRef {
    resource(1, "AWS::IAM::Role", "playbook-k3x9")
}

fn undone(resource: ResourceRef, status: UndoStatus, reason: Option<&str>) -> [Event; 2] {
    let started = Event::UndoStarted { resource: resource.clone() };
    let reason = reason.map(str::to_owned);
    [started, Event::UndoFinished { resource, status, reason, millis: 120 }]
}

/// A role, a loop with an expected error in it, a text, a skipped step.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn passing() -> Vec<Event> {
    let make = step("1", "Create a role", "create-role");
    let around = step("2", "Sign in", "repeat");
    let inside = step("2.1", "sign-in", "sign-in");
    let print = step("3", "print", "print");
    let skipped = step("4", "Send a code", "forgot-password");
    let mut outcome =
        call(Some(&make), "iam", "CreateRole", ("POST", "/"), json!({"RoleName": "playbook-k3x9"}));
    if let Event::Called { call, .. } = &mut outcome {
        call.outcome =
            Some(CallOutcome { error: None, millis: 80, attempts: 1, unanswered: false });
    }
    let expected = Failure {
        code: "PasswordResetRequiredException".to_owned(),
        message: "Password reset required".to_owned(),
        help: None,
        place: None,
        excerpt: String::new(),
        details: Vec::new(),
    };
    let mut events = vec![
        started(Mode::Local),
        begun(&make),
        outcome,
        Event::Made { resource: role() },
        Event::Waiting { text: "creating the role".to_owned() },
        ended(&make, Status::Passed, 312),
        begun(&around),
        begun(&inside),
        Event::StepFinished {
            step: inside.clone(),
            status: Status::ExpectedError,
            millis: 12_345,
            outputs: Value::Null,
            failure: Some(expected),
        },
        ended(&around, Status::Passed, 12_350),
        begun(&print),
        Event::Asking,
        Event::Answered {
            prompt: "Your name?".to_owned(),
            answer: "Ada".to_owned(),
            default: true,
        },
        Event::Said { text: "Hello\nworld\n".to_owned() },
        ended(&print, Status::Passed, 0),
        begun(&skipped),
        ended(&skipped, Status::Skipped, 0),
        Event::CleanupStarted { count: 1 },
    ];
    events.extend(undone(role(), UndoStatus::Deleted, None));
    events.push(Event::RunFinished {
        run: "k3x9".to_owned(),
        passed: true,
        exit_code: 0,
        millis: 13_000,
        counts: Counts {
            passed: 3,
            failed: 0,
            skipped: 1,
            calls: 2,
            made: 1,
            removed: 1,
            gone: 0,
            plan: None,
        },
        remaining: Vec::new(),
        command: None,
        outputs: json!({"greeting": "Hello", "count": 2}),
    });
    events
}

/// A failure in a block, and a clean-up with every outcome.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn failing() -> Vec<Event> {
    let around = step("1", "Try it", "block");
    let inside = step("1.1", "Invoke it", "invoke");
    let failure = Failure {
        code: "FunctionError".to_owned(),
        message: "the function failed: division by zero".to_owned(),
        help: Some("look at its log below".to_owned()),
        place: Some("a.yaml:7:5".to_owned()),
        excerpt: "error[FunctionError]: the function failed: division by zero\n --> a.yaml:7:5\n  |\n7 |     invoke:\n  |     ^^^^^^"
            .to_owned(),
        details: vec!["START RequestId: 1".to_owned(), "ZeroDivisionError\nEND".to_owned()],
    };
    let ended = |step: &StepRef| Event::StepFinished {
        step: step.clone(),
        status: Status::Failed,
        millis: 2_410,
        outputs: Value::Null,
        failure: Some(failure.clone()),
    };
    let function = || resource(2, "AWS::Lambda::Function", "playbook-k3x9");
    let denied = "AccessDenied: you may not\ndelete roles";
    let mut events = vec![
        started(Mode::Live),
        begun(&around),
        begun(&inside),
        Event::Retrying { reason: "the role cannot be assumed".to_owned(), after: 1_000 },
        Event::Retrying { reason: "the role cannot be assumed".to_owned(), after: 1_000 },
        Event::Warned { text: "it took more than 5 s".to_owned() },
        ended(&inside),
        ended(&around),
        Event::CleanupStarted { count: 5 },
    ];
    events.extend(undone(function(), UndoStatus::Deleted, None));
    events.extend(undone(
        resource(3, "AWS::Logs::LogGroup", "/aws/lambda/x"),
        UndoStatus::AlreadyGone,
        None,
    ));
    events.extend(undone(
        resource(4, "AWS::Cognito::Trigger", "pool"),
        UndoStatus::Changed,
        Some("somebody set it since"),
    ));
    events.extend(undone(resource(5, "AWS::DynamoDB::Item", "ada"), UndoStatus::Restored, None));
    events.extend(undone(role(), UndoStatus::Failed, Some(denied)));
    events.push(Event::RunFinished {
        run: "k3x9".to_owned(),
        passed: false,
        exit_code: 3,
        millis: 4_000,
        counts: Counts {
            passed: 0,
            failed: 1,
            skipped: 0,
            calls: 9,
            made: 5,
            removed: 3,
            gone: 0,
            plan: None,
        },
        remaining: vec![Remaining {
            resource: role(),
            arn: Some("arn:aws:iam::123456789012:role/playbook-k3x9".to_owned()),
            reason: "AccessDenied".to_owned(),
        }],
        command: Some("playbook cleanup k3x9".to_owned()),
        outputs: Value::Null,
    });
    events
}

/// Names and texts that try to take over the terminal, or the report.
pub(super) fn hostile() -> Vec<Event> {
    let text = "]]><evil/> \u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{ffff}\rgone\ntwo";
    let step = step("1", text, "print");
    let failure = Failure {
        code: text.to_owned(),
        message: text.to_owned(),
        help: None,
        place: None,
        excerpt: text.to_owned(),
        details: vec![text.to_owned()],
    };
    let finished = Event::StepFinished {
        step: step.clone(),
        status: Status::Failed,
        millis: 1,
        outputs: Value::Null,
        failure: Some(failure),
    };
    vec![
        started(Mode::Local),
        begun(&step),
        Event::Said { text: text.to_owned() },
        Event::Warned { text: text.to_owned() },
        Event::Made { resource: resource(1, text, text) },
        Event::Answered { prompt: text.to_owned(), answer: text.to_owned(), default: true },
        finished,
    ]
}

/// A dry run of two steps, a loop and a clean-up.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn planned() -> Vec<Event> {
    let make = step("1", "Create a role", "create-role");
    let around = step("2", "Calculate until told to stop", "repeat");
    let inside = step("2.1", "invoke", "invoke");
    let off = step("3", "Send a code", "forgot-password");
    let plan = Some(Plan { create: 1, read: 1, act: 1, cleanup: 2, ..Plan::default() });
    let remove = |operation: &str| {
        let body = json!({"Action": operation, "RoleName": "playbook-k3x9"});
        call(None, "iam", operation, ("POST", "/"), body)
    };
    vec![
        call(None, "sts", "GetCallerIdentity", ("POST", "/"), json!({})),
        started(Mode::DryRun),
        begun(&make),
        call(
            Some(&make),
            "iam",
            "CreateRole",
            ("POST", "/"),
            json!({"Action": "CreateRole", "RoleName": "playbook-k3x9"}),
        ),
        Event::Made { resource: role() },
        ended(&make, Status::Planned, 1),
        begun(&around),
        Event::Noted {
            step: around.clone(),
            text: "repeats until not steps.again.answer".to_owned(),
        },
        begun(&inside),
        call(
            Some(&inside),
            "lambda",
            "Invoke",
            ("POST", "/2015-03-31/functions/⟨steps.function.arn⟩/invocations"),
            json!({"number": "⟨inputs.number⟩", "action": "increment"}),
        ),
        Event::Said { text: "Result: ⟨steps.invoke.payload⟩".to_owned() },
        ended(&inside, Status::Planned, 1),
        ended(&around, Status::Planned, 1),
        begun(&off),
        ended(&off, Status::Skipped, 0),
        Event::CleanupStarted { count: 1 },
        Event::UndoStarted { resource: role() },
        remove("GetRole"),
        remove("DeleteRole"),
        Event::UndoFinished {
            resource: role(),
            status: UndoStatus::Planned,
            reason: None,
            millis: 0,
        },
        Event::RunFinished {
            run: "k3x9".to_owned(),
            passed: true,
            exit_code: 0,
            millis: 9,
            counts: Counts {
                passed: 3,
                failed: 0,
                skipped: 1,
                calls: 5,
                made: 1,
                removed: 1,
                gone: 0,
                plan,
            },
            remaining: Vec::new(),
            command: None,
            outputs: json!({"result": "⟨steps.invoke.payload⟩"}),
        },
    ]
}
