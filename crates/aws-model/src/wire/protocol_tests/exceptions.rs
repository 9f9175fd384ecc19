//! The cases that do not apply, with the reason.

/// File, case, reason.
type Exception = (&'static str, &'static str, &'static str);

pub(super) const INPUT: &[Exception] = &[];

pub(super) const BACK: &[Exception] = &[];

pub(super) const OUTPUT: &[Exception] = &[];
