//! A call of an operation: its input made ready, what it makes written down before, its answer.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use engine::aws::CallError;
use engine::aws::model::wire::Call;
use engine::aws::model::{self, Found, Next, tags};
use engine::aws::model::{Filling, Root};
use engine::aws::operation::OperationCall;
use engine::language::playbook::Pages;
use engine::language::spec::OperationEffect;
use engine::step::{Context, Entry, OperationKeys, Owner, StepError};

use super::description;
use super::finder;
use super::found;
use super::look::{self, Seen, is_taken};
use super::made::{Ids, Made};
use super::members::{self, Prepared};
use super::waiting;
use crate::resources::ownership::run_tags;

/// A step under way.
struct Step<'c> {
    cx: &'c Context,
    found: Found,
    keys: &'c OperationKeys,
    input: Map<String, Value>,
    shown: Map<String, Value>,
    tagged: bool,
    token: Option<String>,
}

pub(super) async fn run(cx: Context, written: Value) -> Result<Value, StepError> {
    let (Some(found), Some(spec)) = (found(&cx.kind), description::spec(&cx.kind)) else {
        return Err(StepError::failed("UnknownKind", format!("there is no operation {}", cx.kind)));
    };
    let Prepared { input, shown } = members::prepared(&cx, &found, written).await?;
    let none = OperationKeys::default();
    let keys = cx.keys.as_deref().unwrap_or(&none);
    let effect = spec.operation.as_ref().map_or(OperationEffect::Nothing, |it| it.effect);
    let mut step = Step { cx: &cx, found, keys, input, shown, tagged: false, token: None };
    step.fill_token();
    let output = match effect {
        OperationEffect::Nothing => step.read().await?,
        OperationEffect::Creates | OperationEffect::Changes => {
            step.changing(effect == OperationEffect::Creates, spec.name).await?
        }
    };
    if let Some(wait) = &keys.wait {
        let input = wait.input.as_ref().map(|input| input.render(Some(&output))).transpose()?;
        let given = Value::Object(step.input.clone());
        let facts = [&given, &output];
        waiting::wait(&cx, &found, &wait.name, input.as_ref(), &facts).await?;
    }
    Ok(members::readable(&found, output))
}

