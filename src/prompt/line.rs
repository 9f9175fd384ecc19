//! One line that a person types, with the keys that shells have: Ctrl-U begins anew, Ctrl-W takes a word back.

use std::io::{self, Write as _};

use crossterm::cursor;
use crossterm::queue;
use crossterm::style::Stylize as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::NoLine;
use super::keys::{self, Key, Stopped};
use super::screen::{Raw, Screen, question_mark, rows, size, up};

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

/// Asks until a line is taken. `take` says what is wrong with one, or what it is and how to show that.
pub(super) fn ask<T>(
    asked: &Asked<'_>,
    mut why: Option<String>,
    stopped: Stopped<'_>,
    take: impl Fn(&str) -> Result<(T, String), String>,
) -> Result<T, NoLine> {
    let _raw = Raw::enable()?;
    let mut line = Line::default();
    let mut screen = Screen::default();
    loop {
        draw(&mut screen, asked, &line, why.as_deref())?;
        let pressed = match keys::next(stopped) {
            Ok(key) => key.map_or(Pressed::Edited, |key| line.press(key)),
            Err(NoLine::Stopped) => {
                screen.leave()?;
                return Err(NoLine::Stopped);
            }
            Err(why) => return Err(why),
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
                    screen.finish(asked.prompt, &shown, asked.colour)?;
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

    fn press(&mut self, key: Key) -> Pressed {
        match key {
            Key::Return => return Pressed::Return,
            Key::Escape => return Pressed::Cancel,
            Key::Control('c') => return Pressed::Interrupt,
            Key::Control('d') if self.typed.is_empty() => return Pressed::Cancel,
            Key::Control('u') => self.take_out(0, self.cursor),
            Key::Control('k') => self.take_out(self.cursor, self.typed.len()),
            Key::Control('w') => self.take_out(self.word_start(), self.cursor),
            Key::Backspace => self.take_out(self.before(), self.cursor),
            Key::Delete | Key::Control('d') => self.take_out(self.cursor, self.cursor + 1),
            Key::Left | Key::Control('b') => self.cursor = self.before(),
            Key::Right | Key::Control('f') => self.cursor = (self.cursor + 1).min(self.typed.len()),
            Key::Home | Key::Control('a') => self.cursor = 0,
            Key::End | Key::Control('e') => self.cursor = self.typed.len(),
            Key::Char(typed) => self.put(typed),
            Key::Control(_) | Key::Up | Key::Down | Key::Other => {}
        }
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

fn draw(screen: &mut Screen, asked: &Asked<'_>, line: &Line, why: Option<&str>) -> io::Result<()> {
    screen.clear()?;
    let mut stderr = io::stderr();
    let columns = size().0;
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
    write!(stderr, "{} {}{default} {shown} ", question_mark(asked.colour), asked.prompt)?;
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
    screen.row = above + cells / columns;
    screen.below = height.saturating_sub(1 + screen.row);
    up(&mut stderr, screen.below)?;
    let column = u16::try_from(cells % columns).unwrap_or_default();
    queue!(stderr, cursor::MoveToColumn(column))?;
    stderr.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, text: &str) {
        for character in text.chars() {
            line.press(Key::Char(character));
        }
    }

    #[test]
    fn keys_of_shells_edit_the_line() {
        let mut line = Line::default();
        typed(&mut line, "one two  ");
        line.press(Key::Control('w'));
        assert_eq!((line.text().as_str(), line.cursor), ("one ", 4));
        line.press(Key::Left);
        line.press(Key::Backspace);
        typed(&mut line, "é");
        assert_eq!(line.text(), "oné ");
        line.press(Key::Control('k'));
        assert_eq!(line.text(), "oné");
        line.press(Key::Control('a'));
        line.press(Key::Delete);
        line.press(Key::Control('e'));
        typed(&mut line, "!");
        assert_eq!(line.text(), "né!");
        line.press(Key::Control('u'));
        assert_eq!((line.text().as_str(), line.cursor), ("", 0));
        for nothing in [Key::Backspace, Key::Delete, Key::Left, Key::Right] {
            assert_eq!(line.press(nothing), Pressed::Edited);
        }
        line.press(Key::Control('w'));
        line.press(Key::Control('x'));
        assert_eq!((line.text().as_str(), line.cursor), ("", 0));
    }

    #[test]
    fn keys_end_the_line() {
        let mut line = Line::default();
        assert_eq!(line.press(Key::Return), Pressed::Return);
        assert_eq!(line.press(Key::Escape), Pressed::Cancel);
        assert_eq!(line.press(Key::Control('c')), Pressed::Interrupt);
        assert_eq!(line.press(Key::Control('d')), Pressed::Cancel);
        typed(&mut line, "a");
        assert_eq!(line.press(Key::Control('d')), Pressed::Edited);
    }
}
