use minijinja::Environment;
use minijinja::machinery::parse;

use super::environment::{environment, syntax};
use super::program::{Outline, Place, check_size, one_line};
use super::syntax::syntax_error;
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
        let secret = touched.secret;
        if touched.unknown {
            let value = unknown(one_line(&self.outline.source));
            return Ok(Evaluated { value, unknown: true, secret });
        }
        match outcome {
            Ok(text) => Ok(Evaluated { value: Value::from(text), unknown: false, secret }),
            Err(error) => Err(self.outline.error(&error, touched, scope)),
        }
    }
}
