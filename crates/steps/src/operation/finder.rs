//! What a lost reply would have told: what the operation has made is looked for among all that is there, by its name, its tags
//! or the token of the request.

use serde_json::{Map, Value};

use engine::aws::model::{Effect, Found, Kind, Next, Operation, effect};
use engine::aws::model::{Filling, Root};
use engine::step::{Context, Owner, StepError};

use super::look::{Seen, call, is_gone, look, tag_in, tag_of};
use super::made::{Ids, Made, noun};

/// No more pages are looked through.
const MOST_PAGES: usize = 40;

/// Where in the output of an operation an id stands that only its reply tells.
struct Place {
    path: &'static str,
    /// The last step of the path.
    name: &'static str,
}

/// What a search has come to.
pub(super) enum Search {
    /// The run's: of each, the part of the output that taking it back needs.
    Found(Vec<Value>),
    /// All that there is was looked at, and nothing of it is the run's.
    Nothing,
    /// Nothing tells: there is no way to look, or something of that name is there and shows no tags.
    Unclear(String),
}

/// Looks for what the operation has made.
pub(super) async fn find(cx: &Context, found: &Found, made: &Made) -> Result<Search, StepError> {
    let no_way = || Search::Unclear(format!("nothing lists what {} makes", made.operation));
    let Some(place) = place(found) else { return Ok(no_way()) };
    let mut looked = false;
    for lister in listers(found) {
        let lister = Found { service: found.service, operation: lister };
        let Some(items) = items(cx, &lister, made, found, &place).await? else { continue };
        let mut ours = Vec::new();
        let mut doubtful = None;
        // An id that is known from elsewhere stands for itself alone.
        let known = made.known.get(place.name);
        for (id, item) in items.found {
            if known.is_some_and(|known| *known != id) {
                continue;
            }
            match is_ours(cx, found, made, (&place, &id), &item).await? {
                Some(true) => ours.push(at(place.path, id)),
                Some(false) => {}
                None => doubtful = Some(id),
            }
        }
        if !ours.is_empty() {
            return Ok(Search::Found(ours));
        }
        if let Some(id) = doubtful {
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            return Ok(Search::Unclear(format!("{id} has that name and shows no tags")));
        }
        looked |= items.are_all;
    }
    Ok(if looked { Search::Nothing } else { no_way() })
}

/// Whose something is that goes by its name, where no operation that takes the name shows its tags: as the operations show that
/// list its kind.
pub(super) async fn look_among_all(
    cx: &Context,
    found: &Found,
    made: &Made,
) -> Result<Seen, StepError> {
    let (Some(name), Some(undo)) = (made.name(found), &found.operation.undo) else {
        return Ok(Seen::Unseen);
    };
    let is_name = |member: &str| made.known.get(member).and_then(Value::as_str) == Some(name);
    let Some((member, _)) = undo.with.iter().find(|(member, _)| is_name(member)) else {
        return Ok(Seen::Unseen);
    };
    let place = Place { path: member, name: member };
    let mut looked = false;
    for lister in listers(found) {
        let lister = Found { service: found.service, operation: lister };
        let Some(items) = items(cx, &lister, made, found, &place).await? else { continue };
        let own = items.found.into_iter().find(|(id, _)| id.as_str() == Some(name));
        let Some((_, item)) = own else {
            looked |= items.are_all;
            continue;
        };
        if let Some(tag) = tag_in(&item) {
            return Ok(Seen::There(Owner::of(cx, Some(&tag))));
        }
        return Ok(match tag_of(cx, found, &item).await? {
            Some(owner) => Seen::There(owner),
            None => Seen::Unseen,
        });
    }
    Ok(if looked { Seen::Gone } else { Seen::Unseen })
}

/// What an operation lists.
struct Items {
    /// Each with its id.
    found: Vec<(Value, Value)>,
    /// Whether there are no more pages.
    are_all: bool,
}

