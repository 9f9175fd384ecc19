//! One expression or template, compiled so that it knows its references and their places.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use minijinja::ErrorKind;
use minijinja::machinery::tokenize;
use minijinja::value::{DynObject, ObjectRepr};

use super::analysis::{self, Analysis, Chain, Need};
use super::checks::Role;
use super::compiled::{Compiled, Tree};
use super::environment::{FILES, syntax};
use super::error::describe;
use super::mark::{self, Mark};
use super::syntax::syntax_error;
use super::trace::{self, Touched};
use super::typing;
use super::value::{Unfit, holds_unknown, is_unknown, settle, unknown};
use super::{Evaluated, Reference, Scope, TemplateError, Value, verbatim};
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::Text;
use crate::types::Types;

/// Longer ones are nested so deeply that the compiler could run out of stack.
const MOST_TOKENS: usize = 1_000;

/// A text inside a scalar of a document: which part of the scalar it is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    text: Arc<Text>,
    offset: usize,
}

impl Place {
    pub(super) fn new(text: Arc<Text>, offset: usize) -> Self {
        Self { text, offset }
    }

    pub(super) fn span(&self, range: &Range<usize>) -> Span {
        self.text.locate(self.offset + range.start..self.offset + range.end)
    }
}

/// What all programs have in common: references and places.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) place: Place,
    pub(super) references: Vec<Reference>,
    chains: Vec<Chain>,
    /// The files that it reads.
    pub(super) files: Vec<FileUse>,
    /// What is in them, once they are read.
    contents: OnceLock<Value>,
}

/// A file that an expression reads: `file('data.json')`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUse {
    /// The path as it is written.
    pub path: String,
    /// Where the call stands.
    pub span: Span,
}

impl Outline {
    /// Reports what is wrong with the program, or notes what it refers to.
    pub(super) fn new(
        source: &str,
        place: Place,
        analysis: Analysis,
    ) -> Result<Self, Vec<Diagnostic>> {
        if !analysis.faults.is_empty() {
            let diagnostic = |fault: analysis::Fault| {
                let diagnostic =
                    Diagnostic::new(fault.code, fault.message).at(place.span(&fault.range));
                match fault.help {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                }
            };
            return Err(analysis.faults.into_iter().map(diagnostic).collect());
        }
        let mut chains = analysis.chains;
        chains.sort_by_key(|chain| (chain.whole.start, chain.whole.end));
        let reference = |chain: &Chain| Reference {
            path: chain.path.clone(),
            span: place.span(&chain.fixed),
            parts: chain.parts(source).iter().map(|part| place.span(part)).collect(),
            word: hyphenated(source, &chain.whole).map(|word| {
                (source.get(word.clone()).unwrap_or_default().to_owned(), place.span(&word))
            }),
            optional: chain.need != Need::Required,
            conditional: chain.conditional,
        };
        let references = chains.iter().filter(|chain| !chain.local).map(reference).collect();
        let used =
            |(path, range): (String, Range<usize>)| FileUse { path, span: place.span(&range) };
        let files = analysis.files.into_iter().map(used).collect();
        Ok(Self { place, references, chains, files, contents: OnceLock::new() })
    }

    /// Hands over what is in the files that it reads.
    pub(super) fn provide(&self, contents: &BTreeMap<String, String>) {
        let own = self.files.iter().filter_map(|file| contents.get_key_value(&file.path));
        let own = own.map(|(path, text)| (path.as_str(), Value::from(text.as_str())));
        let _ = self.contents.set(Value::from_pairs(own));
    }

    /// What an evaluation sees: the names of a scope, and the contents of files.
    pub(super) fn context(&self, scope: &Scope) -> Value {
        let Some(contents) = self.contents.get().filter(|_| !self.files.is_empty()) else {
            return scope.context();
        };
        let mut inner = scope.child();
        inner.set(FILES, contents.clone());
        inner.context()
    }

    pub(super) fn error(
        &self,
        source: &str,
        error: &minijinja::Error,
        touched: &Touched,
        scope: &Scope,
    ) -> TemplateError {
        let length = source.len();
        let range = error.range().map_or(0..length, |range| {
            let start = range.start.min(length);
            start..range.end.clamp(start, length)
        });
        let undefined = match touched.undefined {
            Some((start, end)) => {
                let whole = start..end.max(start);
                self.chains.iter().find(|chain| chain.whole == whole)
            }
            None if error.kind() == ErrorKind::UndefinedError => self.chain_at(&range),
            None => None,
        };
        if let Some(chain) = undefined {
            let ((end, help), seen) = trace::observe(|| missing(chain, scope));
            let is_inbox = chain.path.starts_with(&["run".to_owned(), "inbox".to_owned()]);
            let help = if is_inbox {
                Some("`run.inbox` exists only with `--local`: write `… if run.local else …`".into())
            } else {
                help.filter(|_| seen.secrets.is_empty())
            };
            let range = chain.whole.start..end;
            let name = source.get(range.clone()).unwrap_or_default().trim();
            let message = format!("{name} is not defined");
            return TemplateError::new(self.place.span(&range), message, help);
        }
        let (message, help) = describe(error);
        // The engine's place of a filter is its name.
        let before = source.get(..range.start).unwrap_or_default();
        let is_filter = before.trim_end().ends_with('|');
        let written = source.get(range.clone()).filter(|_| !is_filter).unwrap_or_default();
        let help = help.map(|help| about(&help, written));
        TemplateError::new(self.place.span(&range), message, help)
    }

