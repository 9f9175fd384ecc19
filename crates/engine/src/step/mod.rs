//! What a step kind is: how it runs and is undone ([`kind`]), and what it leaves behind ([`resource`]).

pub mod context;
pub mod error;
pub mod kind;
pub mod ledger;
pub mod owner;
pub mod resource;

pub use context::{Context, Entry, Interrupt, Progress, Prompter, RunFacts, ask};
pub use error::StepError;
pub use kind::{Kind, StepKind};
pub use language::question::{Answer, Question, QuestionType};
pub use language::spec::{Creates, Disposition, Kinds, Spec};
pub use language::template::marker;
pub use ledger::{Ledger, LedgerError, Seq};
pub use owner::Owner;
pub use resource::{Nothing, Place, Resource, Undone, creates};
