use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::sources::{Source, clamp};
use super::{Diagnostic, Severity, Sources, Span, sorted};

/// Wide enough for most lines of a playbook; longer ones are cut around the place.
const WIDTH: usize = 120;
/// Where there is less room than this, a drawing would be all wrapped lines: plain sentences read better.
const NARROW: usize = 48;
/// Places further apart than this are drawn as two excerpts of the same file.
const NEAR: usize = 20;

/// What diagnostics are drawn on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Whether it takes colours.
    pub colour: bool,
    /// How many columns it has, where that is known.
    pub width: Option<usize>,
}

impl From<bool> for Look {
    fn from(colour: bool) -> Self {
        Self { colour, width: None }
    }
}

/// Draws diagnostics as rustc does, sorted by place, each one once.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, look: impl Into<Look>) -> String {
    let look = look.into();
    let width = look.width.unwrap_or(WIDTH).min(WIDTH);
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width).decor_style(DecorStyle::Ascii);
    let blocks: Vec<String> = sorted(diagnostics)
        .into_iter()
        .map(|diagnostic| {
            if width < NARROW {
                sentences(diagnostic, sources)
            } else {
                block(diagnostic, sources, &renderer)
            }
        })
        .collect();
    blocks.join("\n\n")
}

/// Without a drawing: what, where, what to write.
fn sentences(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let severity = diagnostic.code.severity().as_str();
    let mut text = format!("{severity}[{}]: {}", diagnostic.code, escape(&diagnostic.message));
    let mut line = |span: Span, label: Option<&str>| {
        let (line, column) = sources.line_column(span);
        let name = escape(sources.name(span.source));
        let label = label.map(|label| format!(": {}", escape(label))).unwrap_or_default();
        let _ = write!(text, "\n{name}:{line}:{column}{label}");
    };
    if let Some(span) = diagnostic.span.filter(|span| sources.get(span.source).is_some()) {
        line(span, diagnostic.label.as_deref());
    }
    for (span, label) in &diagnostic.also {
        line(*span, Some(label));
    }
    for help in diagnostic.help.iter().flat_map(|help| help.lines()) {
        text.push_str("\nhelp: ");
        text.push_str(&escape(help));
    }
    text
}

fn block(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let message = escape(&diagnostic.message);
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(message).id(diagnostic.code.as_str()));
    let excerpts = excerpts(diagnostic, sources);
    let drawn = !excerpts.is_empty();
    for excerpt in excerpts {
        group = group.element(excerpt);
    }
    if let Some(help) = &diagnostic.help {
        let lines: Vec<String> = help.lines().map(escape).collect();
        if !drawn {
            // Nothing is drawn that it could hang on.
            return format!("{}\n  help: {}", renderer.render(&[group]), lines.join("\n        "));
        }
        group = group.element(Level::HELP.message(lines.join("\n")));
    }
    renderer.render(&[group])
}

/// A place that is underlined, by its first line.
struct Mark<'a> {
    span: Span,
    line: usize,
    label: Option<&'a str>,
    kind: AnnotationKind,
}

/// What is shown of the files: the place itself first, then the others, those nearby in one excerpt.
fn excerpts<'a>(diagnostic: &Diagnostic, sources: &'a Sources) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mark = |span: Span, label, kind| {
        let source = sources.get(span.source)?;
        let line = source.line_of(clamp(&source.text, span).0);
        Some(Mark { span, line, label, kind })
    };
    let primary = diagnostic
        .span
        .and_then(|span| mark(span, diagnostic.label.as_deref(), AnnotationKind::Primary));
    let Some(primary) = primary else {
        return Vec::new();
    };
    let mut clusters: Vec<Vec<Mark<'_>>> = vec![vec![primary]];
    let others = diagnostic.also.iter();
    for other in others
        .filter_map(|(span, label)| mark(*span, Some(label.as_str()), AnnotationKind::Context))
    {
        let near = clusters.iter_mut().find(|cluster| {
            cluster.iter().any(|mark| {
                mark.span.source == other.span.source && mark.line.abs_diff(other.line) <= NEAR
            })
        });
        match near {
            Some(cluster) => cluster.push(other),
            None => clusters.push(vec![other]),
        }
    }
    clusters
        .iter()
        .filter_map(|marks| Some(excerpt(sources.get(marks.first()?.span.source)?, marks)))
        .collect()
}

/// The lines that hold the marks, and those between.
fn excerpt<'a>(source: &'a Source, marks: &[Mark<'_>]) -> Snippet<'a, Annotation<'a>> {
    let first = marks.iter().map(|mark| mark.line).min().unwrap_or_default();
    let last = marks.iter().map(|mark| mark.line).max().unwrap_or_default();
    let mut text = String::new();
    let mut annotations = Vec::with_capacity(marks.len());
    for number in first..=last {
        if number > first {
            text.push('\n');
        }
        let line = source.line(number);
        let at = |offset: usize| {
            let within = offset.saturating_sub(source.start_of(number)).min(line.len());
            text.len() + tame(line.get(..within).unwrap_or_default()).len()
        };
        for mark in marks.iter().filter(|mark| mark.line == number) {
            let (start, end) = clamp(&source.text, mark.span);
            let range = at(start)..at(end);
            annotations.push(mark.kind.span(range).label(mark.label.map(escape)));
        }
        text.push_str(&tame(line));
    }
    Snippet::source(text).path(escape(&source.name)).line_start(first + 1).annotations(annotations)
}

/// Replaces what could move the cursor, character by character, so that columns stay right.
fn tame(text: &str) -> String {
    let dangerous =
        |character: char| character != '\t' && (character.is_control() || misleads(character));
    text.chars().map(|it| if dangerous(it) { '\u{fffd}' } else { it }).collect()
}

/// Shows what could move the cursor or turn the direction of writing as an escape.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || misleads(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// What reorders the text around it, or is there without being seen.
fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}
