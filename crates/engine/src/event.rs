//! What happened: all that the engine and the reporters share. Every event can be written as one line of JSON.

mod counts;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use aws::captured::{Call, CallOutcome, Effect};
pub use counts::{Counts, Plan};

/// How calls are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Against AWS, or whatever answers at the endpoint.
    Live,
    /// Against the embedded AWS.
    Local,
    /// Not at all: they are written down.
    DryRun,
}

/// Where a step stands, for people and for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRef {
    /// Unique within the run: such as `3`, `5.2` (in a block), `5[2].1` (second round of a loop).
    pub path: String,
    /// How deep it is nested; 0 at the top.
    pub depth: usize,
    /// `id`.
    pub id: Option<String>,
    /// `name`, rendered; the id or kind where there is none.
    pub title: String,
    /// The kind.
    pub kind: String,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It did what it should.
    Passed,
    /// It failed, as `expect_error` says it must.
    ExpectedError,
    /// It failed, as `allow_error` says it may.
    AllowedError,
    /// It failed.
    Failed,
    /// Its `when` was false.
    Skipped,
    /// Dry run: its calls are written down.
    Planned,
    /// The run was stopped during it.
    Interrupted,
}

/// What has to happen first, for a call of a dry run to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnlyIf {
    /// A condition holds that is not known yet.
    Condition,
    /// A step of the block fails whose `rescue` the call belongs to.
    Failure,
}

/// A message that AWS would have sent, had it been AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// An e-mail address or a phone number.
    pub to: String,
    /// Nothing, in an SMS.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The code, or temporary password, in it.
    pub code: String,
}

/// Something that the run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRef {
    /// Its entry in the journal.
    pub seq: u64,
    /// Such as `AWS::IAM::Role`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The name that a person knows it by.
    pub name: String,
}

/// Something that is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// What.
    #[serde(flatten)]
    pub resource: ResourceRef,
    /// Its ARN, to find it in the console by.
    pub arn: Option<String>,
    /// Why.
    pub reason: String,
}

/// A failure, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// `file:line:column`.
    pub place: Option<String>,
    /// Message, place, the line and what to do, drawn as a compiler does.
    pub excerpt: String,
    /// Lines that belong to it, such as a function's log.
    pub details: Vec<String>,
}

/// How taking a resource away ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoStatus {
    /// It was there and is gone.
    Deleted,
    /// The previous value is back.
    Restored,
    /// It was not there.
    AlreadyGone,
    /// It is not ours; untouched.
    NotOurs,
    /// Somebody changed it since; untouched.
    Changed,
    /// It could not be taken away.
    Failed,
    /// What depends on it could not be taken away, so neither was it.
    Skipped,
    /// Dry run: the calls are written down.
    Planned,
    /// The step says `keep`.
    Kept,
}

/// What the code of a function is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeForm {
    /// One file.
    File,
    /// All in a directory.
    Directory,
    /// A zip that is ready.
    Zip,
    /// A Rust program: the binary of that name.
    Program(String),
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The playbook passed its checks and starts.
    RunStarted {
        /// `run.id`.
        run: String,
        /// The playbook's name.
        playbook: String,
        /// Its description.
        description: Option<String>,
        /// The file.
        file: String,
        /// How calls are carried out.
        mode: Mode,
        /// The region.
        region: String,
        /// The account, once known.
        account: Option<String>,
        /// The endpoint, where it is not AWS's own.
        endpoint: Option<String>,
        /// `run.started`.
        started: String,
        /// How many steps stand at the top.
        steps: usize,
    },
    /// A step starts.
    StepStarted {
        /// Which.
        step: StepRef,
    },
    /// Control flow that a dry run shows as what it is: `repeats until …`, `only if …`.
    Noted {
        /// At which step.
        step: StepRef,
        /// The words.
        text: String,
    },
    /// A call was made, or written down.
    Called {
        /// By which step; absent for the run's own.
        step: Option<StepRef>,
        /// In a dry run: what has to happen first; absent where the call is certain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        only_if: Option<OnlyIf>,
        /// What.
        #[serde(flatten)]
        call: Call,
    },
    /// A step of a dry run has packed the code of a function, or would build it first.
    Packed {
        /// What, as the playbook names it.
        code: String,
        /// Where that is.
        path: String,
        /// What it is.
        form: CodeForm,
    },
    /// In a dry run: the next call sends what a file holds, as it is.
    Uploads {
        /// Which, as the playbook names it.
        file: String,
        /// Where that is.
        path: String,
    },
    /// In a dry run: a step whose failure is not the end.
    Expects {
        /// Which.
        step: StepRef,
        /// The codes of the errors.
        codes: Vec<String>,
        /// Whether one of them must come.
        must: bool,
    },
    /// A step waits for something; in a dry run: the next call is repeated until that.
    Waiting {
        /// For what.
        text: String,
    },
    /// A step tries again.
    Retrying {
        /// Why.
        reason: String,
        /// After how many milliseconds.
        after: u64,
    },
    /// Text that a step shows.
    Said {
        /// The text.
        text: String,
    },
    /// Something that may surprise.
    Warned {
        /// The text.
        text: String,
    },
    /// The embedded AWS would have sent a message.
    Mailed {
        /// What.
        #[serde(flatten)]
        mail: Mail,
    },
    /// A question is about to be put, so the terminal is needed.
    Asking,
    /// A question was answered.
    Answered {
        /// The question.
        prompt: String,
        /// The answer; masked if secret, and in a dry run perhaps not known.
        answer: String,
        /// Whether nobody was asked.
        default: bool,
    },
    /// The journal holds a resource that exists now.
    Made {
        /// What.
        resource: ResourceRef,
    },
    /// A step took away what the run had made.
    Settled {
        /// What.
        resource: ResourceRef,
    },
    /// A step ended.
    StepFinished {
        /// Which.
        step: StepRef,
        /// How.
        status: Status,
        /// How long it took, in milliseconds.
        millis: u64,
        /// What later steps see.
        outputs: Value,
        /// Why it failed.
        failure: Option<Failure>,
    },
    /// Clean-up starts.
    CleanupStarted {
        /// How many entries are open.
        count: usize,
    },
    /// A resource is about to be taken away.
    UndoStarted {
        /// What.
        resource: ResourceRef,
    },
    /// That ended.
    UndoFinished {
        /// What.
        resource: ResourceRef,
        /// How.
        status: UndoStatus,
        /// Why, where it was not taken away.
        reason: Option<String>,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// The run is over.
    RunFinished {
        /// `run.id`.
        run: String,
        /// Whether every step passed.
        passed: bool,
        /// The exit code.
        exit_code: u8,
        /// How long it took, in milliseconds.
        millis: u64,
        /// How many steps ended how.
        counts: Counts,
        /// What is still there.
        remaining: Vec<Remaining>,
        /// The command that takes it away.
        command: Option<String>,
        /// The playbook's outputs.
        outputs: Value,
    },
}
