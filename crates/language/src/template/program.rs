//! One expression or template, compiled so that it knows its references and their places.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use minijinja::ErrorKind;
use minijinja::machinery::{parse_expr, tokenize};
use minijinja::value::{DynObject, ObjectRepr};

use super::analysis::{self, Analysis, Chain, Need};
use super::environment::{REQUIRE, TOUCH, environment, syntax};
use super::error::describe;
use super::mark::{self, Mark};
use super::syntax::syntax_error;
use super::trace::{self, Touched};
use super::value::{TooDeep, holds_unknown, is_unknown, settle, unknown};
use super::{Evaluated, Reference, Scope, TemplateError, Value, Yields, verbatim};
use crate::diagnostic::{Code, Diagnostic, Span, did_you_mean};
use crate::document::Text;

/// Longer ones are nested so deeply that the compiler could run out of stack.
const MOST_TOKENS: usize = 1_000;

/// What has no more tokens than these and can be parsed can be compiled: only depth could keep it from that.
const SURE_TO_COMPILE: usize = 60;

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

/// What all programs have in common: references, places, and the source as it was compiled.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) source: String,
    pub(super) place: Place,
    pub(super) references: Vec<Reference>,
    chains: Vec<Chain>,
    insertions: Vec<Insertion>,
}

/// Text that was added at an offset of the source.
#[derive(Debug, Clone)]
struct Insertion {
    at: usize,
    text: String,
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
        let insertions = insertions(&chains);
        Ok(Self { source: source.to_owned(), place, references, chains, insertions })
    }

    /// The source with a check around every path.
    pub(super) fn checked_source(&self) -> String {
        let mut checked = String::with_capacity(self.source.len() * 2);
        let mut done = 0;
        for insertion in &self.insertions {
            checked.push_str(self.source.get(done..insertion.at).unwrap_or_default());
            checked.push_str(&insertion.text);
            done = insertion.at;
        }
        checked.push_str(self.source.get(done..).unwrap_or_default());
        checked
    }

    /// The offset in the source that an offset in the checked source stands for.
    fn original(&self, checked: usize) -> usize {
        let mut added = 0;
        for insertion in &self.insertions {
            if insertion.at + added >= checked {
                break;
            }
            added += insertion.text.len().min(checked - insertion.at - added);
        }
        checked - added
    }

    pub(super) fn error(
        &self,
        error: &minijinja::Error,
        touched: &Touched,
        scope: &Scope,
    ) -> TemplateError {
        let range = self.original_range(error);
        let undefined = match touched.undefined {
            Some(number) => self.chains.get(number),
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
            let name = self.source.get(range.clone()).unwrap_or_default().trim();
            let message = format!("{name} is not defined");
            return TemplateError::new(self.place.span(&range), message, help);
        }
        let (message, help) = describe(error);
        TemplateError::new(self.place.span(&range), message, help)
    }

    fn original_range(&self, error: &minijinja::Error) -> Range<usize> {
        let length = self.source.len();
        let Some(range) = error.range() else {
            return 0..length;
        };
        let start = self.original(range.start).min(length);
        start..self.original(range.end).clamp(start, length)
    }

    /// The innermost path around a range, of which the engine may name only the end.
    fn chain_at(&self, range: &Range<usize>) -> Option<&Chain> {
        self.chains
            .iter()
            .filter(|chain| chain.whole.start <= range.start && range.end <= chain.whole.end)
            .min_by_key(|chain| chain.whole.len())
    }

    /// Whether a name that the template binds itself may hold a scalar, as `x` in `{% for x in … %}{{ x }}`.
    pub(super) fn binds_scalars(&self) -> bool {
        let is_bound = |chain: &Chain| {
            chain.local
                && chain.path.first().is_some_and(|root| root != "loop")
                && chain.path.len() < 2
        };
        self.chains.iter().any(is_bound)
            || self.source.split("{%").skip(1).any(|statement| {
                let word = statement.trim_start_matches(['-', '+']).split_whitespace().next();
                !matches!(word, Some("for" | "endfor" | "if" | "elif" | "else" | "endif"))
            })
    }

    pub(super) fn too_deep(&self) -> TemplateError {
        TemplateError::new(
            self.place.span(&(0..self.source.len())),
            "the value is nested too deeply",
            None,
        )
    }
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

