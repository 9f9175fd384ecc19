//! One line that a person types, with the keys that shells have: Ctrl-U begins anew, Ctrl-W takes a word back.

use std::io::{self, Write as _};
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, poll, read};
use crossterm::style::Stylize as _;
use crossterm::{cursor, queue, terminal};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::tty::{self, Input};

/// A terminal that does not know how wide it is.
const USUAL_COLUMNS: u16 = 80;

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) prompt: &'a str,
    /// Shown in brackets behind the prompt.
    pub(super) default: Option<&'a str>,
    /// Shown beneath.
    pub(super) help: Option<&'a str>,
    /// Whether what is typed is not shown.
    pub(super) hidden: bool,
    pub(super) colour: bool,
}

/// Why there is no line.
#[derive(Debug)]
pub(super) enum NoLine {
    /// Escape, or Ctrl-D where nothing is typed.
    Cancelled,
    /// Ctrl-C.
    Interrupted,
    /// There is no terminal any more.
    Gone,
    /// The terminal cannot be used.
    Io(io::Error),
}

impl From<io::Error> for NoLine {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

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

/// Asks until a line is taken. `take` says what is wrong with one, or what it is and how to show that.
pub(super) fn ask<T>(
    asked: &Asked<'_>,
    mut why: Option<String>,
    take: impl Fn(&str) -> Result<(T, String), String>,
) -> Result<T, NoLine> {
    let _raw = Raw::enable()?;
    let mut line = Line::default();
    let mut screen = Screen::default();
    loop {
        screen.draw(asked, &line, why.as_deref())?;
        let pressed = match next()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => line.press(key),
            Event::Paste(text) => line.paste(&text),
            _ => Pressed::Edited,
        };
        match pressed {
            Pressed::Edited => {}
            Pressed::Cancel => {
                screen.leave()?;
                return Err(NoLine::Cancelled);
            }
            Pressed::Interrupt => {
                screen.leave()?;
                return Err(NoLine::Interrupted);
            }
            Pressed::Return => match take(&line.text()) {
                Ok((value, shown)) => {
                    screen.finish(asked, &shown)?;
                    return Ok(value);
                }
                Err(wrong) => {
                    why = Some(wrong);
                    line = Line::default();
                }
            },
        }
    }
}

/// The next key or change of the terminal. Nothing is read once the terminal is gone.
fn next() -> Result<Event, NoLine> {
    let mut input = tty::wait(Duration::ZERO)?;
    loop {
        if input == Input::Gone {
            return Err(NoLine::Gone);
        }
        // Several keys may have come at once, and a change of size is no input.
        if poll(Duration::ZERO)? {
            return Ok(read()?);
        }
        input = tty::wait(Duration::from_millis(100))?;
    }
}

/// What has been typed.
#[derive(Debug, Default)]
struct Line {
    typed: Vec<char>,
    cursor: usize,
}

/// What a key does.
#[derive(Debug, PartialEq, Eq)]
enum Pressed {
    Edited,
    Return,
    Cancel,
    Interrupt,
}

impl Line {
    fn text(&self) -> String {
        self.typed.iter().collect()
    }

    fn press(&mut self, key: KeyEvent) -> Pressed {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Pressed::Return,
            KeyCode::Esc => return Pressed::Cancel,
            KeyCode::Char('c') if control => return Pressed::Interrupt,
            KeyCode::Char('d') if control && self.typed.is_empty() => return Pressed::Cancel,
            KeyCode::Char('j' | 'm') if control => return Pressed::Return,
            KeyCode::Char('u') if control => self.take_out(0, self.cursor),
            KeyCode::Char('k') if control => self.take_out(self.cursor, self.typed.len()),
            KeyCode::Char('w') if control => self.take_out(self.word_start(), self.cursor),
            KeyCode::Char('h') if control => self.take_out(self.before(), self.cursor),
            KeyCode::Backspace => self.take_out(self.before(), self.cursor),
            KeyCode::Delete => self.take_out(self.cursor, self.cursor + 1),
            KeyCode::Char('d') if control => self.take_out(self.cursor, self.cursor + 1),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Char('b') if control => self.cursor = self.before(),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.typed.len()),
            KeyCode::Char('f') if control => self.cursor = (self.cursor + 1).min(self.typed.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::End => self.cursor = self.typed.len(),
            KeyCode::Char('e') if control => self.cursor = self.typed.len(),
            KeyCode::Char(typed) if !control && !typed.is_control() => self.put(typed),
            _ => {}
        }
        Pressed::Edited
    }

    fn paste(&mut self, text: &str) -> Pressed {
        let first = text.lines().next().unwrap_or_default();
        first.chars().filter(|it| !it.is_control()).for_each(|it| self.put(it));
        Pressed::Edited
    }

    fn put(&mut self, typed: char) {
        self.typed.insert(self.cursor.min(self.typed.len()), typed);
        self.cursor += 1;
    }

    fn before(&self) -> usize {
        self.cursor.saturating_sub(1)
    }

    /// Where the word before the cursor starts.
    fn word_start(&self) -> usize {
        let before = self.typed.get(..self.cursor).unwrap_or_default();
        let word_end = before.iter().rposition(|it| !it.is_whitespace()).map_or(0, |at| at + 1);
        let before = before.get(..word_end).unwrap_or_default();
        before.iter().rposition(|it| it.is_whitespace()).map_or(0, |at| at + 1)
    }

    fn take_out(&mut self, start: usize, end: usize) {
        let end = end.min(self.typed.len());
        if start < end {
            self.typed.drain(start..end);
            self.cursor = start;
        }
    }
}

