//! Where journals are, and what runs are called.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use jiff::Timestamp;

use crate::report::shell::quoted;
use engine::journal::{JournalFile, JournalState, Lock};

/// The directory of the journals: `PLAYBOOK_STATE_DIR`, or `playbook` in the user's state directory.
///
/// # Errors
/// A sentence, where the system knows no home directory.
pub(super) fn directory() -> Result<PathBuf, String> {
    if let Some(directory) = named_directory() {
        return Ok(directory);
    }
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        "there is no home directory to keep the journal in; name one in PLAYBOOK_STATE_DIR"
            .to_owned()
    })?;
    let state = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(state.join("playbook"))
}

fn named_directory() -> Option<PathBuf> {
    let named = std::env::var_os("PLAYBOOK_STATE_DIR").filter(|value| !value.is_empty());
    named.map(PathBuf::from)
}

/// The command that finishes the clean-up of a run, in whatever shell and directory it is typed.
pub(super) fn cleanup_command(run: &str, options: &[(&str, Option<&str>)]) -> String {
    let mut command = String::new();
    if let Some(directory) = named_directory() {
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        let directory = quoted(&directory.display().to_string());
        command = format!("PLAYBOOK_STATE_DIR={directory} ");
    }
    command.push_str("playbook cleanup ");
    command.push_str(run);
    for (option, value) in options {
        if let Some(value) = value {
            let _ = write!(command, " {option} {}", quoted(value));
        }
    }
    command
}

/// A fresh run id: short enough for the names of AWS's resources, long enough not to come twice.
pub(super) fn run_id() -> String {
    // Without letters that are taken for others.
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    std::iter::repeat_with(|| char::from(LETTERS[fastrand::usize(..LETTERS.len())]))
        .take(8)
        .collect()
}

/// Whether what a run has made is wanted for a while yet.
pub(super) fn is_wanted(state: &JournalState) -> bool {
    state.kept_until.is_some_and(|until| until > Timestamp::now())
}

/// Whether what a run has made was wanted for a while that is over.
pub(super) fn is_due(directory: &Path, run: &str) -> bool {
    let looked = JournalFile::peek(directory, run);
    looked.is_ok_and(|(state, _)| state.kept_until.is_some() && !is_wanted(&state))
}

/// Whether a run whose process is gone has left something behind, or may have, that nobody wants any more.
pub(super) fn has_left_something(directory: &Path, run: &str) -> bool {
    match JournalFile::peek(directory, run) {
        Ok((state, lock)) => lock == Lock::Free && !is_over(&state) && !is_wanted(&state),
        // Cleaning it up says what is wrong with it.
        Err(_) => true,
    }
}

/// Whether nothing is left to do: a run of the embedded AWS has taken its whole account with it.
pub(super) fn is_over(state: &JournalState) -> bool {
    let local = state.opened.as_ref().is_none_or(|opened| opened.target.local);
    local || state.pending().next().is_none()
}