    /// The innermost path around a range, of which the engine may name only the end.
    fn chain_at(&self, range: &Range<usize>) -> Option<&Chain> {
        self.chains
            .iter()
            .filter(|chain| chain.whole.start <= range.start && range.end <= chain.whole.end)
            .min_by_key(|chain| chain.whole.len())
    }

    /// Whether a name that the template binds itself may hold a scalar, as `x` in `{% for x in … %}{{ x }}`.
    pub(super) fn binds_scalars(&self, source: &str) -> bool {
        let is_bound = |chain: &Chain| {
            chain.local
                && chain.path.first().is_some_and(|root| root != "loop")
                && chain.path.len() < 2
        };
        self.chains.iter().any(is_bound)
            || source.split("{%").skip(1).any(|statement| {
                let word = statement.trim_start_matches(['-', '+']).split_whitespace().next();
                !matches!(word, Some("for" | "endfor" | "if" | "elif" | "else" | "endif"))
            })
    }

    /// A value that cannot be handed on.
    pub(super) fn unfit(&self, source: &str, unfit: Unfit) -> TemplateError {
        let place = self.place.span(&(0..source.len()));
        match unfit {
            Unfit::TooDeep => TemplateError::new(place, "the value is nested too deeply", None),
            Unfit::Refused(error) => {
                let (message, help) = describe(&error);
                TemplateError::new(place, message, help.map(|help| about(&help, source)))
            }
        }
    }
}

/// Advice with what is written in the place of `…`, where that is a path or another short operand.
pub(super) fn about(help: &str, written: &str) -> String {
    let written = written.trim();
    let plain = |it: char| it.is_alphanumeric() || matches!(it, '_' | '.' | '[' | ']' | '-');
    if written.is_empty() || written.len() > 60 || !written.chars().all(plain) {
        return help.to_owned();
    }
    help.replace('…', written)
}

/// The word with hyphens that a path is a part of, where nobody can have meant a subtraction.
fn hyphenated(source: &str, path: &Range<usize>) -> Option<Range<usize>> {
    let in_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '-');
    let before = source.get(..path.start)?;
    let after = source.get(path.end..)?;
    let start = before.trim_end_matches(in_word).len();
    let end = path.end + (after.len() - after.trim_start_matches(in_word).len());
    let word = source.get(start..end)?;
    let joins = |part: &str| {
        let (_, rest) = part.split_once('-')?;
        Some(rest.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_'))
    };
    let is_sum = || {
        word.split('-').skip(1).any(|part| {
            part.split_once('.').is_some_and(|(root, _)| {
                matches!(
                    root,
                    "inputs" | "vars" | "steps" | "run" | "env" | "item" | "loop" | "result"
                )
            })
        })
    };
    (joins(word) == Some(true) && !is_sum()).then_some(start..end)
}

/// Where in a chain the first name ends that is missing, and the name next to it among those that
/// do exist.
fn missing(chain: &Chain, scope: &Scope) -> (usize, Option<String>) {
    let whole = (chain.whole.end, None);
    if chain.local {
        return whole;
    }
    let mut value = scope.context();
    let mut names = scope.names();
    for (name, end) in chain.path.iter().zip(&chain.ends) {
        match value.get_attr(name) {
            Ok(next) if !next.is_undefined() => value = next,
            _ => {
                let similar = did_you_mean(name, names.iter().map(String::as_str));
                return (*end, similar.map(|similar| format!("did you mean `{similar}`?")));
            }
        }
        let keys = value.as_object().filter(|object| object.repr() == ObjectRepr::Map);
        let keys = keys.and_then(DynObject::try_iter).into_iter().flatten();
        names = keys.filter_map(|key| key.as_str().map(str::to_owned)).collect();
    }
    whole
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) outline: Outline,
    compiled: Compiled,
    is_path: bool,
    /// Whether it only puts together what it reads.
    is_verbatim: bool,
}

impl Program {
    /// The path that it is, where it is one path and nothing else.
    pub(super) fn path(&self) -> Option<&[String]> {
        let ([reference], [chain]) = (&*self.outline.references, &*self.outline.chains) else {
            return None;
        };
        (self.is_path && chain.fixed == chain.whole).then_some(&reference.path)
    }

