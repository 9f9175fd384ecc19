//! What runs have left, found by its tags alone: for whoever has no journal, as where a runner of a CI has died with its disk.
//!
//! | module | what it is |
//! |---|---|
//! | `types` | the types that can be told by their ARNs, and what takes each back |
//! | `iam` | roles, users and policies, of which the tagging API tells nothing |
//! | `parts` | what stands in what was found and bears no tag that the tagging API sees |
//! | `age` | when something was made |

mod age;
mod iam;
mod parts;
mod types;

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Value, json};

use engine::aws::{Aws, CallError};
use engine::journal::{Entry, EntryState};
use engine::step::{RunFacts, Seq};

use crate::operation;
use crate::resources::user_pool::TOKEN_KEY;
use types::{Given, Type, named};

/// How many looks are under way at once: enough to be quick, too few to be throttled.
const AT_ONCE: usize = 8;

/// Something that bears the tag of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Tagged {
    /// The run, as the tag says.
    pub run: String,
    /// Its ARN.
    pub arn: String,
    /// Its type, as journals have it; of a type that is not known here, what the ARN says.
    pub kind: String,
    /// The name that a person knows it by.
    pub name: String,
    /// When it was made or changed last, where AWS tells.
    pub at: Option<Timestamp>,
    /// Whether the playbook wants it to stay.
    pub kept: bool,
    /// What undoing it takes; nothing where it is of no known type.
    undo: Option<Value>,
    rank: usize,
}

impl Tagged {
    /// Whether there is a way to take it away.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.undo.is_some()
    }

    fn of(arn: &str, tags: &BTreeMap<String, String>) -> Option<Self> {
        let run = tags.get(RunFacts::TAG_KEY)?;
        let named = named(arn);
        let service = arn.split(':').nth(2).unwrap_or_default();
        let (kind, undo) = match named.of {
            Some(of) => (of.maker.kind().to_owned(), Some(of.maker.undo(&named.name))),
            None => {
                let prefix = named.name.trim_start_matches('/').split([':', '/']).next();
                (format!("{service}:{}", prefix.unwrap_or_default()), None)
            }
        };
        Some(Self {
            run: run.clone(),
            arn: arn.to_owned(),
            kind,
            name: named.name,
            at: None,
            kept: tags.contains_key(RunFacts::KEEP_KEY),
            undo,
            rank: named.rank,
        })
    }

    fn of_type(&self) -> Option<&'static Type> {
        types::TYPES.get(self.rank)
    }

    fn is(&self, service: &str, prefix: &str) -> bool {
        self.of_type().is_some_and(|of| of.is(service, prefix))
    }
}

/// What was found, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Search {
    /// What bears a run's tag, but for what goes with a stack.
    pub found: Vec<Tagged>,
    /// What may hold more, and why it could not be looked at.
    pub unseen: Vec<CallError>,
}

/// Looks for all that runs have left in the region of the client, and in IAM.
///
/// # Errors
/// [`CallError`] where the tagging API does not answer.
pub async fn find(aws: &Aws) -> Result<Search, CallError> {
    let mut found = Vec::new();
    let filter = json!([{"Key": RunFacts::TAG_KEY}]);
    let input = json!({"TagFilters": filter, "ResourcesPerPage": 100});
    for resource in
        all(aws, "resourcegroupstaggingapi:GetResources", input, "ResourceTagMappingList").await?
    {
        let arn = resource["ResourceARN"].as_str().unwrap_or_default();
        found.extend(Tagged::of(arn, &tags_in(&resource["Tags"])));
    }
    let mut unseen = Vec::new();
    let (tagged, failures) = iam::find(aws).await;
    unseen.extend(failures);
    found.extend(tagged);
    found.sort_by(|one, other| one.arn.cmp(&other.arn));
    found.dedup_by(|one, other| one.arn == other.arn);
    let (within, failures) = parts::of_stacks(aws, &found).await;
    unseen.extend(failures);
    found.retain(|one| one.is("cloudformation", "stack/") || !within.is_part(one));
    found.retain(|one| !within.is_nested(one));
    let looked = stream::iter(found).map(|one| looked_at(aws, one)).buffer_unordered(AT_ONCE);
    let mut found: Vec<Tagged> = looked.filter_map(std::future::ready).collect().await;
    found.sort_by(|one, other| (one.rank, &one.arn).cmp(&(other.rank, &other.arn)));
    Ok(Search { found, unseen })
}