/// The one id that taking it back takes from the output, where the input has none in its place.
fn place(found: &Found) -> Option<Place> {
    let undo = found.operation.undo.as_ref()?;
    let mut places = undo.with.iter().filter_map(|(_, filling)| match filling {
        Filling::From(places) if places.iter().all(|place| place.root == Root::Output) => {
            places.first()
        }
        _ => None,
    });
    let place = places.next().filter(|_| places.next().is_none())?;
    let name = place.path.rsplit('.').next()?;
    Some(Place { path: place.path, name })
}

/// The operations that list what the operation makes.
fn listers(found: &Found) -> impl Iterator<Item = &'static Operation> {
    let noun = noun(found.operation.name);
    let lists = move |operation: &&'static Operation| {
        let name = operation.name;
        effect(operation) == Effect::Reads
            && ["List", "Describe", "Get"].iter().any(|verb| {
                let rest = name.strip_prefix(verb).and_then(|rest| rest.strip_prefix(noun));
                rest.is_some_and(|rest| matches!(rest, "s" | "es" | "" | "V2"))
                    || name.strip_prefix(verb).is_some_and(|rest| {
                        noun.strip_suffix('y').is_some_and(|stem| rest == format!("{stem}ies"))
                    })
            })
    };
    found.service.operations.iter().filter(lists)
}

/// Every item that an operation lists; nothing where it asks for more than is known.
async fn items(
    cx: &Context,
    lister: &Found,
    made: &Made,
    found: &Found,
    place: &Place,
) -> Result<Option<Items>, StepError> {
    let mut input = Map::new();
    let members = lister.service.input_of(lister.operation);
    if let (Some(name), Some(prefix)) =
        (made.name(found), members.iter().find(|it| it.name.ends_with("NamePrefix")))
    {
        input.insert(prefix.name.to_owned(), Value::from(name));
    }
    for member in members.iter().filter(|it| it.required) {
        // Cognito's lists ask for the size of a page.
        match (&lister.service.shape_of(member).kind, made.known.get(member.name)) {
            (_, Some(value)) => drop(input.insert(member.name.to_owned(), value.clone())),
            (Kind::Integer, None) if member.name == "MaxResults" => {
                input.insert(member.name.to_owned(), Value::from(60));
            }
            _ => return Ok(None),
        }
    }
    let (mut listed, mut are_all) = (Vec::new(), false);
    for _ in 0..MOST_PAGES {
        let answer = match call(cx, lister, &Value::Object(input.clone())).await {
            Ok(answer) => answer,
            // What holds it is gone, and so is it.
            Err(error) if is_gone(&error) => {
                are_all = true;
                break;
            }
            Err(error) => return Err(error.into()),
        };
        collect(&answer, place, &mut listed);
        let next = lister.operation.pages.as_ref().map(|pages| pages.next(&input, &answer));
        match next {
            Some(Ok(Next::Page(next))) => input = next,
            None | Some(Ok(Next::Done)) => {
                are_all = true;
                break;
            }
            Some(Ok(Next::Stuck) | Err(_)) => break,
        }
    }
    Ok(Some(Items { found: listed, are_all }))
}

/// The items in an answer that have the id, or are it.
fn collect(answer: &Value, place: &Place, found: &mut Vec<(Value, Value)>) {
    let Some(map) = answer.as_object() else { return };
    for (name, value) in map {
        let Value::Array(items) = value else { continue };
        for item in items {
            match item {
                Value::Object(fields) => {
                    let own = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(place.name));
                    match own {
                        Some((_, id)) => found.push((id.clone(), item.clone())),
                        // Instances stand in reservations.
                        None => collect(item, place, found),
                    }
                }
                Value::String(_) if name.starts_with(place.name) => {
                    found.push((item.clone(), item.clone()));
                }
                _ => {}
            }
        }
    }
}

