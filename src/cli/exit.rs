//! Exit codes.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// All steps passed, and everything was cleaned up.
    pub const FINE: Self = Self(0);
    /// A step failed; everything was cleaned up.
    pub const FAILED: Self = Self(1);
    /// The playbook or the command line is wrong; nothing was called.
    pub const WRONG: Self = Self(2);
    /// Resources remain.
    pub const REMAINS: Self = Self(3);

    /// A handler process could not be started, as shells say it.
    #[cfg(feature = "local")]
    pub(super) const NOT_STARTED: Self = Self(126);

    /// As the engine says.
    #[must_use]
    pub fn from_code(code: u8) -> Self {
        Self(code)
    }

    /// As the shell sees it.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }

    /// Whether a signal ended it.
    pub(super) fn is_interruption(self) -> bool {
        self.0 > 128
    }

    /// The one that matters more: what remains first, then an interruption, then the greater.
    pub(super) fn max(self, other: Self) -> Self {
        let rank = |exit: Self| (exit == Self::REMAINS, exit.is_interruption(), exit.0);
        if rank(other) > rank(self) { other } else { self }
    }
}