/// The same, with what a look tells; nothing where it is gone, or as good as gone. The tagging API tells for a while of what
/// was there.
async fn looked_at(aws: &Aws, mut one: Tagged) -> Option<Tagged> {
    if one.is("sqs", "") {
        one.at = parts::queue_age(aws, &one.name).await;
        return Some(one);
    }
    let Some((operation, member, given)) = one.of_type().and_then(|of| of.look) else {
        return Some(one);
    };
    let input = match given {
        Given::Name => json!({member: one.name}),
        Given::Arn => json!({member: one.arn}),
        Given::Names => json!({member: [one.name]}),
        Given::Nothing => json!({}),
    };
    match call(aws, operation, &input).await {
        Ok(answer) => {
            if age::has_ended(&answer) {
                return None;
            }
            one.at = age::latest(&answer, [&one.name, &one.arn]);
            // A pool that a step of its own kind has made is told by its token.
            let tags = tags_in(&answer["UserPool"]["UserPoolTags"]);
            let name = answer["UserPool"]["Name"].as_str();
            if let (Some(token), Some(name)) = (tags.get(TOKEN_KEY), name) {
                "AWS::Cognito::UserPool".clone_into(&mut one.kind);
                one.undo = Some(json!({"pool_name": name, "token": token}));
                name.clone_into(&mut one.name);
            }
            Some(one)
        }
        Err(error) if operation::is_gone(&error) => None,
        // Whoever removes it says what is wrong.
        Err(_) => Some(one),
    }
}

/// The entries that a journal of one run would have, as far as what was found of it tells: what goes first has the highest number.
///
/// # Errors
/// [`CallError`] where what stands in what was found could not be looked at.
pub async fn entries(aws: &Aws, found: &[Tagged]) -> Result<Vec<Entry>, CallError> {
    let mut latest_first: Vec<(Entry, Option<&Tagged>)> = Vec::new();
    for one in found {
        let Some(undo) = &one.undo else { continue };
        for part in parts::inside(aws, one).await? {
            latest_first.push((entry(part.kind, &part.name, part.undo, part.ids), None));
        }
        latest_first.push((entry(one.kind.clone(), &one.name, undo.clone(), None), Some(one)));
    }
    let count = latest_first.len();
    let seq_of = |index: usize| Seq::try_from(count - index).unwrap_or_default();
    let depends: Vec<Vec<Seq>> = (latest_first.iter().enumerate())
        .map(|(index, (_, one))| {
            let after = latest_first.iter().enumerate().skip(index + 1);
            match one {
                Some(one) => after
                    .filter(|(_, (_, other))| other.is_some_and(|other| may_hold(one, other)))
                    .map(|(other, _)| seq_of(other))
                    .collect(),
                // A part belongs to what comes next.
                None => after
                    .take_while(|(at, _)| *at == index + 1 || latest_first[*at - 1].1.is_none())
                    .filter(|(_, (_, other))| other.is_some())
                    .map(|(other, _)| seq_of(other))
                    .collect(),
            }
        })
        .collect();
    let numbered = latest_first.into_iter().zip(depends).enumerate();
    let mut entries: Vec<Entry> = numbered
        .map(|(index, ((entry, _), depends))| Entry { seq: seq_of(index), depends, ..entry })
        .collect();
    entries.reverse();
    Ok(entries)
}

fn may_hold(one: &Tagged, other: &Tagged) -> bool {
    let (Some(of), Some(held)) = (one.of_type(), other.of_type()) else { return false };
    if !of.may_hold(held) {
        return false;
    }
    // Of log groups, a function has one.
    !held.is("logs", "log-group:") || other.name == format!("/aws/lambda/{}", one.name)
}

/// What is there, as tags say, with nothing known beside its name: undoing it looks whose it is.
fn entry(kind: String, name: &str, undo: Value, ids: Option<Value>) -> Entry {
    Entry {
        seq: 0,
        kind,
        name: name.to_owned(),
        step: "cleanup".to_owned(),
        number: String::new(),
        undoing: false,
        undo,
        depends: Vec::new(),
        keep: false,
        at: None,
        beside: None,
        under_way: None,
        ids,
        state: EntryState::Done,
    }
}

/// A call that only looks.
async fn call(aws: &Aws, operation: &str, input: &Value) -> Result<Value, CallError> {
    operation::look_with(aws, operation, input).await
}

/// Every item of a list, however many pages it has.
async fn all(
    aws: &Aws,
    operation: &str,
    input: Value,
    list: &str,
) -> Result<Vec<Value>, CallError> {
    let mut items = Vec::new();
    let mut input = input;
    loop {
        let answer = call(aws, operation, &input).await?;
        items.extend(answer[list].as_array().cloned().unwrap_or_default());
        match operation::next_page(operation, &input, &answer) {
            Some(next) => input = next,
            None => return Ok(items),
        }
    }
}

/// Tags, in whichever form an answer has them.
fn tags_in(value: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Object(map) => {
            map.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
        }
        Value::Array(pairs) => {
            let pairs = pairs.iter();
            pairs.filter_map(|pair| Some((text(&pair["Key"])?, text(&pair["Value"])?))).collect()
        }
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests;
