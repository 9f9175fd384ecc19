//! Step kinds that make, adopt, change and delete things of the account, as the real ones do.

use std::sync::{Arc, OnceLock};

use aws::Outcome;
use engine::step::kind::spec_of;
use engine::step::{Context, Kind, Kinds, Nothing, Resource, Spec, StepError, StepKind, Undone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::Account;

fn account(cx: &Context) -> Arc<Account> {
    Account::of(&cx.run.id)
}

/// What to do when it is there already.
#[derive(Deserialize, JsonSchema, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum IfExists {
    /// Fail.
    #[default]
    Fail,
    /// Use it, and leave it there.
    Adopt,
}

/// Makes a thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeInput {
    /// Its name.
    name: String,
    /// What to do when it is there already.
    #[serde(default)]
    if_exists: IfExists,
}

/// What it is known by.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// Its name.
    name: String,
}

/// A thing that the run made.
#[derive(Serialize, Deserialize)]
pub struct Thing {
    name: String,
}

/// What tells it from a later one of the same name.
#[derive(Serialize, Deserialize)]
pub struct ThingIds {
    id: u64,
}

struct MakeThing;

impl StepKind for MakeThing {
    const NAME: &'static str = "make-thing";
    const CALLS: &'static [&'static str] = &["fake:Create"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "- make-thing: {name: a}\n";

    type Input = MakeInput;
    type Output = Output;
    type Created = Thing;

    async fn run(cx: Context, input: MakeInput) -> Result<Output, StepError> {
        let name = input.name;
        let entry = cx.intend(&Thing { name: name.clone() })?;
        let error = match account(&cx).create(&name, &cx.run.id).await {
            Ok(id) => {
                entry.done(&ThingIds { id })?;
                return Ok(Output { name });
            }
            Err(error) if error.is("AlreadyExists") => error,
            Err(error) => return Err(entry.error(error)),
        };
        let made_before = cx.made_before(&entry, |other: &Thing| other.name == name);
        match account(&cx).get(&name).await {
            Ok(Some(item)) if item.owner == cx.run.id && !made_before => {
                entry.done(&ThingIds { id: item.id })?;
                Ok(Output { name })
            }
            Ok(Some(_)) if input.if_exists == IfExists::Adopt => {
                // What a lost reply leaves open stays open.
                let _ = entry.error(error);
                Ok(Output { name })
            }
            Ok(_) | Err(_) => Err(entry.error(error)),
        }
    }
}

impl Resource for Thing {
    const TYPE: &'static str = "Fake::Thing";
    type Ids = ThingIds;

    fn label(&self) -> String {
        self.name.clone()
    }

    async fn undo(self, cx: Context, ids: Option<ThingIds>) -> Result<Undone, StepError> {
        let Some(item) = account(&cx).get(&self.name).await? else {
            return Ok(Undone::AlreadyGone);
        };
        let not_ours = || Undone::NotOurs { reason: "somebody else made it".to_owned() };
        match ids {
            Some(ids) if ids.id == item.id => {}
            Some(_) => return Ok(not_ours()),
            None if item.owner == cx.run.id => {}
            None if item.owner.is_empty() => {
                return Ok(Undone::Unproven { reason: "it has no tag".to_owned() });
            }
            None => return Ok(not_ours()),
        }
        match account(&cx).delete(&self.name).await {
            Ok(()) => Ok(Undone::Deleted),
            Err(error) if error.is("NotFound") => Ok(Undone::AlreadyGone),
            Err(error) => Err(error.into()),
        }
    }
}

/// Changes a thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetInput {
    /// Its name.
    name: String,
    /// What it is to be.
    value: u64,
}

/// A change, and what was there before.
#[derive(Serialize, Deserialize)]
pub struct Setting {
    name: String,
    id: u64,
    before: u64,
    after: u64,
}

struct SetThing;

impl StepKind for SetThing {
    const NAME: &'static str = "set-thing";
    const CALLS: &'static [&'static str] = &["fake:Get", "fake:Put"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "- set-thing: {name: a, value: 1}\n";

    type Input = SetInput;
    type Output = Output;
    type Created = Setting;

    async fn run(cx: Context, SetInput { name, value }: SetInput) -> Result<Output, StepError> {
        let missing = || StepError::failed("NotFound", format!("there is no {name}"));
        let item = account(&cx).get(&name).await?.ok_or_else(missing)?;
        let setting = Setting { name: name.clone(), id: item.id, before: item.value, after: value };
        let entry = cx.intend(&setting)?;
        match account(&cx).put(&name, value).await {
            Ok(()) => entry.done(&())?,
            Err(error) => return Err(entry.error(error)),
        }
        Ok(Output { name })
    }
}

impl Resource for Setting {
    const TYPE: &'static str = "Fake::Setting";
    type Ids = ();

    fn label(&self) -> String {
        self.name.clone()
    }

    async fn undo(self, cx: Context, _ids: Option<()>) -> Result<Undone, StepError> {
        let Some(item) = account(&cx).get(&self.name).await?.filter(|item| item.id == self.id)
        else {
            return Ok(Undone::AlreadyGone);
        };
        if item.value == self.before {
            return Ok(Undone::AlreadyGone);
        }
        if item.value != self.after {
            return Ok(Undone::Changed { reason: "somebody changed it since".to_owned() });
        }
        account(&cx).put(&self.name, self.before).await?;
        Ok(Undone::Restored)
    }
}

/// Deletes a thing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveInput {
    /// Its name.
    name: String,
}

struct RemoveThing;

impl StepKind for RemoveThing {
    const NAME: &'static str = "remove-thing";
    const CALLS: &'static [&'static str] = &["fake:Delete"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "- remove-thing: {name: a}\n";

    type Input = RemoveInput;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, RemoveInput { name }: RemoveInput) -> Result<Output, StepError> {
        match account(&cx).delete(&name).await {
            Ok(()) => {}
            Err(error) if error.is("NotFound") && error.outcome == Outcome::Unknown => {}
            Err(error) => return Err(error.into()),
        }
        cx.settle(|thing: &Thing| thing.name == name)?;
        Ok(Output { name })
    }
}

fn make_spec() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    spec_of::<MakeThing>(&SPEC)
}

fn set_spec() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    spec_of::<SetThing>(&SPEC)
}

fn remove_spec() -> &'static Spec {
    static SPEC: OnceLock<Spec> = OnceLock::new();
    spec_of::<RemoveThing>(&SPEC)
}

static KINDS: [Kind; 3] = [
    Kind::of::<MakeThing>(make_spec),
    Kind::of::<SetThing>(set_spec),
    Kind::of::<RemoveThing>(remove_spec),
];

pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

pub fn maker_of(resource: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| !kind.makes.is_empty() && kind.makes == resource)
}

/// The kinds, as readers of playbooks see them.
pub struct Fakes;

impl Kinds for Fakes {
    fn names(&self) -> Vec<&'static str> {
        KINDS.iter().map(|kind| kind.name).collect()
    }

    fn spec(&self, name: &str) -> Option<&'static Spec> {
        kind(name).map(|kind| (kind.spec)())
    }
}
