//! Waiters: what an answer means to them.

use serde_json::Value;

use super::{Acceptor, Matcher, Waiter, WaiterState};
use crate::query::{Query, QueryError};
use crate::wire::Reply;

impl Waiter {
    /// What an answer means, by the first acceptor that holds; nothing where none does: an output then means waiting on, an
    /// error that waiting has failed.
    pub fn judge(&self, status: u16, reply: &Reply) -> Result<Option<WaiterState>, QueryError> {
        for acceptor in &self.acceptors {
            if acceptor.holds(status, reply)? {
                return Ok(Some(acceptor.state));
            }
        }
        Ok(None)
    }
}

impl Acceptor {
    fn holds(&self, status: u16, reply: &Reply) -> Result<bool, QueryError> {
        let output = match (self.matcher, reply) {
            (Matcher::Status, _) => return Ok(self.expected.as_u64() == Some(status.into())),
            (Matcher::Error, Reply::Failure(failure)) => {
                let codes = [Some(failure.code.as_str()), failure.modelled_code.as_deref()];
                return Ok(match &self.expected {
                    Value::Bool(any) => *any,
                    code => codes.contains(&code.as_str()),
                });
            }
            (Matcher::Error, Reply::Output(_)) => return Ok(self.expected == false),
            (_, Reply::Failure(_)) => return Ok(false),
            (_, Reply::Output(output)) => output,
        };
        let found = Query::parse(self.argument.unwrap_or("@"))?.find(output);
        Ok(match (self.matcher, found) {
            (Matcher::PathAll, Value::Array(found)) => {
                !found.is_empty() && found.iter().all(|one| *one == self.expected)
            }
            (Matcher::PathAny, Value::Array(found)) => found.contains(&self.expected),
            (Matcher::PathAll | Matcher::PathAny, _) => false,
            (_, found) => found == self.expected,
        })
    }
}
