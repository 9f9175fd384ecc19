use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Options, Parser, ScalarStyle};

use super::keys::{as_key, duplicate, is_merge};
use super::place::{Text, to_usize};
use super::weight::Weight;
use super::{Entry, Key, Node, NodeKind, fault, scalar};
use crate::diagnostic::{Code, Diagnostic, SourceId, Span};

const LARGEST_INPUT: usize = 4 * 1024 * 1024;
const MOST_NODES: usize = 200_000;
const MOST_ALIASES: usize = 100_000;
/// What aliases may repeat, in values.
const MOST_REPEATED: usize = 100_000;
/// What anchors and aliases may copy, in bytes of text.
const MOST_COPIED: usize = 8 * 1024 * 1024;
const DEEPEST: usize = 64;
/// A file with more faults than this is probably not a playbook at all.
const MOST_FAULTS: usize = 100;

/// Reads one YAML document.
///
/// # Errors
///
/// Everything that is wrong with the text as YAML, at least one diagnostic.
pub fn parse(source: SourceId, text: &str) -> Result<Node, Vec<Diagnostic>> {
    if text.len() > LARGEST_INPUT {
        let message = format!("the file has {} bytes, more than 4 MiB", text.len());
        return Err(vec![
            Diagnostic::new(Code::TooLarge, message)
                .at(Span::new(source, 0, 0))
                .help("keep data in files of its own and name them in the playbook"),
        ]);
    }
    let mut builder = Builder::new(source, text);
    builder.run();
    builder.finish()
}

/// A list or map that is not closed yet.
enum Open {
    Sequence { items: Vec<Node> },
    Mapping { entries: Vec<Entry>, seen: HashMap<String, Span>, key: Awaited, merges: bool },
}

/// What comes next in a map: a key, or the value of the key before it.
enum Awaited {
    Key,
    Value(Key),
    /// The value of a key that was refused.
    Nothing,
}

struct Frame {
    open: Open,
    start: usize,
    anchor: usize,
}

enum Anchored {
    Open,
    Complete { node: Node, weight: Weight },
}

struct Builder<'a> {
    source: SourceId,
    text: &'a str,
    faults: Vec<Diagnostic>,
    frames: Vec<Frame>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    aliases: usize,
    repeated: usize,
    copied: usize,
    documents: usize,
    /// The block of text that was read last, where nothing has been read since.
    block: Option<Span>,
    /// End of the content read last: block collections end there.
    last_end: usize,
}

/// Reading on would cost too much or make no sense.
struct Stop;

impl<'a> Builder<'a> {
    fn new(source: SourceId, text: &'a str) -> Self {
        Self {
            source,
            text,
            faults: Vec::new(),
            frames: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            nodes: 0,
            aliases: 0,
            repeated: 0,
            copied: 0,
            documents: 0,
            block: None,
            last_end: 0,
        }
    }

    fn run(&mut self) {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.disallow_directives = true;
        options.flow_nesting_limit = DEEPEST;
        options.block_nesting_limit = DEEPEST;
        for event in Parser::new_from_str_with_options(self.text, options) {
            let outcome = match event {
                Ok((event, span)) => self.event(event, span),
                Err(error) => {
                    self.scan_error(&error);
                    Err(Stop)
                }
            };
            if outcome.is_err() || self.faults.len() >= MOST_FAULTS {
                return;
            }
        }
    }

    /// A fault that follows from an unquoted `{{` on the same line is not worth a second message.
    fn scan_error(&mut self, error: &granit_parser::ScanError) {
        let fault = fault::from_scan_error(error, self.source, self.text);
        let fault = self.unclosed(&fault).unwrap_or(fault);
        let fault = match self.block.filter(|_| fault.code == Code::BadIndentation) {
            Some(block) => below_text(fault, block),
            None => fault,
        };
        let follows = self.faults.last().zip(fault.span).is_some_and(|(last, place)| {
            last.code == Code::UnquotedTemplate
                && last.span.is_some_and(|earlier| {
                    let range = to_usize(earlier.start)..to_usize(place.start);
                    self.text.get(range).is_some_and(|between| !between.contains('\n'))
                })
        });
        if !follows {
            self.faults.push(fault);
        }
    }

