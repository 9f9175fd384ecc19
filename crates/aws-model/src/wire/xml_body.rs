//! XML bodies: a value as elements, and elements as a value.

use serde_json::{Map, Value};

use super::xml::Element;
use super::{WireError, Wired, kind_of, members_of, scalar};
use crate::service::Service;
use crate::shape::{Kind, Member, Structure, TimestampFormat};

/// What elements of a list are called where the model does not say.
const ELEMENT: &str = "member";

/// The element that a value is, into the element around it.
pub(crate) fn encode(
    service: &Service,
    member: &Member,
    value: &Value,
    name: &str,
    into: &mut Element,
) -> Wired<()> {
    match &service.shape_of(member).kind {
        Kind::Structure(structure) => {
            let mut element = spaced(member, name);
            encode_members(service, structure, members_of(value)?, &mut element, |_| true)?;
            into.children.push(element);
        }
        Kind::List(of) => encode_list(service, member, of, value, name, into)?,
        Kind::Map(parts) => encode_map(service, member, parts, value, name, into)?,
        _ => {
            let mut element = spaced(member, name);
            element.text = scalar::encode(service, member, value, TimestampFormat::Iso8601)?;
            into.children.push(element);
        }
    }
    Ok(())
}

fn spaced(member: &Member, name: &str) -> Element {
    let mut element = Element::new(name);
    if let Some(namespace) = member.traits.xml_namespace() {
        let attribute =
            namespace.prefix.map_or_else(|| "xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
        element.attributes.push((attribute, namespace.uri.to_owned()));
    }
    element
}

/// The members of a structure, those that belong here, as elements and attributes.
pub(crate) fn encode_members(
    service: &Service,
    structure: &Structure,
    value: &Map<String, Value>,
    into: &mut Element,
    belongs: impl Fn(&Member) -> bool,
) -> Wired<()> {
    for (name, value) in value {
        let member = structure
            .member(name)
            .ok_or_else(|| WireError::new("there is no such member").below(name))?;
        if value.is_null() || !belongs(member) {
            continue;
        }
        if member.traits.xml_attribute {
            let text = scalar::encode(service, member, value, TimestampFormat::Iso8601)
                .map_err(|error| error.below(name))?;
            into.attributes.push((member.wire_name().to_owned(), text));
        } else {
            let former =
                element_name(service, member).filter(|_| service.metadata.query_compatible);
            encode(service, member, value, former.unwrap_or(member.wire_name()), into)
                .map_err(|error| error.below(name))?;
        }
    }
    Ok(())
}

fn encode_list(
    service: &Service,
    member: &Member,
    of: &Member,
    value: &Value,
    name: &str,
    into: &mut Element,
) -> Wired<()> {
    let Value::Array(list) = value else {
        return Err(WireError::new(format!("expected a list, not {}", kind_of(value))));
    };
    if member.traits.flattened {
        let mut flat = spaced(member, name);
        for (place, item) in list.iter().enumerate() {
            encode(service, of, item, name, &mut flat).map_err(|error| error.at_index(place))?;
        }
        into.children.append(&mut flat.children);
        for (name, value) in flat.attributes {
            if !into.attributes.iter().any(|(own, _)| *own == name) {
                into.attributes.push((name, value));
            }
        }
        return Ok(());
    }
    let mut element = spaced(member, name);
    for (place, item) in list.iter().enumerate() {
        encode(service, of, item, of.traits.location_name.unwrap_or(ELEMENT), &mut element)
            .map_err(|error| error.at_index(place))?;
    }
    into.children.push(element);
    Ok(())
}

fn encode_map(
    service: &Service,
    member: &Member,
    parts: &(Member, Member),
    value: &Value,
    name: &str,
    into: &mut Element,
) -> Wired<()> {
    let entry_name = if member.traits.flattened { name } else { "entry" };
    let mut entries = Vec::new();
    for (key, item) in members_of(value)? {
        let mut entry = Element::new(entry_name);
        let (key_name, value_name) = entry_names(service, member, parts);
        encode(service, &parts.0, &Value::String(key.clone()), key_name, &mut entry)?;
        encode(service, &parts.1, item, value_name, &mut entry)
            .map_err(|error| error.below(key))?;
        entries.push(entry);
    }
    if member.traits.flattened {
        into.children.append(&mut entries);
    } else {
        let mut element = spaced(member, name);
        element.children = entries;
        into.children.push(element);
    }
    Ok(())
}

/// What a map calls the keys and the values of its entries.
pub(crate) fn entry_names(
    service: &Service,
    member: &Member,
    parts: &(Member, Member),
) -> (&'static str, &'static str) {
    if service.metadata.query_compatible && member.traits.flattened {
        let key = if member.name.eq_ignore_ascii_case("Tags") { "Key" } else { "Name" };
        return (key, "Value");
    }
    (parts.0.traits.location_name.unwrap_or("key"), parts.1.traits.location_name.unwrap_or("value"))
}

/// What the query protocol calls a list or a map of SQS, whose model has forgotten it: the name of one of its elements.
fn former_name(service: &Service, member: &Member) -> Option<&'static str> {
    let name = match member.name {
        "AWSAccountIds" => "AWSAccountId",
        "Actions" => "ActionName",
        "AttributeNames" => "AttributeName",
        "Attributes" => "Attribute",
        "BinaryListValues" => "BinaryListValue",
        "MessageAttributeNames" => "MessageAttributeName",
        "MessageAttributes" => "MessageAttribute",
        "MessageSystemAttributeNames" => "MessageSystemAttributeName",
        "MessageSystemAttributes" => "MessageSystemAttribute",
        "Messages" => "Message",
        "QueueUrls" | "queueUrls" => "QueueUrl",
        "StringListValues" => "StringListValue",
        "TagKeys" => "TagKey",
        "Tags" | "tags" => "Tag",
        // Entries of batches are called as their shapes are.
        _ => match &service.shape_of(member).kind {
            Kind::List(of) => service.shape_of(of).name,
            _ => return None,
        },
    };
    Some(name)
}

