//! Exit codes.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(u8);

impl Exit {
    /// All steps passed, and everything was cleaned up.
    pub const FINE: Self = Self(0);
    /// A step failed; everything was cleaned up.
    pub const FAILED: Self = Self(1);
    /// The playbook or the command line is wrong; nothing was changed.
    pub const WRONG: Self = Self(2);
    /// Resources remain.
    pub const REMAINS: Self = Self(3);
    /// What was to be told could not be written.
    pub const UNTOLD: Self = Self(4);

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

    /// The one that matters more: what remains first, then an interruption, then the greater; what could not be told
    /// last.
    pub(super) fn max(self, other: Self) -> Self {
        let rank = |exit: Self| {
            let told = exit != Self::UNTOLD;
            let wrong = exit != Self::FINE;
            (exit == Self::REMAINS, exit.is_interruption(), wrong && told, exit.0)
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_more_wins() {
        let ascending =
            [Exit::FINE, Exit::UNTOLD, Exit::FAILED, Exit::WRONG, Exit(130), Exit::REMAINS];
        for (index, less) in ascending.iter().enumerate() {
            for more in &ascending[index..] {
                assert_eq!(less.max(*more), *more);
                assert_eq!(more.max(*less), *more);
            }
        }
    }
}
