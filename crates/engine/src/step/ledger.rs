//! Where steps write down what they are about to make.

use std::path::PathBuf;
use std::sync::Arc;

use aws::{OnUnanswered, Unanswered};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Effect;

/// The number of an entry in the journal.
pub type Seq = u64;

/// An attempt of a call that got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostAttempt {
    /// When it began.
    #[serde(with = "crate::event::rfc3339::millis")]
    pub began: Timestamp,
    /// When it was given up, or broke off.
    #[serde(with = "crate::event::rfc3339::millis")]
    pub ended: Timestamp,
}

impl LostAttempt {
    /// Two of them as one that began with the later and ended with the later.
    pub(crate) fn latest(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self { began: self.began.max(other.began), ended: self.ended.max(other.ended) }
    }
}

/// Has attempts without an answer written to a journal. That of a look has no effect that anybody must wait for.
pub(crate) fn told_to(ledger: Arc<dyn Ledger>) -> OnUnanswered {
    Arc::new(move |Unanswered { effect, began, ended }| {
        if effect == Effect::Read {
            return;
        }
        let times = (Timestamp::try_from(began), Timestamp::try_from(ended));
        if let (Ok(began), Ok(ended)) = times {
            // On a full disk the call's own end cannot be written either, which then stays open: that is waited for, too.
            let _ = ledger.under_way(LostAttempt { began, ended });
        }
    })
}

/// Where entries of the journal go.
pub trait Ledger: Send + Sync {
    /// Writes down, durably, that something of type `kind` is about to be made.
    ///
    /// # Errors
    /// Nothing may be made when the intent could not be made durable.
    fn intend(&self, kind: &'static str, label: &str, made: Value) -> Result<Seq, LedgerError>;
    /// It was made.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn done(&self, seq: Seq, ids: Value) -> Result<(), LedgerError>;
    /// It was refused: nothing was made.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn failed(&self, seq: Seq, code: &str) -> Result<(), LedgerError>;
    /// Nobody knows whether it was made.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn unknown(&self, seq: Seq, reason: &str) -> Result<(), LedgerError>;
    /// An attempt of the call that is being made got no answer: it may have its effect later than another
    /// one that is answered, and later than what that one made is taken away.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn under_way(&self, _attempt: LostAttempt) -> Result<(), LedgerError> {
        Ok(())
    }
    /// A step of the playbook took it away itself.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn settled(&self, seq: Seq) -> Result<(), LedgerError>;
    /// Undoing what is being undone takes something else from here on.
    ///
    /// # Errors
    /// See [`LedgerError`].
    fn amend(&self, made: Value) -> Result<(), LedgerError>;
    /// The open entries of that type, latest first.
    fn open(&self, kind: &'static str) -> Vec<(Seq, Value)>;
    /// Type and ids of all that the run has made and is going to take away.
    fn held(&self) -> Vec<(String, Value)> {
        Vec::new()
    }
    /// The ids of an entry whose outcome is known.
    fn ids(&self, _seq: Seq) -> Option<Value> {
        None
    }
    /// Whether what is made is to stay.
    fn keeps(&self) -> bool {
        false
    }
    /// Whether a text holds a secret. Whoever does not know says yes.
    fn holds_secret(&self, _text: &str) -> bool {
        true
    }
}

/// The journal cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The disk is full, or the directory is gone.
    #[error("the journal {path} cannot be written: {reason}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The name of a resource, or what undoing it needs, holds a secret.
    #[error("{label} would write a secret to the journal")]
    Secret {
        /// Type and name of the resource, masked.
        label: String,
    },
}

impl LedgerError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unwritable { .. } => {
                "nothing was made; free some space, or name another directory in PLAYBOOK_STATE_DIR"
            }
            Self::Secret { .. } => {
                "nothing was made; make its name from something that is not secret"
            }
        }
    }
}