impl Step<'_> {
    /// Sets the token that makes a repeated call harmless, where the playbook has set none.
    fn fill_token(&mut self) {
        let call = Call::new(self.found.service, self.found.operation);
        let mut token = None;
        let names = call.fill_tokens(&mut self.input, || {
            token.get_or_insert_with(|| fresh_token(self.cx)).clone()
        });
        for name in names {
            if let Some(value) = self.input.get(name) {
                self.shown.insert(name.to_owned(), value.clone());
            }
        }
        self.token = token;
    }

    /// Adds the run's tag, where the input takes tags.
    fn add_tag(&mut self) {
        let Found { service, operation } = self.found;
        // A parameter that is overwritten takes no tags.
        if self.input.get("Overwrite") == Some(&Value::Bool(true)) {
            return;
        }
        if let Some(tagging) = tags::tagging(service, operation) {
            for (key, value) in run_tags(self.cx) {
                tagging.add(&mut self.input, &key, &value);
                tagging.add(&mut self.shown, &key, &value);
            }
            self.tagged = true;
        }
    }

    async fn call(&self, input: &Value, once: bool) -> Result<Value, CallError> {
        let shown = Value::Object(self.shown.clone());
        let call = OperationCall { found: self.found, input, shown: Some(&shown), once };
        self.cx.aws.operation(call, || self.placeholder()).await
    }

    /// What stands for the answer in a dry run: the ids that taking it back needs, as far as they are not known yet.
    fn placeholder(&self) -> Value {
        let mut output = Map::new();
        let undo = self.found.operation.undo.as_ref();
        let read = undo.and_then(|undo| undo.read.as_ref());
        let fillings = undo
            .into_iter()
            .flat_map(|undo| &undo.with)
            .chain(read.into_iter().flat_map(|read| &read.with));
        for (_, filling) in fillings {
            let Filling::From(places) = filling else { continue };
            for place in places.iter().filter(|place| place.root == Root::Output) {
                let plain = place.path.replace("[]", "[0]");
                merge(&mut output, finder::at(place.path, Value::from(self.cx.later(&plain))));
            }
        }
        Value::Object(output)
    }

    /// A call of which nothing stays, in as many pages as are wanted.
    async fn read(&mut self) -> Result<Value, StepError> {
        let (Some(pages), Some(wanted)) = (&self.found.operation.pages, self.keys.pages) else {
            return Ok(self.call(&Value::Object(self.input.clone()), false).await?);
        };
        let most = match wanted {
            Pages::All => u32::MAX,
            Pages::Most(most) => most,
        };
        let mut found = Vec::new();
        let mut input = self.input.clone();
        for _ in 0..most {
            let page = self.call(&Value::Object(input.clone()), false).await?;
            let next = pages.next(&input, &page);
            found.push(page);
            match next.map_err(|error| StepError::failed("InvalidOutput", error.to_string()))? {
                Next::Done => break,
                Next::Stuck => {
                    let message = "the next page begins where this one does, so there is no end";
                    return Err(StepError::failed("EndlessPages", message));
                }
                Next::Page(next) => input = next,
            }
            if self.cx.interrupt.requested() {
                return Err(StepError::Interrupted);
            }
        }
        Ok(pages.join(&found))
    }

    /// A call that makes or changes something.
    async fn changing(&mut self, creates: bool, kind: &'static str) -> Result<Value, StepError> {
        let undo = self.found.operation.undo.as_ref();
        if undo.is_none() && self.keys.undo.is_none() {
            return self.taking_away().await;
        }
        let is_upsert = undo.is_some_and(|undo| undo.upsert);
        if creates || is_upsert {
            self.add_tag();
        }
        let token = self.token.clone();
        let made = Made::of(self.cx, &self.found, &self.input, (self.tagged, token))?;
        let looks = self.keys.undo.is_none() && !self.keys.keep;
        if is_upsert && looks && self.was_there(&made).await? {
            return Err(self.there_already(&made));
        }
        let entry = self.cx.intend_as(
            kind,
            &made.label(&self.found),
            serde_json::to_value(&made).unwrap_or_default(),
        )?;
        // Sent again, it might make another one, of which nobody learns the id: a name need not be unique.
        let once = creates && made.is_another_each_time(&self.found);
        let input = Value::Object(self.input.clone());
        match self.call(&input, once).await {
            Ok(output) => self.made(&made, entry, output, creates).await,
            Err(error) if creates && is_taken(&error) => self.taken(&made, entry, error).await,
            Err(error) => Err(entry.error(error)),
        }
    }

    /// The answer says success: whether it proves that the run has made something.
    async fn made(
        &self,
        made: &Made,
        entry: Entry,
        output: Value,
        creates: bool,
    ) -> Result<Value, StepError> {
        let ids = match Ids::of(self.cx, &self.found, &self.input, &output) {
            Ok(ids) => ids,
            Err(error) => return Err(entry.unsure(error)),
        };
        let proves = !creates
            || self.cx.presumes()
            || !made.may_be_there_before()
            || !made.tagged && made.is_named_after(self.cx);
        if !proves && self.keys.undo.is_none() && !self.keys.keep {
            let seen = look::look(self.cx, &self.found, made, Some(&ids)).await;
            let owner = match seen {
                Ok(Seen::There(owner)) => owner,
                Ok(Seen::Gone | Seen::Unseen) => Owner::Unknown,
                Err(error) => return Err(entry.unsure(error)),
            };
            match owner {
                Owner::ThisRun => {}
                Owner::Unknown if made.is_named_after(self.cx) => {}
                Owner::Unknown => {
                    return Err(entry.unsure(StepError::Failed {
                        code: "Unproven".to_owned(),
                        message: format!(
                            "{} says that it succeeded, which it also does where {} was there before",
                            made.operation,
                            made.label(&self.found)
                        ),
                        help: Some("choose a name with `{{ run.id }}` in it".to_owned()),
                        details: Vec::new(),
                    }));
                }
                Owner::AnotherRun(_) | Owner::Somebody => {
                    entry.refused("AlreadyExists")?;
                    return Err(self.there_already(made));
                }
            }
        }
        entry.done(&ids)?;
        Ok(output)
    }

    /// There is something of that name: perhaps the run's own, whose reply was lost.
    async fn taken(
        &self,
        made: &Made,
        entry: Entry,
        refusal: CallError,
    ) -> Result<Value, StepError> {
        let code = refusal.code.clone().unwrap_or_default();
        let seen = look::look(self.cx, &self.found, made, None).await;
        // The request may have arrived twice, so that its own work stands in its way.
        let Ok(Seen::There(owner)) = seen else { return Err(entry.unsure(refusal)) };
        match owner {
            Owner::AnotherRun(_) | Owner::Somebody => {
                entry.refused(&code)?;
                Err(refusal.into())
            }
            _ => Err(entry.unsure(refusal)),
        }
    }

    /// A call that takes something away, or changes it for good.
    async fn taking_away(&self) -> Result<Value, StepError> {
        let input = Value::Object(self.input.clone());
        let own = self.own_entries(&input);
        if own.is_empty() && !self.keys.keep && !self.cx.presumes() {
            return Err(StepError::Failed {
                code: "NotOurs".to_owned(),
                message: format!("this run did not make what {} takes away", self.cx.kind),
                help: Some("write `keep: true` where it may be lost".to_owned()),
                details: Vec::new(),
            });
        }
        let output = self.call(&input, false).await?;
        for seq in own {
            self.cx.ledger.settled(seq)?;
        }
        Ok(output)
    }

    /// The entries of the journal that this call takes back.
    fn own_entries(&self, input: &Value) -> Vec<u64> {
        let Found { service, operation } = self.found;
        let takes_back = |maker: &&model::Operation| {
            maker.undo.as_ref().is_some_and(|undo| undo.operation == operation.name)
        };
        let mut own = Vec::new();
        for maker in service.operations.iter().filter(takes_back) {
            let name = format!("{}:{}", service.name, maker.name);
            let Some(spec) = description::spec(&name) else { continue };
            for (seq, made) in self.cx.ledger.open(spec.name) {
                let ids = self.cx.ledger.ids(seq).and_then(|ids| ids.get("undo").cloned());
                let before = || {
                    let known = made.get("known")?;
                    maker.undo.as_ref()?.input(known, None).map(Value::Object)
                };
                if ids.or_else(before).is_some_and(|undo| is_within(input, &undo)) {
                    own.push(seq);
                }
            }
        }
        own
    }

    /// Whether what a call would overwrite is there.
    async fn was_there(&self, made: &Made) -> Result<bool, StepError> {
        match look::look(self.cx, &self.found, made, None).await? {
            Seen::There(owner) => Ok(!(owner.is_this_run() || self.cx.presumes())),
            Seen::Gone => Ok(false),
            Seen::Unseen if made.is_named_after(self.cx) || self.cx.presumes() => Ok(false),
            Seen::Unseen => Err(StepError::Failed {
                code: "Unproven".to_owned(),
                message: format!(
                    "nothing tells whether what {} makes was there before",
                    made.operation
                ),
                help: Some(
                    "say what takes it back: `undo: {…}`, or write `keep: true` where it may stay"
                        .to_owned(),
                ),
                details: Vec::new(),
            }),
        }
    }

    fn there_already(&self, made: &Made) -> StepError {
        StepError::Failed {
            code: "AlreadyExists".to_owned(),
            message: format!("{} is there already", made.label(&self.found)),
            help: Some(
                "choose another name, such as one with `{{ run.id }}` in it; what is there was not touched"
                    .to_owned(),
            ),
            details: Vec::new(),
        }
    }
}

