use super::compiled::{Compiled, Tree};
use super::mark::Mark;
use super::program::{Outline, Place, check_size, one_line};
use super::syntax::syntax_error;
use super::trace::Hides;
use super::value::unknown;
use super::{Evaluated, Scope, TemplateError, Value, analysis, trace};
use crate::diagnostic::{Code, Diagnostic};

const MOST_TOKENS: usize = 4_000;
/// More would be nested so deeply that the compiler could run out of stack.
const MOST_BLOCKS: usize = 100;

/// A text with `{% %}` statements, which can only be rendered as a whole.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) outline: Outline,
    compiled: Compiled,
}

impl Statements {
    pub(super) fn compile(source: &str, place: Place) -> Result<Self, Vec<Diagnostic>> {
        check_size(source, false, MOST_TOKENS, &place)?;
        if source.matches("{%").count() > MOST_BLOCKS {
            let message = format!("a text can hold at most {MOST_BLOCKS} `{{% %}}` statements");
            return Err(vec![
                Diagnostic::new(Code::TemplateTooLong, message)
                    .at(place.span(&(0..source.len())))
                    .help("write a loop, or take the text apart"),
            ]);
        }
        let compiled =
            Compiled::text(source).map_err(|error| vec![syntax_error(&error, source, &place)])?;
        let analysis = compiled.look(|tree| match tree {
            Tree::Text(text) => analysis::of_template(text),
            Tree::Expression(expression, _) => analysis::of_expression(expression),
        });
        let outline = Outline::new(source, place, analysis)?;
        Ok(Self { outline, compiled })
    }

    pub(super) fn render(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        let (outcome, touched) =
            trace::observe(|| self.compiled.render(self.outline.context(scope)));
        let secret = !touched.secrets.is_empty();
        if touched.unknown {
            let value = unknown(one_line(self.compiled.source()));
            return Ok(Evaluated { unknown: true, secret, ..Evaluated::open(value) });
        }
        match outcome {
            Ok(text) if secret => Ok(self.hiding(scope, text, touched.secrets)),
            Ok(text) => Ok(Evaluated::open(Value::from(text))),
            Err(error) => Err(self.outline.error(self.compiled.source(), &error, &touched, scope)),
        }
    }

    /// The text, with what may be shown of it: rendered once more, with secrets hidden where they are printed.
    fn hiding(&self, scope: &Scope, text: String, read: Vec<(Value, Mark)>) -> Evaluated {
        let hides = if self.outline.binds_scalars(self.compiled.source()) {
            Hides::Rest
        } else {
            Hides::Each
        };
        let (shown, hidden) =
            trace::observe_hiding(hides, || self.compiled.render(self.outline.context(scope)));
        let mark = match shown {
            Ok(shown) => Mark::Shown(shown.into()),
            Err(_) => Mark::Hidden,
        };
        let mut evaluated = Evaluated::marked((Value::from(text), mark));
        evaluated.secrets.extend(read.into_iter().map(|(value, _)| value));
        evaluated.secrets.extend(hidden);
        evaluated
    }
}