    /// A bracket that stands open above a fault is the fault, where the line of the fault is indented no further.
    fn unclosed(&self, fault: &Diagnostic) -> Option<Diagnostic> {
        let codes =
            [Code::MissingComma, Code::MisplacedColon, Code::TextAfterQuote, Code::BadIndentation];
        let place = fault.span.filter(|_| codes.contains(&fault.code))?;
        let start = self.frames.iter().map(|frame| frame.start).find(|start| {
            let rest = self.text.get(*start..to_usize(place.start)).unwrap_or_default();
            let line = rest.lines().next().unwrap_or_default();
            let is_bracket = line.starts_with(['{', '[']) && line.trim_end().len() > 1;
            let below = rest.contains('\n');
            is_bracket && below && self.indent(to_usize(place.start)) <= self.indent(*start)
        })?;
        let bracket = self.text.get(start..=start)?;
        let close = if bracket == "{" { '}' } else { ']' };
        let line = self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        if let Some(value) = fault::value_with_comma(line) {
            let place = Span::new(self.source, start + value.start, start + value.end);
            let text = line.get(value).unwrap_or_default();
            return Some(fault::unquoted_comma(place, text));
        }
        let (message, help) = if line.ends_with(close) && fault::is_balanced(line) {
            (
                format!("this `{bracket}` is not closed where it seems to be"),
                "inside brackets, a value that holds brackets, quotes or commas must be quoted"
                    .to_owned(),
            )
        } else {
            (format!("this `{bracket}` is not closed"), format!("add the missing `{close}`"))
        };
        Some(
            Diagnostic::new(Code::UnclosedBracket, message)
                .at(Span::new(self.source, start, start + 1))
                .also(place, "this cannot stand inside it")
                .help(help),
        )
    }

    /// How far the line of an offset is indented.
    fn indent(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = self.text.get(start..).unwrap_or_default();
        line.len() - line.trim_start_matches(' ').len()
    }

