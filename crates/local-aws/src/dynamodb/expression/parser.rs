//! Tokens → conditions, projections, updates.

mod actions;

use aws_model::is_reserved_word;

use super::Placeholders;
use super::condition::{Comparator, Condition, Operand};
use super::lexer::{Kind, Token, tokens};
use super::path::{Path, Step};
use super::update::{Action, Update};
use crate::dynamodb::error::validation;
use crate::dynamodb::value::AttributeValue;
use crate::protocol::AwsError;

const LONGEST: usize = 4096;
/// AWS counts operators and allows 300; what this limits is how deep they may be nested.
const DEEPEST: usize = 100;

/// Parses a condition; `kind` is the request's member, such as `FilterExpression`.
pub fn parse_condition(
    kind: &'static str,
    expression: &str,
    placeholders: &Placeholders,
) -> Result<Condition, AwsError> {
    let mut parser = Parser::new(kind, expression, placeholders)?;
    let condition = parser.condition()?;
    parser.end()?;
    Ok(condition)
}

/// Parses a `ProjectionExpression`.
pub fn parse_projection(
    expression: &str,
    placeholders: &Placeholders,
) -> Result<Vec<Path>, AwsError> {
    let mut parser = Parser::new("ProjectionExpression", expression, placeholders)?;
    let mut paths = vec![parser.path()?];
    while parser.take(",") {
        paths.push(parser.path()?);
    }
    parser.end()?;
    parser.check_overlap(&paths.iter().collect::<Vec<_>>())?;
    Ok(paths)
}

/// Parses an `UpdateExpression`.
pub fn parse_update(expression: &str, placeholders: &Placeholders) -> Result<Update, AwsError> {
    let mut parser = Parser::new("UpdateExpression", expression, placeholders)?;
    let mut update = Update::default();
    let mut seen: Vec<String> = Vec::new();
    while parser.peek().kind != Kind::End {
        let section = parser.peek().text.to_ascii_uppercase();
        if !["SET", "REMOVE", "ADD", "DELETE"].contains(&section.as_str()) {
            return Err(parser.syntax_error());
        }
        if seen.contains(&section) {
            return Err(parser.error(&format!(
                "The \"{section}\" section can only be used once in an update expression;"
            )));
        }
        parser.advance();
        loop {
            let action = parser.action(&section)?;
            update.actions.push(action);
            if !parser.take(",") {
                break;
            }
        }
        seen.push(section);
    }
    let paths: Vec<&Path> = update.actions.iter().map(Action::path).collect();
    parser.check_overlap(&paths)?;
    Ok(update)
}

struct Parser<'e> {
    kind: &'static str,
    expression: &'e str,
    tokens: Vec<Token<'e>>,
    position: usize,
    depth: usize,
    /// From which token to which the last group in parentheses goes.
    group: Option<(usize, usize)>,
    placeholders: &'e Placeholders,
}

