//! The actions of update expressions.

use super::Parser;
use crate::dynamodb::expression::lexer::Kind;
use crate::dynamodb::expression::update::{Action, Source};
use crate::dynamodb::value::AttributeValue;
use crate::protocol::AwsError;

impl Parser<'_> {
    pub(super) fn action(&mut self, section: &str) -> Result<Action, AwsError> {
        let path = self.path()?;
        match section {
            "SET" => {
                self.expect("=")?;
                Ok(Action::Set(path, self.source()?))
            }
            "REMOVE" => Ok(Action::Remove(path)),
            _ => {
                let value = self.value()?;
                self.check_change(section, &value)?;
                if section == "ADD" {
                    Ok(Action::Add(path, value))
                } else {
                    Ok(Action::Delete(path, value))
                }
            }
        }
    }

    fn check_change(&self, section: &str, value: &AttributeValue) -> Result<(), AwsError> {
        let fits = match value {
            AttributeValue::StringSet(_)
            | AttributeValue::NumberSet(_)
            | AttributeValue::BinarySet(_) => true,
            AttributeValue::Number(_) => section == "ADD",
            _ => false,
        };
        if fits {
            return Ok(());
        }
        Err(self.error(&format!(
            "Incorrect operand type for operator or function; operator: {section}, operand type: {}, typeset: \
             ALLOWED_FOR_{section}_OPERAND",
            value.operand_type()
        )))
    }

    fn source(&mut self) -> Result<Source, AwsError> {
        let left = self.source_operand()?;
        if self.take("+") {
            let right = self.source_operand()?;
            return Ok(Source::Sum(Box::new(left), Box::new(right)));
        }
        if self.take("-") {
            let right = self.source_operand()?;
            return Ok(Source::Difference(Box::new(left), Box::new(right)));
        }
        Ok(left)
    }

    fn source_operand(&mut self) -> Result<Source, AwsError> {
        if self.take("(") {
            let inner = self.nested(Self::source)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.peek().kind == Kind::Value {
            return self.value().map(Source::Value);
        }
        if !self.is_call() {
            return self.path().map(Source::Path);
        }
        let name = self.peek().text;
        self.advance();
        self.advance();
        let source = match name {
            "if_not_exists" => {
                let path = self.path()?;
                self.expect(",")?;
                let other = self.nested(Self::source_operand)?;
                Source::IfNotExists(path, Box::new(other))
            }
            "list_append" => {
                let left = self.nested(Self::source_operand)?;
                self.expect(",")?;
                let right = self.nested(Self::source_operand)?;
                Source::ListAppend(Box::new(left), Box::new(right))
            }
            other => {
                return Err(self.error(&format!("Invalid function name; function: {other}")));
            }
        };
        self.expect(")")?;
        Ok(source)
    }
}
