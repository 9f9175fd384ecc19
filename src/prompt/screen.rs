//! What a question draws, and draws over.

use std::io::{self, Write as _};

use crossterm::style::Stylize as _;
use crossterm::{cursor, queue, terminal};

/// A terminal that does not know how wide it is.
const USUAL_COLUMNS: u16 = 80;
/// Nor how high.
const USUAL_ROWS: u16 = 24;

/// The terminal hands over every key, until this is dropped.
pub(super) struct Raw;

impl Raw {
    pub(super) fn enable() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}

/// How many columns and rows there are; at least one of each.
pub(super) fn size() -> (usize, usize) {
    let (columns, rows) = terminal::size().unwrap_or((USUAL_COLUMNS, USUAL_ROWS));
    (usize::from(columns.max(1)), usize::from(rows.max(1)))
}

/// What stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// How many rows the cursor is below the first.
    pub(super) row: usize,
    /// How many rows are below the cursor.
    pub(super) below: usize,
}

impl Screen {
    /// Back to the first row, with nothing from there on.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let mut stderr = io::stderr();
        up(&mut stderr, self.row)?;
        queue!(
            stderr,
            cursor::MoveToColumn(0),
            terminal::Clear(terminal::ClearType::FromCursorDown)
        )?;
        (self.row, self.below) = (0, 0);
        Ok(())
    }

    /// Leaves the question with its answer.
    pub(super) fn finish(&mut self, prompt: &str, answer: &str, colour: bool) -> io::Result<()> {
        self.clear()?;
        let mut stderr = io::stderr();
        let answer = if colour { answer.to_owned().cyan().to_string() } else { answer.to_owned() };
        write!(stderr, "{} {prompt} {answer}\r\n", question_mark(colour))?;
        stderr.flush()
    }

    /// Leaves the question as it is; what comes next begins below it.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        let mut stderr = io::stderr();
        write!(stderr, "{}", "\r\n".repeat(self.below + 1))?;
        stderr.flush()
    }
}

pub(super) fn question_mark(colour: bool) -> String {
    if colour { "?".green().to_string() } else { "?".to_owned() }
}

/// How many rows so many cells take.
pub(super) fn rows(cells: usize, columns: usize) -> usize {
    cells.div_ceil(columns).max(1)
}

pub(super) fn up(stderr: &mut io::Stderr, rows: usize) -> io::Result<()> {
    // Zero would be taken for one.
    match u16::try_from(rows) {
        Ok(0) | Err(_) => Ok(()),
        Ok(rows) => queue!(stderr, cursor::MoveUp(rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_in_full() {
        assert_eq!([rows(0, 40), rows(40, 40), rows(41, 40)], [1, 1, 2]);
    }
}