impl<'e> Parser<'e> {
    fn new(
        kind: &'static str,
        expression: &'e str,
        placeholders: &'e Placeholders,
    ) -> Result<Self, AwsError> {
        let parser = Self {
            kind,
            expression,
            tokens: tokens(expression),
            position: 0,
            depth: 0,
            group: None,
            placeholders,
        };
        if expression.len() > LONGEST {
            return Err(parser.error(&format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                expression.len()
            )));
        }
        if parser.tokens.len() == 1 {
            return Err(parser.error("The expression can not be empty;"));
        }
        Ok(parser)
    }

    fn error(&self, what: &str) -> AwsError {
        validation(format!("Invalid {}: {what}", self.kind))
    }

    fn syntax_error(&self) -> AwsError {
        let token = self.peek();
        let from = self.position.checked_sub(1).and_then(|before| self.tokens.get(before));
        let until = self.tokens.get(self.position + 1).unwrap_or(token);
        let near = self
            .expression
            .get(from.unwrap_or(token).start..until.end)
            .unwrap_or_default()
            .trim_end();
        let token = token.text;
        self.error(&format!("Syntax error; token: \"{token}\", near: \"{near}\""))
    }

    /// The current token; the last one is the end, which is never left.
    fn peek(&self) -> &Token<'e> {
        const NOTHING: &Token<'static> =
            &Token { kind: Kind::End, text: "<EOF>", start: 0, end: 0 };
        self.tokens.get(self.position).unwrap_or(NOTHING)
    }

    fn advance(&mut self) {
        if self.position + 1 < self.tokens.len() {
            self.position += 1;
        }
    }

    fn is(&self, text: &str) -> bool {
        let token = self.peek();
        matches!(token.kind, Kind::Word | Kind::Symbol) && token.text.eq_ignore_ascii_case(text)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.is(text);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), AwsError> {
        if self.take(text) { Ok(()) } else { Err(self.syntax_error()) }
    }

    fn end(&self) -> Result<(), AwsError> {
        if self.peek().kind == Kind::End { Ok(()) } else { Err(self.syntax_error()) }
    }

    fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        if self.depth >= DEEPEST {
            return Err(self.error("The expression is nested too deeply"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn condition(&mut self) -> Result<Condition, AwsError> {
        self.nested(|parser| {
            let mut condition = parser.conjunction()?;
            while parser.take("OR") {
                let right = parser.conjunction()?;
                condition = Condition::Or(Box::new(condition), Box::new(right));
            }
            Ok(condition)
        })
    }

    fn conjunction(&mut self) -> Result<Condition, AwsError> {
        let mut condition = self.negation()?;
        while self.take("AND") {
            let right = self.negation()?;
            condition = Condition::And(Box::new(condition), Box::new(right));
        }
        Ok(condition)
    }

    fn negation(&mut self) -> Result<Condition, AwsError> {
        if self.take("NOT") {
            let inner = self.nested(Self::negation)?;
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.take("(") {
            let begin = self.position;
            let inner = self.condition()?;
            // The group within is all that there is in this one.
            if self.group == Some((begin, self.position)) {
                return Err(self.error("The expression has redundant parentheses;"));
            }
            self.expect(")")?;
            self.group = Some((begin - 1, self.position));
            return Ok(inner);
        }
        if self.is_call() && !self.is("size") {
            return self.function();
        }
        let left = self.operand()?;
        self.comparison(left)
    }

    fn comparison(&mut self, left: Operand) -> Result<Condition, AwsError> {
        if self.take("BETWEEN") {
            let low = self.operand()?;
            self.expect("AND")?;
            let high = self.operand()?;
            self.check_bounds(&low, &high)?;
            return Ok(Condition::Between(left, low, high));
        }
        if self.take("IN") {
            self.expect("(")?;
            let candidates = self.operands()?;
            return Ok(Condition::In(left, candidates));
        }
        let token = self.peek().text;
        let Some(comparator) = Comparator::read(token) else {
            return Err(self.syntax_error());
        };
        self.advance();
        let right = self.operand()?;
        if !matches!(comparator, Comparator::Equal | Comparator::NotEqual) {
            self.check_ordered(token, &left)?;
            self.check_ordered(token, &right)?;
        }
        Ok(Condition::Compare(left, comparator, right))
    }

    fn check_ordered(&self, operator: &str, operand: &Operand) -> Result<(), AwsError> {
        match operand {
            Operand::Value(value) if value.order(value).is_none() => {
                Err(self.wrong_operand(operator, value))
            }
            _ => Ok(()),
        }
    }

    fn check_bounds(&self, low: &Operand, high: &Operand) -> Result<(), AwsError> {
        self.check_ordered("BETWEEN", low)?;
        self.check_ordered("BETWEEN", high)?;
        let (Operand::Value(low), Operand::Value(high)) = (low, high) else {
            return Ok(());
        };
        let shown = |value: &AttributeValue| value.write().to_string();
        match low.order(high) {
            None => Err(self.error(&format!(
                "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
                 AttributeValue: {}, upper bound operand: AttributeValue: {}",
                shown(low),
                shown(high)
            ))),
            Some(order) if order.is_gt() => Err(self.error(&format!(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
                 operand: AttributeValue: {}, upper bound operand: AttributeValue: {}",
                shown(low),
                shown(high)
            ))),
            Some(_) => Ok(()),
        }
    }

    fn wrong_operand(&self, operator: &str, value: &AttributeValue) -> AwsError {
        self.error(&format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {}",
            value.type_name()
        ))
    }

    fn is_call(&self) -> bool {
        let next = self.tokens.get(self.position + 1);
        self.peek().kind == Kind::Word && next.is_some_and(|token| token.text == "(")
    }

    fn function(&mut self) -> Result<Condition, AwsError> {
        let name = self.peek().text;
        if !FUNCTIONS.iter().any(|(known, _)| *known == name) {
            return Err(self.error(&format!("Invalid function name; function: {name}")));
        }
        self.advance();
        self.advance();
        let operands = self.operands()?;
        self.check_count(name, operands.len())?;
        let mut operands = operands.into_iter();
        let (Some(first), second) = (operands.next(), operands.next()) else {
            return Err(self.syntax_error());
        };
        Ok(match (name, first, second) {
            ("attribute_exists", Operand::Path(path), None) => Condition::Exists(path),
            ("attribute_not_exists", Operand::Path(path), None) => Condition::Missing(path),
            ("attribute_type", Operand::Path(path), Some(Operand::Value(name))) => {
                Condition::TypeIs(path, self.attribute_type(name)?)
            }
            ("begins_with", value, Some(start)) => {
                for operand in [&value, &start] {
                    match operand {
                        Operand::Value(AttributeValue::String(_) | AttributeValue::Binary(_)) => {}
                        Operand::Value(other) => return Err(self.wrong_operand(name, other)),
                        _ => {}
                    }
                }
                Condition::BeginsWith(value, start)
            }
            ("contains", value, Some(part)) => Condition::Contains(value, part),
            _ => {
                return Err(self.error(&format!(
                    "Operator or function requires a document path; operator or function: {name}"
                )));
            }
        })
    }

    fn attribute_type(&self, name: AttributeValue) -> Result<AttributeValue, AwsError> {
        const TYPES: [&str; 10] = ["B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"];
        match &name {
            AttributeValue::String(text) if TYPES.contains(&text.as_str()) => Ok(name),
            AttributeValue::String(text) => Err(self.error(&format!(
                "Invalid attribute type name found; type: {text}, valid types: {{{}}}",
                TYPES.join(",")
            ))),
            other => Err(self.wrong_operand("attribute_type", other)),
        }
    }

    fn check_count(&self, name: &str, count: usize) -> Result<(), AwsError> {
        let expected = FUNCTIONS.iter().find(|(known, _)| *known == name);
        if expected.is_some_and(|(_, expected)| *expected == count) {
            return Ok(());
        }
        Err(self.error(&format!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of \
             operands: {count}"
        )))
    }

    /// Operands up to the closing bracket.
    fn operands(&mut self) -> Result<Vec<Operand>, AwsError> {
        let mut operands = vec![self.operand()?];
        while self.take(",") {
            operands.push(self.operand()?);
        }
        self.expect(")")?;
        Ok(operands)
    }

    fn operand(&mut self) -> Result<Operand, AwsError> {
        if self.is_call() {
            if !self.is("size") {
                let name = self.peek().text;
                return Err(self.error(&format!(
                    "The function is not allowed to be used this way in an expression; function: {name}"
                )));
            }
            return self.nested(|parser| {
                parser.advance();
                parser.advance();
                let operands = parser.operands()?;
                parser.check_count("size", operands.len())?;
                let of = operands.into_iter().next().ok_or_else(|| parser.syntax_error())?;
                Ok(Operand::Size(Box::new(of)))
            });
        }
        if self.peek().kind == Kind::Value {
            return self.value().map(Operand::Value);
        }
        self.path().map(Operand::Path)
    }

    fn value(&mut self) -> Result<AttributeValue, AwsError> {
        let token = self.peek();
        if token.kind != Kind::Value {
            return Err(self.syntax_error());
        }
        let key = token.text;
        let value = self.placeholders.value(key).cloned().ok_or_else(|| {
            self.error(&format!(
                "An expression attribute value used in expression is not defined; attribute value: {key}"
            ))
        })?;
        self.advance();
        Ok(value)
    }

    fn path(&mut self) -> Result<Path, AwsError> {
        let name = self.name()?;
        let mut inside = Vec::new();
        loop {
            if self.take(".") {
                inside.push(Step::Name(self.name()?));
            } else if self.take("[") {
                let token = self.peek();
                let index = (token.kind == Kind::Index).then(|| token.text.parse().ok());
                let index = index.flatten().ok_or_else(|| self.syntax_error())?;
                self.advance();
                self.expect("]")?;
                inside.push(Step::Index(index));
            } else {
                return Ok(Path { name, inside });
            }
        }
    }

    fn name(&mut self) -> Result<String, AwsError> {
        let token = self.peek();
        let text = token.text;
        let name = match token.kind {
            Kind::Word => {
                let upper = text.to_ascii_uppercase();
                if is_reserved_word(&upper) {
                    return Err(self.error(&format!(
                        "Attribute name is a reserved keyword; reserved keyword: {text}"
                    )));
                }
                text.to_owned()
            }
            Kind::Name => self
                .placeholders
                .name(text)
                .map(str::to_owned)
                .ok_or_else(|| {
                    self.error(&format!(
                        "An expression attribute name used in the document path is not defined; attribute name: {text}"
                    ))
                })?,
            _ => return Err(self.syntax_error()),
        };
        self.advance();
        Ok(name)
    }

    fn check_overlap(&self, paths: &[&Path]) -> Result<(), AwsError> {
        for (index, one) in paths.iter().enumerate() {
            let others = paths.get(index + 1..).unwrap_or_default();
            if let Some(other) = others.iter().find(|other| one.overlaps(other)) {
                return Err(self.error(&format!(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; path \
                     one: {one}, path two: {other}"
                )));
            }
        }
        Ok(())
    }
}

/// The functions that are conditions, and `size`, each with the number of its operands.
const FUNCTIONS: [(&str, usize); 6] = [
    ("attribute_exists", 1),
    ("attribute_not_exists", 1),
    ("attribute_type", 2),
    ("begins_with", 2),
    ("contains", 2),
    ("size", 1),
];