/// Whether an item is the run's; none where nothing tells.
async fn is_ours(
    cx: &Context,
    found: &Found,
    made: &Made,
    (place, id): (&Place, &Value),
    item: &Value,
) -> Result<Option<bool>, StepError> {
    if made.token.as_ref().is_some_and(|token| holds(item, token)) {
        return Ok(Some(true));
    }
    if let Some(tag) = tag_in(item) {
        return Ok(Some(tag == cx.run.id));
    }
    let is_named = made.name(found).is_some_and(|name| is_called(item, name));
    if !made.tagged {
        return Ok(if made.is_named_after(cx) {
            Some(is_named)
        } else {
            (!is_named).then_some(false)
        });
    }
    if made.name(found).is_some() && !is_named {
        return Ok(Some(false));
    }
    let mut facts = item.as_object().cloned().unwrap_or_default();
    facts.insert(place.name.to_owned(), id.clone());
    let owner = match tag_of(cx, found, &Value::Object(facts)).await? {
        Some(owner) => Some(owner),
        None => owner_of(cx, found, made, &at(place.path, id.clone())).await?,
    };
    Ok(match owner {
        Some(Owner::ThisRun) => Some(true),
        Some(Owner::AnotherRun(_) | Owner::Somebody) => Some(false),
        // Without a name, whatever shows no tags might be meant.
        _ if !is_named => Some(false),
        Some(Owner::Unknown) => None,
        // Nothing shows its tags: then the run's id in its name is what tells.
        None => made.is_named_after(cx).then_some(true),
    })
}

/// Whose something is of which the output is known in part: a list of Cognito's tells neither tags nor ARNs.
async fn owner_of(
    cx: &Context,
    found: &Found,
    made: &Made,
    output: &Value,
) -> Result<Option<Owner>, StepError> {
    let Some(undo) = &found.operation.undo else { return Ok(None) };
    let read = undo.read.as_ref().and_then(|read| read.input(&made.given(), Some(output)));
    let ids = Ids { read: read.map(Value::Object), ..Ids::default() };
    Ok(match look(cx, found, made, Some(&ids)).await? {
        Seen::There(owner) => Some(owner),
        // It has gone since it was listed.
        Seen::Gone => Some(Owner::Somebody),
        Seen::Unseen => None,
    })
}

/// Whether a text of an item is a name, or ends in one as ARNs and URLs do.
fn is_called(item: &Value, name: &str) -> bool {
    match item {
        Value::String(text) => {
            text == name || text.rsplit(['/', ':']).next().is_some_and(|last| last == name)
        }
        Value::Object(fields) => fields.values().any(|field| is_called(field, name)),
        _ => false,
    }
}

fn holds(item: &Value, text: &str) -> bool {
    match item {
        Value::String(own) => own == text,
        Value::Object(fields) => fields.values().any(|field| holds(field, text)),
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        _ => false,
    }
}

/// A value at a path of an output: `Instances[].InstanceId`.
pub(super) fn at(path: &str, value: Value) -> Value {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let inner = match rest {
        Some(rest) => at(rest, value),
        None => value,
    };
    let (name, inner) = match step.strip_suffix("[]").or_else(|| step.strip_suffix("[0]")) {
        Some(name) => (name, Value::Array(vec![inner])),
        None => (step, inner),
    };
    Value::Object([(name.to_owned(), inner)].into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_made_is_found_among_what_is_listed() {
        let found = crate::operation::found("sqs:CreateQueue").expect("it is there");
        let place = place(&found).expect("an id");
        let listers: Vec<&str> = listers(&found).map(|it| it.name).collect();
        assert_eq!(listers, ["ListQueues"]);
        let mut items = Vec::new();
        collect(
            &json!({"QueueUrls": ["https://q/1/jobs-k3f9", "https://q/1/jobs-k3f90"]}),
            &place,
            &mut items,
        );
        let ours: Vec<bool> = items.iter().map(|(_, item)| is_called(item, "jobs-k3f9")).collect();
        assert_eq!(ours, [true, false]);
    }

    #[test]
    fn a_path_becomes_a_part_of_an_output() {
        assert_eq!(at("Vpc.VpcId", json!("v")), json!({"Vpc": {"VpcId": "v"}}));
        assert_eq!(at("Instances[].Id", json!("i")), json!({"Instances": [{"Id": "i"}]}));
    }
}
