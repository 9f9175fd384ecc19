//! Events of made-up runs, for the reporters' tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::{Reporter, Stream};
use engine::event::{
    Call, CallOutcome, Counts, Effect, Event, Failure, Mode, Note, Owner, Plan, Reason, Remaining,
    ResourceRef, SourcePlace, Status, StepRef, UndoStatus, What,
};
use jiff::Timestamp;

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

/// What happened to somebody, at a time that is always the same.
pub(super) fn of(owner: Owner, what: What) -> Event {
    let at: Timestamp = "2026-11-23T05:00:00Z".parse().unwrap_or_default();
    Event { seq: 1, at, run: "k3x9".to_owned(), owner, what }
}

/// What happened in a step.
pub(super) fn in_step(step: &StepRef, what: What) -> Event {
    of(Owner::Step(step.clone()), what)
}

pub(super) fn step(number: &str, title: &str, kind: &str) -> StepRef {
    StepRef {
        path: number.replace('.', "/"),
        rounds: Vec::new(),
        number: number.to_owned(),
        depth: number.matches('.').count(),
        id: None,
        title: title.to_owned(),
        kind: kind.to_owned(),
    }
}

pub(super) fn started(mode: Mode) -> Event {
    let what = What::RunStarted {
        playbook: "get-started".to_owned(),
        cell: None,
        description: Some("Create a function and invoke it.".to_owned()),
        file: "playbooks/get-started.yaml".to_owned(),
        mode,
        region: "eu-central-1".to_owned(),
        account: (mode == Mode::Live).then(|| "123456789012".to_owned()),
        endpoint: None,
        started: "2026-11-23T05:00:00Z".to_owned(),
        steps: 3,
    };
    of(Owner::Run, what)
}

pub(super) fn begun(step: &StepRef) -> Event {
    let line = step.number.chars().filter(char::is_ascii_digit).count() + 4;
    let place = SourcePlace { file: "playbooks/get-started.yaml".to_owned(), line, column: 5 };
    in_step(step, What::StepStarted { place: Some(place), source: Some(format!("{}:", step.kind)) })
}

pub(super) fn ended(step: &StepRef, status: Status, millis: u64) -> Event {
    in_step(step, What::StepFinished { status, millis, outputs: Value::Null, failure: None })
}

pub(super) fn resource(seq: u64, kind: &str, name: &str) -> ResourceRef {
    ResourceRef { seq, kind: kind.to_owned(), name: name.to_owned() }
}

pub(super) fn call(
    owner: Owner,
    service: &str,
    operation: &str,
    request: (&str, &str),
    body: Value,
) -> Event {
    let call = Call {
        service: service.to_owned(),
        operation: operation.to_owned(),
        effect: Effect::of(operation),
        method: request.0.to_owned(),
        path: request.1.to_owned(),
        parameters: if request.1 == "/" { body.clone() } else { Value::Null },
        body,
        outcome: None,
    };
    of(owner, What::Called { only_if: None, call })
}

fn owner(step: &StepRef) -> Owner {
    Owner::Step(step.clone())
}

fn role() -> ResourceRef {
    resource(1, "AWS::IAM::Role", "playbook-k3x9")
}

fn undone(resource: ResourceRef, status: UndoStatus, reason: Option<Reason>) -> [Event; 2] {
    let owner = Owner::Undo(resource);
    let finished = What::UndoFinished { status, reason, millis: 120 };
    [of(owner.clone(), What::UndoStarted), of(owner, finished)]
}