/// The value that elements of one name are: several where a list or map is flattened.
pub(crate) fn decode(service: &Service, member: &Member, elements: &[&Element]) -> Wired<Value> {
    let Some(first) = elements.first() else { return Ok(Value::Null) };
    match &service.shape_of(member).kind {
        Kind::Structure(structure) => {
            decode_members(service, structure, first, |_| true).map(Value::Object)
        }
        Kind::List(of) => {
            let items: Vec<&Element> = if member.traits.flattened {
                elements.to_vec()
            } else {
                first.children.iter().collect()
            };
            let items = items.iter().enumerate().map(|(place, item)| {
                decode(service, of, &[item]).map_err(|error| error.at_index(place))
            });
            items.collect::<Wired<_>>().map(Value::Array)
        }
        Kind::Map(parts) => {
            let entries: Vec<&Element> = if member.traits.flattened {
                elements.to_vec()
            } else {
                first.children.iter().collect()
            };
            let (key_name, value_name) = entry_names(service, member, parts);
            let mut map = Map::new();
            for entry in entries {
                let key = entry.child_text(key_name).ok_or_else(|| {
                    WireError::new(format!("there is no <{key_name}> in <{}>", entry.name))
                })?;
                let Some(value) = entry.child(value_name) else { continue };
                map.insert(
                    key.to_owned(),
                    decode(service, &parts.1, &[value]).map_err(|error| error.below(key))?,
                );
            }
            Ok(Value::Object(map))
        }
        _ => scalar::decode(service, member, &first.text),
    }
}

/// The members of a structure, those that belong here, that are in an element.
pub(crate) fn decode_members(
    service: &Service,
    structure: &Structure,
    element: &Element,
    belongs: impl Fn(&Member) -> bool,
) -> Wired<Map<String, Value>> {
    let mut decoded = Map::new();
    for member in structure.members.iter().filter(|member| belongs(member)) {
        let name = member.wire_name();
        if member.traits.xml_attribute {
            if let Some((_, text)) =
                element.attributes.iter().find(|(attribute, _)| attribute == name)
            {
                decoded.insert(
                    member.name.to_owned(),
                    scalar::decode(service, member, text)
                        .map_err(|error| error.below(member.name))?,
                );
            }
            continue;
        }
        let mut elements: Vec<&Element> =
            element.children.iter().filter(|child| child.name == name).collect();
        if let Some(other) = element_name(service, member).filter(|_| elements.is_empty()) {
            elements = element.children.iter().filter(|child| child.name == other).collect();
        }
        if !elements.is_empty() {
            decoded.insert(
                member.name.to_owned(),
                decode(service, member, &elements).map_err(|error| error.below(member.name))?,
            );
        }
    }
    Ok(decoded)
}

/// A flattened list may stand under the name of its elements, where it has none of its own.
pub(crate) fn element_name(service: &Service, member: &Member) -> Option<&'static str> {
    if service.metadata.query_compatible && member.traits.flattened {
        return former_name(service, member);
    }
    match &service.shape_of(member).kind {
        Kind::List(of) if member.traits.flattened && member.traits.location_name.is_none() => {
            of.traits.location_name
        }
        _ => None,
    }
}
