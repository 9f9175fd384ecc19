use minijinja::Environment;
use minijinja::machinery::parse;

use super::environment::{environment, syntax};
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
const NAME: &str = "text";

/// A text with `{% %}` statements, which can only be rendered as a whole.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) outline: Outline,
    environment: Environment<'static>,
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
        let template = parse(source, NAME, syntax())
            .map_err(|error| vec![syntax_error(&error, source, &place)])?;
        let analysis = analysis::of_template(source, &template);
        let outline = Outline::new(source, place, analysis)?;
        let mut environment = environment().clone();
        environment
            .add_template_owned(NAME, outline.checked_source())
            .map_err(|error| vec![syntax_error(&error, source, &outline.place)])?;
        Ok(Self { outline, environment })
    }

    pub(super) fn render(&self, scope: &Scope) -> Result<Evaluated, TemplateError> {
        let (outcome, touched) =
            trace::observe(|| self.environment.get_template(NAME)?.render(scope.context()));
        let secret = !touched.secrets.is_empty();
        if touched.unknown {
            let value = unknown(one_line(&self.outline.source));
            return Ok(Evaluated { unknown: true, secret, ..Evaluated::open(value) });
        }
        match outcome {
            Ok(text) if secret => self.hiding(scope, text, touched.secrets),
            Ok(text) => Ok(Evaluated::open(Value::from(text))),
            Err(error) => Err(self.outline.error(&error, &touched, scope)),
        }
    }

    /// The text, with what may be shown of it: rendered once more, with secrets hidden where they are printed.
    fn hiding(
        &self,
        scope: &Scope,
        text: String,
        read: Vec<(Value, Mark)>,
    ) -> Result<Evaluated, TemplateError> {
        let hides = if self.outline.binds_scalars() { Hides::Rest } else { Hides::Each };
        let (shown, hidden) = trace::observe_hiding(hides, || {
            self.environment.get_template(NAME)?.render(scope.context())
        });
        let mark = match shown {
            Ok(shown) => Mark::Shown(shown.into()),
            Err(_) => Mark::Hidden,
        };
        let mut evaluated = Evaluated::marked((Value::from(text), mark));
        evaluated.secrets.extend(read.into_iter().map(|(value, _)| value));
        evaluated.secrets.extend(hidden);
        Ok(evaluated)
    }
}