fn insertions(chains: &[Chain]) -> Vec<Insertion> {
    let mut insertions = Vec::with_capacity(chains.len() * 2);
    for (number, chain) in chains.iter().enumerate().filter(|(_, chain)| chain.separate) {
        // What another part of the expression guards is evaluated only where it is defined.
        let check = if chain.need == Need::Optional {
            format!("|{TOUCH})")
        } else {
            format!("|{REQUIRE}({number}))")
        };
        insertions.push(Insertion { at: chain.whole.start, text: "(".to_owned() });
        insertions.push(Insertion { at: chain.whole.end, text: check });
    }
    insertions.sort_by_key(|insertion| insertion.at);
    insertions
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
    /// Made when it is needed first: a check of thousands of steps evaluates none of them.
    code: OnceLock<minijinja::Expression<'static, 'static>>,
    is_path: bool,
    /// Whether it only puts together what it reads.
    is_verbatim: bool,
    pub(super) yields: Yields,
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
    pub(super) fn compile(source: &str, place: Place) -> Result<Self, Vec<Diagnostic>> {
        let tokens = check_size(source, true, MOST_TOKENS, &place)?;
        let expression =
            parse_expr(source).map_err(|error| vec![syntax_error(&error, source, &place)])?;
        let is_path = analysis::is_chain(&expression);
        let is_verbatim = verbatim::is_verbatim(&expression);
        let yields = Yields::of(&expression);
        let analysis = analysis::of_expression(source, &expression);
        let outline = Outline::new(source, place, analysis)?;
        let program = Self { outline, code: OnceLock::new(), is_path, is_verbatim, yields };
        if tokens > SURE_TO_COMPILE {
            program
                .code()
                .map_err(|error| vec![syntax_error(&error, source, &program.outline.place)])?;
        }
        Ok(program)
    }

    fn code(&self) -> Result<&minijinja::Expression<'static, 'static>, minijinja::Error> {
        if let Some(code) = self.code.get() {
            return Ok(code);
        }
        let code = environment().compile_expression_owned(self.outline.checked_source())?;
        Ok(self.code.get_or_init(|| code))
    }

    pub(super) fn evaluate(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        let (outcome, touched) = trace::observe(|| {
            let value = self.code()?.eval(scope.context())?;
            Ok::<_, minijinja::Error>(self.settle(value))
        });
        let of =
            |value, unknown| Evaluated { unknown, ..self.judged(value, touched.secrets.clone()) };
        match outcome {
            Ok(Ok(value)) if self.is_path && holds_unknown(&value) => Ok(of(value, true)),
            Ok(Err(TooDeep)) => Err(self.outline.too_deep()),
            _ if touched.unknown => Ok(of(unknown(one_line(&self.outline.source)), true)),
            Ok(Ok(value)) => Ok(of(value, false)),
            Err(error) => Err(self.outline.error(&error, &touched, scope)),
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

    fn settle(&self, value: Value) -> Result<Value, TooDeep> {
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
) -> Result<usize, Vec<Diagnostic>> {
    // What cannot be read ends the tokens: the parser says why.
    let tokens =
        tokenize(source, expression, syntax()).take(most + 1).take_while(Result::is_ok).count();
    if tokens <= most {
        return Ok(tokens);
    }
    Err(vec![
        Diagnostic::new(Code::ExpressionTooLong, "this expression is too long")
            .at(place.span(&(0..source.len())))
            .help("compute parts of it in `vars` and refer to those"),
    ])
}
