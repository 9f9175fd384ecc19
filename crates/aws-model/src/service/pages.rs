//! Pages: how the next one is asked for, and what they are together.

use serde_json::{Map, Value};

use super::Pages;
use crate::query::{Query, QueryError};

/// What comes after a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// It was the last one.
    Done,
    /// The input that asks for the next one.
    Page(Map<String, Value>),
    /// The service says that the next page begins where this one does, so there would be no end.
    Stuck,
}

impl Pages {
    /// What comes after the page that an input has brought.
    pub fn next(&self, input: &Map<String, Value>, output: &Value) -> Result<Next, QueryError> {
        if let Some(more) = self.more_results
            && Query::parse(more)?.find(output) != true
        {
            return Ok(Next::Done);
        }
        let mut next = input.clone();
        let mut any = false;
        for (name, token) in self.input_tokens.iter().zip(&self.output_tokens) {
            match Query::parse(token)?.find(output) {
                Value::Null => drop(next.shift_remove(*name)),
                Value::String(text) if text.is_empty() => drop(next.shift_remove(*name)),
                token => {
                    any = true;
                    next.insert((*name).to_owned(), token);
                }
            }
        }
        Ok(if !any {
            Next::Done
        } else if next == *input {
            Next::Stuck
        } else {
            Next::Page(next)
        })
    }

    /// What pages are together: their lists joined, their numbers added, the rest as the first page says it. The tokens are
    /// gone, since there is nothing more to ask for.
    pub fn join(&self, pages: &[Value]) -> Value {
        let Some((first, others)) = pages.split_first() else { return Value::Object(Map::new()) };
        let mut joined = first.clone();
        for key in &self.result_keys {
            let path: Vec<&str> = key.split('.').collect();
            for page in others {
                if let Some(more) = get(page, &path) {
                    add(&mut joined, &path, more);
                }
            }
        }
        if let Value::Object(map) = &mut joined {
            for token in self.output_tokens.iter().chain(&self.more_results) {
                map.shift_remove(*token);
            }
        }
        joined
    }
}

fn get<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

fn add(to: &mut Value, path: &[&str], more: &Value) {
    let mut place = to;
    for name in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[*name];
    }
    match (&mut *place, more) {
        (Value::Array(list), Value::Array(more)) => list.extend(more.iter().cloned()),
        (Value::Object(map), Value::Object(more)) => map.extend(more.clone()),
        (Value::Number(one), Value::Number(other)) => {
            let sum =
                one.as_i64().zip(other.as_i64()).and_then(|(one, other)| one.checked_add(other));
            if let Some(sum) = sum {
                *place = sum.into();
            }
        }
        (Value::Null, more) => *place = more.clone(),
        _ => {}
    }
}
