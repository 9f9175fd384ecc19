//! What a look in a dry run finds.

/// What a look in a dry run finds.
#[derive(Clone, Copy)]
pub(crate) enum Planned {
    /// What the run has made before.
    There,
    /// Nothing, since the run has just deleted it, or is about to make it.
    Gone,
}
