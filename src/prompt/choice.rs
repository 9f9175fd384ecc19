//! One of several, chosen with the arrow keys or by typing how it begins.

use std::io::{self, Write as _};

use crossterm::style::Stylize as _;
use unicode_width::UnicodeWidthChar as _;

use super::NoLine;
use super::keys::{self, Key, Stopped};
use super::screen::{Raw, Screen, question_mark, rows, size, up};

/// So many choices are shown at once, where the terminal has as many rows.
const SHOWN: usize = 10;

/// Asks for one of the choices; its index. `start` is where the cursor stands first.
pub(super) fn choose(
    prompt: &str,
    choices: &[String],
    start: usize,
    colour: bool,
    stopped: Stopped<'_>,
) -> Result<usize, NoLine> {
    let _raw = Raw::enable()?;
    let mut screen = Screen::default();
    let mut list =
        List { choices, at: start.min(choices.len().saturating_sub(1)), typed: String::new() };
    loop {
        list.draw(&mut screen, prompt, colour)?;
        let pressed = match keys::next(stopped) {
            Ok(Some(key)) => list.press(key),
            Ok(None) => continue,
            Err(NoLine::Stopped) => {
                list.leave(&mut screen)?;
                return Err(NoLine::Stopped);
            }
            Err(why) => return Err(why),
        };
        match pressed {
            None => {}
            Some(Ok(())) => {
                let chosen = list.choices.get(list.at).map_or("", String::as_str);
                screen.finish(prompt, chosen, colour)?;
                return Ok(list.at);
            }
            Some(Err(why)) => {
                list.leave(&mut screen)?;
                return Err(why);
            }
        }
    }
}

struct List<'a> {
    choices: &'a [String],
    at: usize,
    /// How the choice that is looked for begins.
    typed: String,
}

impl List<'_> {
    fn press(&mut self, key: Key) -> Option<Result<(), NoLine>> {
        let last = self.choices.len().saturating_sub(1);
        match key {
            Key::Return => return Some(Ok(())),
            Key::Escape | Key::Control('d') => return Some(Err(NoLine::Cancelled)),
            Key::Control('c') => return Some(Err(NoLine::Interrupted)),
            Key::Up | Key::Control('p') => {
                self.at = if self.at == 0 { last } else { self.at - 1 };
                self.typed.clear();
            }
            Key::Down | Key::Control('n') => {
                self.at = if self.at >= last { 0 } else { self.at + 1 };
                self.typed.clear();
            }
            Key::Home => self.at = 0,
            Key::End => self.at = last,
            Key::Backspace | Key::Control('u') => self.typed.clear(),
            Key::Char(typed) => self.look_for(typed),
            _ => {}
        }
        None
    }

    /// Goes to the choice that begins with what was typed; where there is none, what is typed begins anew.
    fn look_for(&mut self, typed: char) {
        self.typed.extend(typed.to_lowercase());
        if self.find() {
            return;
        }
        self.typed = typed.to_lowercase().collect();
        if !self.find() {
            self.typed.clear();
        }
    }

    fn find(&mut self) -> bool {
        let begins = |choice: &String| choice.to_lowercase().starts_with(&self.typed);
        match self.choices.iter().position(begins) {
            Some(at) => {
                self.at = at;
                true
            }
            None => false,
        }
    }

    /// The choices that are shown: around the one under the cursor.
    fn window(&self, height: usize) -> std::ops::Range<usize> {
        let height = height.clamp(1, SHOWN).min(self.choices.len());
        let start = self.at.saturating_sub(height / 2).min(self.choices.len() - height);
        start..start + height
    }

    fn draw(&self, screen: &mut Screen, prompt: &str, colour: bool) -> io::Result<()> {
        screen.clear()?;
        let (columns, height) = size();
        let mut stderr = io::stderr();
        let head = cut(prompt, columns.saturating_sub(3));
        write!(stderr, "{} {head}", question_mark(colour))?;
        let window = self.window(height.saturating_sub(2));
        let shown = window.len();
        for index in window {
            let choice = self.choices.get(index).map_or("", String::as_str);
            let mark = if index == self.at { '>' } else { ' ' };
            let line = cut(&format!("{mark} {choice}"), columns.saturating_sub(1));
            let line = if colour && index == self.at { line.cyan().to_string() } else { line };
            write!(stderr, "\r\n{line}")?;
        }
        // The cursor rests at the question, so that what comes from elsewhere is drawn over with it.
        up(&mut stderr, shown)?;
        (screen.row, screen.below) = (0, shown + rows(0, columns) - 1);
        write!(stderr, "\r")?;
        stderr.flush()
    }

    fn leave(&self, screen: &mut Screen) -> io::Result<()> {
        screen.leave()
    }
}

/// As much of a text as fits into so many columns.
fn cut(text: &str, columns: usize) -> String {
    let mut width = 0;
    text.chars()
        .take_while(|it| {
            width += it.width().unwrap_or_default();
            width <= columns
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(choices: &[String]) -> List<'_> {
        List { choices, at: 0, typed: String::new() }
    }

    #[test]
    fn arrows_go_round() {
        let choices = ["plus", "minus", "times"].map(str::to_owned);
        let mut list = list(&choices);
        list.press(Key::Up);
        assert_eq!(list.at, 2);
        list.press(Key::Down);
        list.press(Key::Down);
        assert_eq!(list.at, 1);
        assert!(matches!(list.press(Key::Return), Some(Ok(()))));
        assert!(matches!(list.press(Key::Control('c')), Some(Err(NoLine::Interrupted))));
    }

    #[test]
    fn typing_finds_a_choice_by_its_beginning() {
        let choices = ["plus", "power", "Times"].map(str::to_owned);
        let mut list = list(&choices);
        for (typed, found) in [('p', 0), ('o', 1), ('t', 2), ('x', 2), ('p', 0)] {
            list.press(Key::Char(typed));
            assert_eq!(list.at, found, "{typed}");
        }
    }

    #[test]
    fn of_many_choices_those_around_the_cursor_are_shown() {
        let choices: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let mut list = list(&choices);
        assert_eq!(list.window(5), 0..5);
        list.at = 29;
        assert_eq!(list.window(5), 25..30);
        list.at = 15;
        assert_eq!(list.window(0), 15..16);
        assert_eq!(list.window(100).len(), SHOWN);
    }

    #[test]
    fn long_choices_are_cut() {
        assert_eq!(
            (cut("abc", 2), cut("日本", 3), cut("a", 0)),
            ("ab".into(), "日".into(), String::new())
        );
    }
}
