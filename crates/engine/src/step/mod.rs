//! What a step kind is: how it runs and is undone ([`kind`]), and what it leaves behind ([`resource`]).

pub mod context;
pub mod error;
pub mod interrupt;
pub mod kind;
pub mod ledger;
pub mod operation;
mod own_name;
pub mod owner;
pub mod resource;
mod wording;

pub use context::{Context, Entry, Progress, Prompter, RunFacts, ask};
pub use error::StepError;
pub use interrupt::Interrupt;
pub use kind::{Kind, StepKind};
pub use language::question::{Answer, Question, QuestionType};
pub use language::spec::{Creates, Disposition, Kinds, Spec};
pub use language::template::marker;
pub use ledger::{Ledger, LedgerError, LostAttempt, Seq};
pub use operation::{OperationKeys, Rendered, Undoing, Waiting};
pub use owner::Owner;
pub use resource::{Nothing, Place, Resource, Undone, creates};
