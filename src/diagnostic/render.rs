use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Sources, clamp};

/// Wide enough for most lines of a playbook; longer ones are cut around the place.
const WIDTH: usize = 120;

/// Draws diagnostics as rustc does, sorted by place, each one once.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted
        .sort_by_key(|diagnostic| diagnostic.span.map(|span| (span.source, span.start, span.end)));
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(WIDTH).decor_style(DecorStyle::Ascii);
    let mut shown: Vec<&Diagnostic> = Vec::with_capacity(sorted.len());
    let mut blocks = Vec::with_capacity(sorted.len());
    for diagnostic in sorted {
        let twin = shown.iter().rev().take_while(|other| other.span == diagnostic.span);
        if twin.into_iter().any(|other| *other == diagnostic) {
            continue;
        }
        shown.push(diagnostic);
        blocks.push(block(diagnostic, sources, &renderer));
    }
    blocks.join("\n\n")
}

fn block(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let message = escape(&diagnostic.message);
    let mut group = Group::with_title(Level::ERROR.primary_title(message).id(diagnostic.code));
    let excerpt = Excerpt::of(diagnostic, sources);
    if let Some(excerpt) = &excerpt {
        let label = diagnostic.label.as_deref().map(escape);
        group = group.element(
            Snippet::source(excerpt.line.clone())
                .path(escape(excerpt.name))
                .line_start(excerpt.line_number)
                .annotation(AnnotationKind::Primary.span(excerpt.start..excerpt.end).label(label)),
        );
    }
    let excerpt = excerpt.is_some();
    if let Some(help) = &diagnostic.help {
        let lines: Vec<String> = help.lines().map(escape).collect();
        if !excerpt {
            // Nothing is drawn that it could hang on.
            return format!("{}\n  help: {}", renderer.render(&[group]), lines.join("\n        "));
        }
        group = group.element(Level::HELP.message(lines.join("\n")));
    }
    renderer.render(&[group])
}

/// The one line that a diagnostic shows. A span over several lines is shown by its first.
struct Excerpt<'a> {
    name: &'a str,
    line: String,
    line_number: usize,
    start: usize,
    end: usize,
}

impl<'a> Excerpt<'a> {
    fn of(diagnostic: &Diagnostic, sources: &'a Sources) -> Option<Self> {
        let span = diagnostic.span?;
        let source = sources.get(span.source)?;
        let (start, end) = clamp(&source.text, span);
        let before = source.text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = source.text.get(line_start..)?;
        let line = rest.split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let start = (start - line_start).min(line.len());
        let end = (end - line_start).min(line.len()).max(start);
        let mut shown = tame(line.get(..start)?);
        let shown_start = shown.len();
        shown.push_str(&tame(line.get(start..end)?));
        let shown_end = shown.len();
        shown.push_str(&tame(line.get(end..)?));
        Some(Self {
            name: &source.name,
            line: shown,
            line_number: before.matches('\n').count() + 1,
            start: shown_start,
            end: shown_end,
        })
    }
}

/// Replaces what could move the cursor, character by character, so that columns stay right.
fn tame(text: &str) -> String {
    let dangerous = |character: char| {
        character != '\t' && (character.is_control() || turns_direction(character))
    };
    text.chars().map(|it| if dangerous(it) { '\u{fffd}' } else { it }).collect()
}

/// Shows what could move the cursor or turn the direction of writing as an escape.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || turns_direction(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn turns_direction(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}