/// A role, a loop with an expected error in it, a text, a skipped step.
#[allow(clippy::too_many_lines, reason = "a list")]
pub(super) fn passing() -> Vec<Event> {
    let make = step("1", "Create a role", "create-role");
    let around = step("2", "Sign in", "repeat");
    let inside = step("2.1", "sign-in", "sign-in");
    let print = step("3", "print", "print");
    let skipped = step("4", "Send a code", "forgot-password");
    let mut outcome = call(
        owner(&make),
        "iam",
        "CreateRole",
        ("POST", "/"),
        json!({"RoleName": "playbook-k3x9"}),
    );
    if let What::Called { call, .. } = &mut outcome.what {
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
        in_step(&make, What::Created { resource: role() }),
        in_step(&make, What::Waiting { text: "creating the role".to_owned() }),
        ended(&make, Status::Passed, 312),
        begun(&around),
        begun(&inside),
        in_step(
            &inside,
            What::StepFinished {
                status: Status::ExpectedError,
                millis: 12_345,
                outputs: Value::Null,
                failure: Some(expected),
            },
        ),
        ended(&around, Status::Passed, 12_350),
        begun(&print),
        in_step(&print, What::Asking),
        in_step(
            &print,
            What::Answered {
                prompt: "Your name?".to_owned(),
                answer: "Ada".to_owned(),
                default: true,
            },
        ),
        in_step(&print, What::Printed { text: "Hello\nworld\n".to_owned() }),
        ended(&print, Status::Passed, 0),
        begun(&skipped),
        ended(&skipped, Status::Skipped, 0),
        of(Owner::Run, What::CleanupStarted { count: 1 }),
    ];
    events.extend(undone(role(), UndoStatus::Deleted, None));
    events.push(of(
        Owner::Run,
        What::RunFinished {
            passed: true,
            exit_code: 0,
            millis: 13_000,
            counts: Counts {
                passed: 3,
                failed: 0,
                skipped: 1,
                calls: 2,
                created: 1,
                removed: 1,
                gone: 0,
                plan: None,
            },
            remaining: Vec::new(),
            command: None,
            outputs: json!({"greeting": "Hello", "count": 2}),
        },
    ));
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
        place: Some(SourcePlace { file: "a.yaml".to_owned(), line: 7, column: 5 }),
        excerpt: "error[FunctionError]: the function failed: division by zero\n --> a.yaml:7:5\n  |\n7 |     invoke:\n  |     ^^^^^^"
            .to_owned(),
        details: vec!["START RequestId: 1".to_owned(), "ZeroDivisionError\nEND".to_owned()],
    };
    let ended = |step: &StepRef| {
        let what = What::StepFinished {
            status: Status::Failed,
            millis: 2_410,
            outputs: Value::Null,
            failure: Some(failure.clone()),
        };
        in_step(step, what)
    };
    let function = || resource(2, "AWS::Lambda::Function", "playbook-k3x9");
    let refused = |message: &str| Reason::Failed {
        code: "AccessDenied".to_owned(),
        message: message.to_owned(),
    };
    let retrying =
        || What::Retrying { reason: "the role cannot be assumed".to_owned(), after: 1_000 };
    let mut events = vec![
        started(Mode::Live),
        begun(&around),
        begun(&inside),
        in_step(&inside, retrying()),
        in_step(&inside, retrying()),
        in_step(&inside, What::Warned { text: "it took more than 5 s".to_owned() }),
        ended(&inside),
        ended(&around),
        of(Owner::Run, What::CleanupStarted { count: 5 }),
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
        Some(Reason::Found { text: "somebody set it since".to_owned() }),
    ));
    events.extend(undone(resource(5, "AWS::DynamoDB::Item", "ada"), UndoStatus::Restored, None));
    events.extend(undone(
        role(),
        UndoStatus::Failed,
        Some(refused("AccessDenied: you may not\ndelete roles")),
    ));
    events.push(of(
        Owner::Run,
        What::RunFinished {
            passed: false,
            exit_code: 3,
            millis: 4_000,
            counts: Counts {
                passed: 0,
                failed: 1,
                skipped: 0,
                calls: 9,
                created: 5,
                removed: 3,
                gone: 0,
                plan: None,
            },
            remaining: vec![Remaining {
                resource: role(),
                arn: Some("arn:aws:iam::123456789012:role/playbook-k3x9".to_owned()),
                reason: refused("AccessDenied"),
            }],
            command: Some("playbook cleanup k3x9".to_owned()),
            outputs: Value::Null,
        },
    ));
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
    let finished = What::StepFinished {
        status: Status::Failed,
        millis: 1,
        outputs: Value::Null,
        failure: Some(failure),
    };
    vec![
        started(Mode::Local),
        begun(&step),
        in_step(&step, What::Printed { text: text.to_owned() }),
        in_step(&step, What::Warned { text: text.to_owned() }),
        in_step(&step, What::Created { resource: resource(1, text, text) }),
        in_step(
            &step,
            What::Answered { prompt: text.to_owned(), answer: text.to_owned(), default: true },
        ),
        in_step(&step, finished),
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
        call(Owner::Undo(role()), "iam", operation, ("POST", "/"), body)
    };
    vec![
        call(Owner::Run, "sts", "GetCallerIdentity", ("POST", "/"), json!({})),
        started(Mode::DryRun),
        begun(&make),
        call(
            owner(&make),
            "iam",
            "CreateRole",
            ("POST", "/"),
            json!({"Action": "CreateRole", "RoleName": "playbook-k3x9"}),
        ),
        in_step(&make, What::Created { resource: role() }),
        ended(&make, Status::Planned, 1),
        begun(&around),
        in_step(
            &around,
            What::Noted {
                note: Note::RepeatsUntil { condition: "not steps.again.answer".to_owned() },
            },
        ),
        begun(&inside),
        call(
            owner(&inside),
            "lambda",
            "Invoke",
            ("POST", "/2015-03-31/functions/⟨steps.function.arn⟩/invocations"),
            json!({"number": "⟨inputs.number⟩", "action": "increment"}),
        ),
        in_step(&inside, What::Printed { text: "Result: ⟨steps.invoke.payload⟩".to_owned() }),
        ended(&inside, Status::Planned, 1),
        ended(&around, Status::Planned, 1),
        begun(&off),
        ended(&off, Status::Skipped, 0),
        of(Owner::Run, What::CleanupStarted { count: 1 }),
        of(Owner::Undo(role()), What::UndoStarted),
        remove("GetRole"),
        remove("DeleteRole"),
        of(
            Owner::Undo(role()),
            What::UndoFinished { status: UndoStatus::Planned, reason: None, millis: 0 },
        ),
        of(
            Owner::Run,
            What::RunFinished {
                passed: true,
                exit_code: 0,
                millis: 9,
                counts: Counts {
                    passed: 3,
                    failed: 0,
                    skipped: 1,
                    calls: 5,
                    created: 1,
                    removed: 1,
                    gone: 0,
                    plan,
                },
                remaining: Vec::new(),
                command: None,
                outputs: json!({"result": "⟨steps.invoke.payload⟩"}),
            },
        ),
    ]
}