/// What stands on the terminal.
#[derive(Debug, Default)]
struct Screen {
    /// How many rows the cursor is below the first.
    row: usize,
    /// How many rows are below the cursor.
    below: usize,
}

impl Screen {
    /// Back to the first row, with nothing from there on.
    fn clear(&mut self) -> io::Result<()> {
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

    fn draw(&mut self, asked: &Asked<'_>, line: &Line, why: Option<&str>) -> io::Result<()> {
        self.clear()?;
        let mut stderr = io::stderr();
        let columns = usize::from(terminal::size().map_or(USUAL_COLUMNS, |it| it.0).max(1));
        let mut above = 0;
        if let Some(why) = why {
            let why = format!("✗ {why}");
            above = rows(why.width(), columns);
            let why = if asked.colour { why.red().to_string() } else { why };
            write!(stderr, "{why}\r\n")?;
        }
        let default = asked.default.map(|it| format!(" ({it})")).unwrap_or_default();
        let shown = if asked.hidden { String::new() } else { line.text() };
        // With the space behind it, the cursor has a place even where the text fills its row.
        write!(stderr, "{} {}{default} {shown} ", question_mark(asked), asked.prompt)?;
        let head = 3 + asked.prompt.width() + default.width();
        let before_cursor: usize = if asked.hidden {
            0
        } else {
            line.typed.iter().take(line.cursor).map(|it| it.width().unwrap_or_default()).sum()
        };
        let mut height = above + rows(head + shown.width() + 1, columns);
        if let Some(help) = asked.help {
            let help = format!("[{help}]");
            height += rows(help.width(), columns);
            let help = if asked.colour { help.cyan().to_string() } else { help };
            write!(stderr, "\r\n{help}")?;
        }
        let cells = head + before_cursor;
        self.row = above + cells / columns;
        self.below = height.saturating_sub(1 + self.row);
        up(&mut stderr, self.below)?;
        let column = u16::try_from(cells % columns).unwrap_or_default();
        queue!(stderr, cursor::MoveToColumn(column))?;
        stderr.flush()
    }

    /// Leaves the question with its answer.
    fn finish(&mut self, asked: &Asked<'_>, answer: &str) -> io::Result<()> {
        self.clear()?;
        let mut stderr = io::stderr();
        let answer =
            if asked.colour { answer.to_owned().cyan().to_string() } else { answer.to_owned() };
        write!(stderr, "{} {} {answer}\r\n", question_mark(asked), asked.prompt)?;
        stderr.flush()
    }

    /// Leaves the question as it is; what comes next begins below it.
    fn leave(&mut self) -> io::Result<()> {
        let mut stderr = io::stderr();
        write!(stderr, "{}", "\r\n".repeat(self.below + 1))?;
        stderr.flush()
    }
}

fn question_mark(asked: &Asked<'_>) -> String {
    if asked.colour { "?".green().to_string() } else { "?".to_owned() }
}

/// How many rows so many cells take.
fn rows(cells: usize, columns: usize) -> usize {
    cells.div_ceil(columns).max(1)
}

fn up(stderr: &mut io::Stderr, rows: usize) -> io::Result<()> {
    // Zero would be taken for one.
    match u16::try_from(rows) {
        Ok(0) | Err(_) => Ok(()),
        Ok(rows) => queue!(stderr, cursor::MoveUp(rows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, text: &str) {
        for character in text.chars() {
            line.press(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE));
        }
    }

    fn control(line: &mut Line, key: char) -> Pressed {
        line.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL))
    }

    fn key(line: &mut Line, code: KeyCode) -> Pressed {
        line.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_of_shells_edit_the_line() {
        let mut line = Line::default();
        typed(&mut line, "one two  ");
        control(&mut line, 'w');
        assert_eq!((line.text().as_str(), line.cursor), ("one ", 4));
        key(&mut line, KeyCode::Left);
        key(&mut line, KeyCode::Backspace);
        typed(&mut line, "é");
        assert_eq!(line.text(), "oné ");
        control(&mut line, 'k');
        assert_eq!(line.text(), "oné");
        control(&mut line, 'a');
        key(&mut line, KeyCode::Delete);
        control(&mut line, 'e');
        typed(&mut line, "!");
        assert_eq!(line.text(), "né!");
        control(&mut line, 'u');
        assert_eq!((line.text().as_str(), line.cursor), ("", 0));
        for nothing in [KeyCode::Backspace, KeyCode::Delete, KeyCode::Left, KeyCode::Right] {
            assert_eq!(key(&mut line, nothing), Pressed::Edited);
        }
        control(&mut line, 'w');
        control(&mut line, 'x');
        assert_eq!((line.text().as_str(), line.cursor), ("", 0));
    }

    #[test]
    fn keys_end_the_line() {
        let mut line = Line::default();
        assert_eq!(key(&mut line, KeyCode::Enter), Pressed::Return);
        assert_eq!(key(&mut line, KeyCode::Esc), Pressed::Cancel);
        assert_eq!(control(&mut line, 'c'), Pressed::Interrupt);
        assert_eq!(control(&mut line, 'd'), Pressed::Cancel);
        typed(&mut line, "a");
        assert_eq!(control(&mut line, 'd'), Pressed::Edited);
    }

    #[test]
    fn of_what_is_pasted_the_first_line_counts() {
        let mut line = Line::default();
        line.paste("a\u{1b}b\nc");
        assert_eq!(line.text(), "ab");
    }

    #[test]
    fn rows_are_counted_in_full() {
        assert_eq!([rows(0, 40), rows(40, 40), rows(41, 40)], [1, 1, 2]);
    }
}