    fn finish(mut self) -> Result<Node, Vec<Diagnostic>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        self.root.take().ok_or_else(|| {
            vec![
                Diagnostic::new(Code::EmptyDocument, "there is nothing in this file").at(Span::new(
                    self.source,
                    0,
                    0,
                ))
                .help("begin with `name:` and `steps:`; `playbook new NAME` writes a playbook to start from"),
            ]
        })
    }

    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) -> Result<(), Stop> {
        let range = span.byte_range().unwrap_or(0..0);
        self.block = None;
        if let Some(tag) = span.tag_span().and_then(|tag| tag.byte_range()) {
            self.tag(&tag);
        }
        match event {
            Event::DocumentStart(..) => self.document(&range),
            Event::Scalar(value, style, anchor, _) => {
                let span = Span::new(self.source, range.start, self.scalar_end(&range, style));
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                self.block = is_block.then_some(span);
                let node = self.scalar(value.into_owned(), style, span);
                self.last_end = self.last_end.max(to_usize(span.end));
                self.count(span)?;
                self.anchor(anchor, &node)?;
                self.place(node);
                Ok(())
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Open::Sequence { items: Vec::new() }, &range, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                let open = Open::Mapping {
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: Awaited::Key,
                    merges: false,
                };
                self.open(open, &range, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            Event::Alias(anchor) => self.alias(anchor, &range),
            _ => Ok(()),
        }
    }

    /// Where a scalar's own characters end: block text without the blank lines after it.
    fn scalar_end(&self, range: &std::ops::Range<usize>, style: ScalarStyle) -> usize {
        if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            return range.end;
        }
        let raw = self.text.get(range.clone()).unwrap_or_default();
        range.start + raw.trim_end().len()
    }

    fn document(&mut self, range: &std::ops::Range<usize>) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents < 2 {
            return Ok(());
        }
        self.fault(
            Diagnostic::new(Code::SeveralDocuments, "a second document starts here")
                .at(self.span(range))
                .help("put each playbook in a file of its own"),
        );
        Err(Stop)
    }

    fn tag(&mut self, range: &std::ops::Range<usize>) {
        let written = self.text.get(range.clone()).unwrap_or_default();
        let message = format!("tags such as `{written}` mean nothing here");
        self.fault(
            Diagnostic::new(Code::Tag, message)
                .at(self.span(range))
                .help("leave the tag out; a value in quotes is always a string"),
        );
    }

    fn span(&self, range: &std::ops::Range<usize>) -> Span {
        Span::new(self.source, range.start, range.end)
    }

    fn fault(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    fn count(&mut self, span: Span) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes <= MOST_NODES {
            return Ok(());
        }
        let message = format!("the file holds more than {MOST_NODES} values");
        self.fault(
            Diagnostic::new(Code::TooManyValues, message)
                .at(span)
                .help("keep data in files of its own and name them in the playbook"),
        );
        Err(Stop)
    }

    fn scalar(&self, value: String, style: ScalarStyle, span: Span) -> Node {
        // The parser writes an absent value as `~`; only its empty place tells.
        let absent = style == ScalarStyle::Plain && span.start == span.end;
        let plain = (style == ScalarStyle::Plain && !absent)
            .then(|| scalar::resolve_plain(&value))
            .flatten();
        let is_plain = style == ScalarStyle::Plain && !absent;
        let (kind, spelling) = match plain {
            _ if absent => (NodeKind::Null, None),
            Some(NodeKind::Null) => (NodeKind::Null, None),
            Some(kind) => (kind, Some(value.into())),
            None => {
                let inexact = is_plain && scalar::is_inexact_number(&value);
                let spelling = inexact.then(|| value.as_str().into());
                (NodeKind::String(Text::from_scalar(value, style, span, self.text)), spelling)
            }
        };
        Node { span, kind, spelling }
    }

    fn open(
        &mut self,
        open: Open,
        range: &std::ops::Range<usize>,
        anchor: usize,
    ) -> Result<(), Stop> {
        let span = self.span(range);
        self.count(span)?;
        if self.frames.len() >= DEEPEST {
            self.fault(
                Diagnostic::new(Code::TooDeep, "lists and maps are nested too deeply")
                    .at(span)
                    .help("at most 64 levels are read"),
            );
            return Err(Stop);
        }
        if self.text.get(range.start..).is_some_and(|rest| rest.starts_with("{{")) {
            let braces = Span::new(self.source, range.start, range.start + 2);
            self.fault(fault::unquoted_template(braces, self.text));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored::Open);
        }
        self.last_end = self.last_end.max(range.end);
        self.frames.push(Frame { open, start: range.start, anchor });
        Ok(())
    }

    fn close(&mut self, range: &std::ops::Range<usize>) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        // A block collection closes at the next token, which may stand lines below.
        if range.end > range.start {
            self.last_end = self.last_end.max(range.end);
        }
        let span = Span::new(self.source, frame.start, self.last_end.max(frame.start));
        let kind = match frame.open {
            Open::Sequence { items } => NodeKind::Sequence(items),
            Open::Mapping { entries, merges: false, .. } => NodeKind::Mapping(entries),
            Open::Mapping { entries, .. } => NodeKind::Mapping(self.merged(entries)),
        };
        let node = Node::new(span, kind);
        self.anchor(frame.anchor, &node)?;
        self.place(node);
        Ok(())
    }

    fn anchor(&mut self, anchor: usize, node: &Node) -> Result<(), Stop> {
        if anchor != 0 {
            let weight = Weight::of(node);
            self.copy(weight, node.span)?;
            self.anchors.insert(anchor, Anchored::Complete { node: node.clone(), weight });
        }
        Ok(())
    }

    fn copy(&mut self, weight: Weight, span: Span) -> Result<(), Stop> {
        self.copied += weight.bytes;
        if self.copied <= MOST_COPIED {
            return Ok(());
        }
        self.alias_fault(Code::AliasBomb, "aliases make this file too large", span)
    }

    fn alias_fault(&mut self, code: Code, message: &str, span: Span) -> Result<(), Stop> {
        let help = "write the values out, or move the data to a file of its own";
        self.fault(Diagnostic::new(code, message).at(span).help(help));
        Err(Stop)
    }

    fn alias(&mut self, anchor: usize, range: &std::ops::Range<usize>) -> Result<(), Stop> {
        let span = self.span(range);
        self.aliases += 1;
        self.last_end = self.last_end.max(range.end);
        let Some(Anchored::Complete { node, weight }) = self.anchors.get(&anchor) else {
            let message = "an alias cannot stand inside its own value";
            return self.alias_fault(Code::RecursiveAlias, message, span);
        };
        let weight = *weight;
        let node = Node { span, ..node.clone() };
        self.repeated += weight.nodes;
        self.copy(weight, span)?;
        if self.aliases > MOST_ALIASES || self.repeated > MOST_REPEATED {
            return self.alias_fault(Code::AliasBomb, "aliases make this file too large", span);
        }
        if weight.levels + self.frames.len() > DEEPEST {
            let message = "lists and maps are nested too deeply";
            return self.alias_fault(Code::TooDeep, message, span);
        }
        self.place(node);
        Ok(())
    }

    /// The entries of a map with those that `<<` names, unless it has them itself; the first of several maps counts.
    fn merged(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let is_own = |entry: &&Entry| !is_merge(&entry.key, self.text);
        let mut known: HashSet<String> =
            entries.iter().filter(is_own).map(|entry| entry.key.name.clone()).collect();
        let mut merged = Vec::with_capacity(entries.len());
        for entry in entries {
            if !is_merge(&entry.key, self.text) {
                merged.push(entry);
                continue;
            }
            let whole = entry.value.span;
            let sources = match entry.value.kind {
                NodeKind::Sequence(items) => items,
                _ => vec![entry.value],
            };
            for source in sources {
                let NodeKind::Mapping(more) = source.kind else {
                    let what = source.type_name();
                    let inside = whole.start <= source.span.start && source.span.end <= whole.end;
                    let (what, place) = if inside {
                        (format!("this is {what}"), source.span)
                    } else {
                        (format!("an item of this list is {what}"), whole)
                    };
                    self.faults.push(
                        Diagnostic::new(Code::MergeKey, format!("`<<` merges maps, {what}"))
                            .at(place)
                            .label("must be a map, or a list of maps")
                            .help("name a map: `<<: *name`, where `&name` stands before that map"),
                    );
                    continue;
                };
                merged.extend(more.into_iter().filter(|it| known.insert(it.key.name.clone())));
            }
        }
        merged
    }

    /// Puts a finished node where it belongs: the root, an item, a key or a value.
    fn place(&mut self, node: Node) {
        let in_list = matches!(
            self.frames.iter().rev().nth(1),
            Some(Frame { open: Open::Sequence { .. }, .. })
        );
        let Some(frame) = self.frames.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        let (entries, key, seen, merges) = match &mut frame.open {
            Open::Sequence { items } => return items.push(node),
            Open::Mapping { entries, key, seen, merges } => (entries, key, seen, merges),
        };
        *key = match std::mem::replace(key, Awaited::Key) {
            Awaited::Value(name) => {
                entries.push(Entry { key: name, value: node });
                Awaited::Key
            }
            Awaited::Nothing => Awaited::Key,
            Awaited::Key => match as_key(node, self.text) {
                Ok(name) => {
                    if let Some(earlier) = seen.get(&name.name) {
                        self.faults.push(duplicate(&name, *earlier, in_list));
                        Awaited::Nothing
                    } else {
                        *merges |= is_merge(&name, self.text);
                        seen.insert(name.name.clone(), name.span);
                        Awaited::Value(name)
                    }
                }
                Err(fault) => {
                    self.faults.extend(fault);
                    Awaited::Nothing
                }
            },
        };
    }
}

/// A line that is neither part of the text above nor a key beside it.
fn below_text(fault: Diagnostic, block: Span) -> Diagnostic {
    let start = to_usize(block.start);
    Diagnostic { message: "this is indented less than the text above it".to_owned(), ..fault }
        .also(Span::new(block.source, start, start), "the text begins here")
        .help("indent it like the text, or like the key that the text belongs to")
}
