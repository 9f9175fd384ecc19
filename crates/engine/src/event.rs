//! What happened: all that the engine and the reporters share. Every event says when, in which run, and whose it is, and
//! can be written as one line of JSON. Events hold facts; words are the reporters'.

mod counts;
mod owner;
mod plan;
mod reason;
pub(crate) mod rfc3339;

use jiff::Timestamp;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use aws::captured::{Call, CallOutcome, Effect};
pub use counts::{Counts, Plan};
pub use owner::{Owner, StepRef};
pub use plan::Note;
pub use reason::Reason;

/// How calls are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Against AWS, or whatever answers at the endpoint.
    Live,
    /// Against the embedded AWS.
    Local,
    /// Not at all: they are written down.
    DryRun,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It did what it should.
    Passed,
    /// It did what it should before the run was resumed, and is not done again.
    DoneBefore,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnlyIf {
    /// A condition holds that is not known yet.
    Condition,
    /// A step of the block fails whose `rescue` the call belongs to.
    Failure,
}

/// A message that AWS would have sent, had it been AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Something that the run created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remaining {
    /// What.
    #[serde(flatten)]
    pub resource: ResourceRef,
    /// Its ARN, to find it in the console by.
    pub arn: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// A place in a playbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourcePlace {
    /// The file.
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    /// Counts from 1, in characters.
    pub column: usize,
}

/// A failure, for a person to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The error's code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// Where in a playbook.
    pub place: Option<SourcePlace>,
    /// Message, place, the line and what to do, drawn as a compiler does.
    pub excerpt: String,
    /// Lines that belong to it, such as a function's log.
    pub details: Vec<String>,
}

/// How removing a resource ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// It could not be removed.
    Failed,
    /// What depends on it could not be removed, so neither was it.
    Skipped,
    /// Dry run: the calls are written down.
    Planned,
    /// The step says `keep`.
    Kept,
}

/// What the code of a function is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Counts the run's events up from 1.
    pub seq: u64,
    /// When it happened, by this machine's clock.
    #[serde(with = "rfc3339::millis")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// `run.id`: the events of several runs may come mixed.
    pub run: String,
    /// Whose it is.
    pub owner: Owner,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened, to the [`Owner`] of the event or by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The playbook or the command line is wrong: nothing was called, and there is no run.
    Refused {
        /// All that is wrong.
        failures: Vec<Failure>,
    },
    /// The playbook passed its checks and starts.
    RunStarted {
        /// The playbook's name.
        playbook: String,
        /// The values of a matrix that this run has; absent without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cell: Option<String>,
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
    /// The step starts.
    StepStarted {
        /// Where it stands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<SourcePlace>,
        /// How it is written, where somebody looks: in the first of its rounds, and at most its first lines.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// What a dry run knows of the step beside its calls.
    Noted {
        /// That.
        note: Note,
    },
    /// A call was made, or written down.
    Called {
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
    /// In a dry run: the step's next call sends what a file holds, as it is.
    Uploads {
        /// Which, as the playbook names it.
        file: String,
        /// Where that is.
        path: String,
    },
    /// In a dry run: the step's failure is not the end.
    Expects {
        /// The codes of the errors.
        codes: Vec<String>,
        /// Whether one of them must come.
        must: bool,
    },
    /// The step waits for something; in a dry run: its next call is repeated until that.
    Waiting {
        /// For what.
        text: String,
    },
    /// The step tries again.
    Retrying {
        /// Why.
        reason: String,
        /// After how many milliseconds.
        after: u64,
    },
    /// Text that the step prints.
    Printed {
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
    Created {
        /// What.
        resource: ResourceRef,
    },
    /// The step removed what the run had created.
    Removed {
        /// What.
        resource: ResourceRef,
    },
    /// The step ended.
    StepFinished {
        /// How.
        status: Status,
        /// How long it took, in milliseconds.
        millis: u64,
        /// What later steps see.
        outputs: Value,
        /// Why it failed.
        failure: Option<Failure>,
    },
    /// The run was asked to stop: what is under way ends, and nothing new begins.
    Stopping {
        /// How many resources the run has made, or may have.
        count: usize,
        /// Whether they are removed then.
        cleanup: bool,
    },
    /// Clean-up starts.
    CleanupStarted {
        /// How many entries are open.
        count: usize,
    },
    /// The resource is about to be removed.
    UndoStarted,
    /// A call of the run that nobody saw the end of may still be under way, so what is not there yet may come.
    StillUnderWay {
        /// How long it is waited for at most, in milliseconds.
        millis: u64,
    },
    /// Removing the resource ended.
    UndoFinished {
        /// How.
        status: UndoStatus,
        /// Why, where it was not removed.
        reason: Option<Reason>,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// There is no clean-up, and no account outlives the run.
    LeftBehind {
        /// How many resources end with the embedded AWS, or would be left in a dry run.
        count: usize,
    },
    /// The run is over.
    RunFinished {
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
        /// The command that removes it.
        command: Option<String>,
        /// The playbook's outputs.
        outputs: Value,
    },
}