    /// Compiles an expression that stands at `place`.
    pub(super) fn compile(source: &str, place: Place, role: Role) -> Result<Self, Vec<Diagnostic>> {
        check_size(source, true, MOST_TOKENS, &place)?;
        let compiled = Compiled::expression(source, role)
            .map_err(|error| vec![syntax_error(&error, source, &place)])?;
        let (is_path, is_verbatim, analysis) = compiled.look(|tree| match tree {
            Tree::Expression(expression, _) => (
                analysis::is_chain(expression),
                verbatim::is_verbatim(expression),
                analysis::of_expression(expression),
            ),
            Tree::Text(text) => (false, false, analysis::of_template(text)),
        });
        let outline = Outline::new(source, place, analysis)?;
        Ok(Self { outline, compiled, is_path, is_verbatim })
    }

    pub(super) fn source(&self) -> &str {
        self.compiled.source()
    }

    /// The types that its value may have, where `of` says which a path may have.
    pub(super) fn types(&self, of: &dyn Fn(&[String]) -> Types) -> Types {
        self.compiled.look(|tree| match tree {
            Tree::Expression(expression, _) => typing::types(expression, of),
            Tree::Text(_) => Types::STRING,
        })
    }

    /// What can be seen to be wrong with the types of its parts.
    pub(super) fn wrong_types(&self, of: &dyn Fn(&[String]) -> Types) -> Vec<Diagnostic> {
        let source = self.source();
        let place = |range: &Range<usize>| self.outline.place.span(range);
        self.compiled.look(|tree| match tree {
            Tree::Expression(expression, role) => {
                typing::faults(expression, *role, source, &place, of)
            }
            Tree::Text(_) => Vec::new(),
        })
    }

    pub(super) fn evaluate(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        let (outcome, touched) = trace::observe(|| {
            let value = self.compiled.evaluate(self.outline.context(scope))?;
            Ok::<_, minijinja::Error>(self.settle(value))
        });
        let of =
            |value, unknown| Evaluated { unknown, ..self.judged(value, touched.secrets.clone()) };
        match outcome {
            Ok(Ok(value)) if self.is_path && holds_unknown(&value) => Ok(of(value, true)),
            Ok(Err(unfit @ Unfit::TooDeep)) => Err(self.outline.unfit(self.source(), unfit)),
            _ if touched.unknown => Ok(of(unknown(one_line(self.source())), true)),
            Ok(Err(unfit)) => Err(self.outline.unfit(self.source(), unfit)),
            Ok(Ok(value)) => Ok(of(value, false)),
            Err(error) => Err(self.outline.error(self.source(), &error, &touched, scope)),
        }
    }

    /// What may be shown of a result that these secrets were read for.
    fn judged(&self, value: Value, secrets: Vec<(Value, Mark)>) -> Evaluated {
        if secrets.is_empty() {
            return Evaluated::marked((value, Mark::Open));
        }
        let copied = secrets.iter().find(|(read, _)| *read == value && self.is_path);
        let same = || secrets.iter().find(|(read, _)| read.as_str().is_some() && *read == value);
        let leaf = if let Some((_, mark)) = copied.or_else(same) {
            (value, mark.clone())
        } else if self.is_verbatim && mark::holds_whole(&value, &secrets) {
            mark::covered((value, Mark::Open), &|value, mark| match value.as_str() {
                Some(text) if mark == Mark::Open => Mark::Shown(text.into()),
                _ => mark,
            })
        } else {
            mark::hidden(value)
        };
        let read = secrets.into_iter().filter(|(_, mark)| *mark == Mark::Hidden);
        let mut evaluated = Evaluated::marked(leaf);
        evaluated.secret = true;
        evaluated.secrets.extend(read.map(|(value, _)| value));
        evaluated
    }

    fn settle(&self, value: Value) -> Result<Value, Unfit> {
        if self.is_path && is_unknown(&value).is_some() { Ok(value) } else { settle(value) }
    }
}

/// Source text in one line, for a marker.
pub(super) fn one_line(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn check_size(
    source: &str,
    expression: bool,
    most: usize,
    place: &Place,
) -> Result<(), Vec<Diagnostic>> {
    // A token has at least one byte.
    if source.len() <= most {
        return Ok(());
    }
    // What cannot be read ends the tokens: the parser says why.
    let tokens =
        tokenize(source, expression, syntax()).take(most + 1).take_while(Result::is_ok).count();
    if tokens <= most {
        return Ok(());
    }
    Err(vec![
        Diagnostic::new(Code::ExpressionTooLong, "this expression is too long")
            .at(place.span(&(0..source.len())))
            .help("compute parts of it in `vars` and refer to those"),
    ])
}
