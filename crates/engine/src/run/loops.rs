//! `for_each`: what it goes over, and its rounds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use minijinja::value::{Enumerator, Object};
use serde_json::Value as Json;

use super::Engine;
use super::fault::{Fault, Stop};
use super::frame::{Frame, Place};
use super::step::Condition;
use crate::event::{Note, OnlyIf, Status, StepRef};
use language::diagnostic::Code;
use language::playbook::{ForEach, Step};
use language::template::{Evaluated, Namespace, Value, unknown};

/// What is longer tells nobody one item from another.
const LONGEST_ITEM: usize = 40;

/// What the rounds of a loop have in common.
struct Round<'a> {
    /// The entries of the journal that the list comes from.
    sources: BTreeSet<u64>,
    items: &'a [Evaluated],
    /// Whether the list is known.
    known: bool,
    /// Rounds that run at the same time do not see each other's steps.
    apart: bool,
}

/// A round: its own names, and what it came to.
type Rounds<'a> =
    Pin<Box<dyn Future<Output = Result<(Option<Frame<'a>>, Option<Namespace>), Stop>> + Send + 'a>>;

impl Engine {
    pub(super) async fn each(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        over: &ForEach,
        place: &Place,
        at: &StepRef,
    ) -> Result<(), Stop> {
        let items = match self.items(over, place) {
            Ok(items) => items,
            Err(fault) => return self.stop(at, place, fault.at(step.span)),
        };
        let (items, known) = match items {
            Some(items) => (items, true),
            None => (vec![Evaluated::open(unknown("item"))], false),
        };
        if !known && let ForEach::Expression(expression) = over {
            self.note(at, Note::ForEach { list: expression.source().to_owned() });
        }
        let references = match over {
            ForEach::Expression(expression) => expression.references().to_vec(),
            ForEach::List(list) => list.references(),
        };
        let around = Round {
            sources: frame.sources_of(&references),
            items: &items,
            known,
            apart: step.parallel.is_some(),
        };
        let at_once = self.at_once(step.parallel.map(Some), at);
        let start = |index: usize| self.round(frame, step, place, at, &around, index);
        let rounds = self.lanes(items.len(), at_once, start).await?;
        let mut all: Vec<Value> = Vec::new();
        for (own, outputs) in rounds {
            if let Some(own) = own {
                frame.take_in(&own);
            }
            all.extend(outputs.filter(|_| step.id.is_some()).map(|outputs| Value::from(&outputs)));
        }
        let outputs = Namespace::new();
        outputs.insert("items", if known { Value::from(all) } else { unknown(items_path(step)) });
        self.publish(frame, step, &outputs);
        Ok(())
    }

    /// One round of a loop: the names that its steps see, where nobody else does yet, and what it came to, where it ran.
    fn round<'a>(
        &'a self,
        frame: &'a Frame<'a>,
        step: &'a Step,
        place: &'a Place,
        at: &'a StepRef,
        around: &'a Round<'a>,
        index: usize,
    ) -> Rounds<'a> {
        Box::pin(async move {
            let own = around.apart.then(|| frame.aside());
            let mut place = place.clone();
            place.depends.extend(&around.sources);
            place.scope = place.scope.child();
            if let Some(own) = &own {
                place.scope.set("steps", &own.steps);
            }
            if let Some(item) = around.items.get(index) {
                place.scope.set_evaluated("item", item);
            }
            place.scope.set("loop", loop_facts(index, around.items.len(), around.known));
            let at = self.titled(
                step,
                &place,
                round_of(at, index, around.known, item_of(around.items.get(index))),
            );
            match self.condition(step.when_each.as_ref(), &place, &at) {
                Err(fault) => {
                    self.stop(&at, &place, fault.at(step.span))?;
                    return Ok((own, None));
                }
                Ok(Condition::Fails) => {
                    self.finish_step(&at, Instant::now(), Status::Skipped, Json::Null, None);
                    return Ok((own, None));
                }
                Ok(Condition::Holds) => {}
                Ok(Condition::NotKnown) => {
                    place.only_if.get_or_insert(OnlyIf::Condition);
                }
            }
            let outputs = self.once(own.as_ref().unwrap_or(frame), step, &place, &at).await?;
            Ok((own, Some(outputs)))
        })
    }

    /// What a loop goes over, if that is known.
    fn items(&self, over: &ForEach, place: &Place) -> Result<Option<Vec<Evaluated>>, Fault> {
        let (evaluated, span) = match over {
            ForEach::Expression(expression) => {
                let evaluated = self.evaluate(expression, &place.scope)?;
                if evaluated.unknown && language::template::is_unknown(&evaluated.value).is_some() {
                    return Ok(None);
                }
                (evaluated, expression.span())
            }
            ForEach::List(list) => (self.render(list, &place.scope)?, list.span()),
        };
        match evaluated.items() {
            Some(items) => Ok(Some(items)),
            None => Err(not_a_list(&format!("this is a {}", evaluated.value.kind())).at(span)),
        }
    }
}

/// A round of a step that loops; in a dry run that does not know how many there are, any of them. Its title is made anew.
fn round_of(at: &StepRef, index: usize, known: bool, item: Option<String>) -> StepRef {
    let mut round = at.clone();
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    round.rounds.push(known.then_some(number));
    if known {
        let _ = write!(round.number, "[{index}]");
    } else {
        round.number.push_str("[]");
    }
    round.title = round.id.clone().unwrap_or_else(|| round.kind.clone());
    if let Some(item) = item.filter(|_| known) {
        let _ = write!(round.title, " · {item}");
    }
    round
}

/// What a person tells an item from the others by, where that is short.
fn item_of(item: Option<&Evaluated>) -> Option<String> {
    let item = item?;
    let shown = match item.shown() {
        Json::Object(fields) => {
            ["name", "id", "key"].iter().find_map(|name| fields.get(*name).cloned())?
        }
        shown => shown,
    };
    let text = match shown {
        Json::String(text) => text,
        scalar @ (Json::Number(_) | Json::Bool(_)) => scalar.to_string(),
        _ => return None,
    };
    let is_short = !text.is_empty() && text.chars().count() <= LONGEST_ITEM && !text.contains('\n');
    is_short.then_some(text)
}

fn items_path(step: &Step) -> String {
    format!("steps.{}.items", step.id.as_deref().unwrap_or(step.kind()))
}

fn not_a_list(found: &str) -> Fault {
    Fault::new("TemplateError", Code::Template, format!("`for_each` goes over a list; {found}"))
        .help("write a list, or an expression that yields one")
}

/// `loop`, whose facts are made when somebody asks for them.
#[derive(Debug)]
struct Loop {
    index: usize,
    length: usize,
}

impl Object for Loop {
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match key {
            "index" => Some(Value::from(self.index + 1)),
            "index0" => Some(Value::from(self.index)),
            "first" => Some(Value::from(self.index == 0)),
            "last" => Some(Value::from(self.index + 1 == self.length)),
            "length" => Some(Value::from(self.length)),
            _ => None,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["index", "index0", "first", "last", "length"])
    }
}

fn loop_facts(index: usize, length: usize, known: bool) -> Value {
    if !known {
        return unknown("loop");
    }
    Value::from_object(Loop { index, length })
}
