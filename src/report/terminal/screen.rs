//! Stderr as the terminal on which the live line is drawn.

use std::io::{self, Write as _};

use crossterm::{cursor, execute, terminal};
use indicatif::TermLike;

/// Room for the `^C` that a terminal writes where the cursor is. Behind a full line it would begin the next, and what is
/// cleared then would not be the live line.
const ECHO: u16 = 3;

/// A terminal that does not know its size.
const USUAL: (u16, u16) = (80, 24);

/// Stderr, a little narrower than it is.
#[derive(Debug)]
pub(super) struct Screen;

fn size() -> (u16, u16) {
    let (columns, rows) = terminal::size().unwrap_or(USUAL);
    if columns == 0 { USUAL } else { (columns, rows) }
}

/// Zero would be taken for one.
fn cells(count: usize) -> Option<u16> {
    u16::try_from(count).ok().filter(|count| *count > 0)
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        size().0.saturating_sub(ECHO).max(1)
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, rows: usize) -> io::Result<()> {
        cells(rows).map_or(Ok(()), |rows| execute!(io::stderr(), cursor::MoveUp(rows)))
    }

    fn move_cursor_down(&self, rows: usize) -> io::Result<()> {
        cells(rows).map_or(Ok(()), |rows| execute!(io::stderr(), cursor::MoveDown(rows)))
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        cells(columns).map_or(Ok(()), |columns| execute!(io::stderr(), cursor::MoveRight(columns)))
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        cells(columns).map_or(Ok(()), |columns| execute!(io::stderr(), cursor::MoveLeft(columns)))
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        let mut stderr = io::stderr().lock();
        stderr.write_all(line.as_bytes())?;
        stderr.write_all(b"\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        io::stderr().write_all(text.as_bytes())
    }

    fn clear_line(&self) -> io::Result<()> {
        io::stderr().write_all(b"\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leaves_room_for_what_the_terminal_echoes() {
        assert_eq!(Screen.width(), size().0.saturating_sub(ECHO).max(1));
        assert_eq!((cells(0), cells(2), cells(usize::MAX)), (None, Some(2), None));
    }
}
