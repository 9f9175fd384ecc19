//! What a step kind is: what it says of itself ([`spec`]), what it may ask a person ([`question`]), and how it runs and
//! is undone ([`kind`]).

pub mod context;
pub mod error;
pub mod kind;
pub mod owner;
pub mod question;
pub mod resource;
pub mod spec;

pub use context::{
    Context, Entry, Interrupt, Ledger, LedgerError, Progress, Prompter, RunFacts, Seq,
};
pub use error::StepError;
pub use kind::{Kind, StepKind};
pub use owner::Owner;
pub use question::{Answer, Question, QuestionType};
pub use resource::{Nothing, Resource, Undone};
pub use spec::{End, Kinds, Leaves, Spec};

pub use crate::template::marker;