/// Whether a call names what another one would: every member that both have is the same.
fn is_within(input: &Value, undo: &Value) -> bool {
    let (Some(input), Some(undo)) = (input.as_object(), undo.as_object()) else { return false };
    let mut common = undo.iter().filter_map(|(name, value)| Some((input.get(name)?, value)));
    input.keys().any(|name| undo.contains_key(name)) && common.all(|(one, other)| one == other)
}

/// Puts what a value has into a map, level by level.
fn merge(into: &mut Map<String, Value>, value: Value) {
    let Value::Object(map) = value else { return };
    for (name, value) in map {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(own)), value @ Value::Object(_)) => merge(own, value),
            (Some(Value::Array(own)), Value::Array(mut items)) => {
                if let (Some(Value::Object(first)), Some(item)) = (own.first_mut(), items.pop()) {
                    merge(first, item);
                }
            }
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

/// A token as AWS takes them everywhere: 36 characters, those of a UUID. The plan of a run has the same each time.
fn fresh_token(cx: &Context) -> String {
    use sha2::Digest as _;
    let nonce = if cx.presumes() { 0 } else { jiff::Timestamp::now().as_nanosecond() };
    let text = format!("{}/{}/{nonce}", cx.run.id, cx.step);
    let digest = sha2::Sha256::digest(text.as_bytes());
    let mut hex = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    // Version 4, as services check.
    format!("{}-{}-4{}-a{}-{}", &hex[0..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
