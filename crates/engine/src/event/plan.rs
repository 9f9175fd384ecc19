//! What a dry run knows of a step beside its calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResourceRef;

/// What a dry run knows of a step beside its calls: control flow as what it is, and what cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Note {
    /// The step runs only if something holds that is not known yet.
    OnlyIf {
        /// The expression.
        condition: String,
    },
    /// The step runs for each item of a list that is not known yet.
    ForEach {
        /// The expression.
        list: String,
    },
    /// What stands in it is repeated.
    RepeatsUntil {
        /// The expression.
        condition: String,
    },
    /// What follows runs at the same time.
    AtTheSameTime {
        /// So many at once; all, where it is not said.
        most: Option<u32>,
    },
    /// Its call is repeated.
    PollsUntil {
        /// The expression.
        condition: String,
    },
    /// It tries again when it fails.
    Retries {
        /// The codes of the errors; any where there are none.
        on: Vec<String>,
        /// How often it tries in all, where that is known.
        attempts: Option<String>,
    },
    /// What follows runs only if a step of the block fails.
    Rescues,
    /// What follows runs, since a step of the block is sure to fail.
    RescuesSurely,
    /// A step that may never run would fail.
    WouldFail {
        /// With that message.
        message: String,
    },
    /// What it calls with depends on values that do not exist yet.
    Unplannable {
        /// Such as `lambda:Invoke`.
        calls: Vec<String>,
        /// The values.
        unknown: Vec<String>,
    },
    /// A step that may never run would create something.
    WouldCreate {
        /// What.
        resource: ResourceRef,
        /// Whether it is to stay.
        keep: bool,
    },
    /// A step that may never run would remove something.
    WouldRemove {
        /// What.
        resource: ResourceRef,
    },
    /// Everything is cleaned up here; the plan lists that once, at its end.
    CleansUp,
}
