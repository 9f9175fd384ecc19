//! How what an operation creates is tagged: where its input takes tags, and in which form.

use serde_json::{Map, Value, json};

use crate::service::{Operation, Service};
use crate::shape::{Kind, Member};

/// Where an input takes tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tagging {
    /// The member.
    pub member: &'static str,
    /// Its form.
    pub form: Form,
}

/// How tags are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A map: `{team: a}`.
    Map,
    /// A list of pairs: `[{Key: team, Value: a}]`.
    Pairs {
        /// What the key is called.
        key: &'static str,
        /// What the value is called.
        value: &'static str,
    },
    /// A list of lists of pairs, one for each type of thing that is made: `[{ResourceType: vpc, Tags: […]}]`.
    Specifications {
        /// The type that the operation makes.
        resource_type: &'static str,
    },
    /// A query: `team=a&stage=b`.
    Query,
}

const NAMES: &[&str] = &[
    "tags",
    "taglist",
    "tagslist",
    "tagset",
    "tagspecifications",
    "resourcetags",
    "hostedzonetags",
    "tagging",
];

/// Types of EC2's things that are called otherwise than the operations that make them.
const TYPES: &[(&str, &str)] = &[
    ("AllocateAddress", "elastic-ip"),
    ("AllocateHosts", "dedicated-host"),
    ("CopyImage", "image"),
    ("CopySnapshot", "snapshot"),
    ("CreateDefaultSubnet", "subnet"),
    ("CreateFlowLogs", "vpc-flow-log"),
    ("CreateVpcEndpointServiceConfiguration", "vpc-endpoint-service"),
    ("ImportKeyPair", "key-pair"),
    ("RequestSpotInstances", "spot-instances-request"),
    ("RunInstances", "instance"),
];

/// Where the input of an operation takes tags; nothing where it takes none.
pub fn tagging(service: &Service, operation: &Operation) -> Option<Tagging> {
    let made = operation.name.to_ascii_lowercase();
    let named = |member: &&Member| {
        let name = member.name.to_ascii_lowercase().replace(['-', '_'], "");
        // `CreateUserPool` takes `UserPoolTags`.
        let is_of_what_is_made =
            || name.strip_suffix("tags").is_some_and(|of| !of.is_empty() && made.ends_with(of));
        NAMES.contains(&name.as_str()) || is_of_what_is_made()
    };
    service.input_of(operation).iter().filter(named).find_map(|member| {
        let form = form_of(service, operation, member)?;
        Some(Tagging { member: member.name, form })
    })
}

fn form_of(service: &Service, operation: &Operation, member: &Member) -> Option<Form> {
    match &service.shape_of(member).kind {
        Kind::Map(parts) => {
            matches!(service.shape_of(&parts.1).kind, Kind::String).then_some(Form::Map)
        }
        Kind::List(of) => {
            let structure = service.structure_of(of)?;
            if let Some(types) = structure.member("ResourceType") {
                structure.member("Tags")?;
                let known = &service.shape_of(types).enumeration;
                let resource_type = resource_type(operation.name, known)?;
                return Some(Form::Specifications { resource_type });
            }
            let named = |names: &[&str]| {
                structure.members.iter().map(|member| member.name).find(|name| names.contains(name))
            };
            Some(Form::Pairs {
                key: named(&["Key", "key", "TagKey", "tagKey"])?,
                value: named(&["Value", "value", "TagValue", "tagValue"])?,
            })
        }
        Kind::String if member.traits.location.is_some() => Some(Form::Query),
        _ => None,
    }
}

/// The type of what an operation makes: its noun, as types are written.
fn resource_type(operation: &str, known: &[&'static str]) -> Option<&'static str> {
    let wanted = match TYPES.iter().find(|(name, _)| *name == operation) {
        Some((_, named)) => (*named).to_owned(),
        None => hyphenated(operation).split_once('-').map(|(_, noun)| noun.to_owned())?,
    };
    known.iter().copied().find(|name| *name == wanted)
}

/// `CreateVpcEndpoint` is `create-vpc-endpoint`.
fn hyphenated(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

impl Tagging {
    /// Adds a tag to an input. One of that key that is there already stays as it is; so does what is not written as tags are.
    pub fn add(&self, input: &mut Map<String, Value>, key: &str, value: &str) {
        let empty = match self.form {
            Form::Map => json!({}),
            Form::Pairs { .. } | Form::Specifications { .. } => json!([]),
            Form::Query => json!(""),
        };
        let tags = input.entry(self.member).or_insert(empty.clone());
        if tags.is_null() {
            *tags = empty;
        }
        match (self.form, tags) {
            (Form::Map, Value::Object(map)) => drop(map.entry(key).or_insert_with(|| json!(value))),
            (Form::Pairs { key: key_name, value: value_name }, Value::Array(pairs)) => {
                add_pair(pairs, key_name, value_name, key, value);
            }
            (Form::Specifications { resource_type }, Value::Array(specifications)) => {
                let same =
                    |specification: &&mut Value| specification["ResourceType"] == resource_type;
                if specifications.iter_mut().find(same).is_none() {
                    specifications.push(json!({"ResourceType": resource_type, "Tags": []}));
                }
                if let Some(Value::Array(pairs)) = specifications
                    .iter_mut()
                    .find(same)
                    .and_then(|specification| specification.get_mut("Tags"))
                {
                    add_pair(pairs, "Key", "Value", key, value);
                }
            }
            (Form::Query, Value::String(query)) => {
                let encoded = crate::wire::percent_encode(key);
                if !query.split('&').any(|pair| pair.split('=').next() == Some(encoded.as_str())) {
                    let and = if query.is_empty() { "" } else { "&" };
                    query.extend([and, &encoded, "=", &crate::wire::percent_encode(value)]);
                }
            }
            _ => {}
        }
    }
}

fn add_pair(pairs: &mut Vec<Value>, key_name: &str, value_name: &str, key: &str, value: &str) {
    if !pairs.iter().any(|pair| pair[key_name] == key) {
        pairs.push(json!({key_name: key, value_name: value}));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::tagging;
    use crate::{find, services};

    fn tagged(name: &str, input: Value) -> Value {
        let found = find(name).expect("it is there");
        let Value::Object(mut input) = input else { panic!("an input is a map") };
        tagging(found.service, found.operation).expect("it takes tags").add(&mut input, "run", "1");
        Value::Object(input)
    }

    #[test]
    fn tags_are_added_in_every_form() {
        assert_eq!(
            tagged("sqs:CreateQueue", json!({"QueueName": "q"})),
            json!({"QueueName": "q", "tags": {"run": "1"}})
        );
        assert_eq!(
            tagged("dynamodb:CreateTable", json!({"Tags": [{"Key": "a", "Value": "b"}]})),
            json!({"Tags": [{"Key": "a", "Value": "b"}, {"Key": "run", "Value": "1"}]})
        );
        assert_eq!(
            tagged("cognito-idp:CreateUserPool", json!({})),
            json!({"UserPoolTags": {"run": "1"}})
        );
        assert_eq!(
            tagged("kms:CreateKey", json!({})),
            json!({"Tags": [{"TagKey": "run", "TagValue": "1"}]})
        );
        assert_eq!(
            tagged("ecs:CreateCluster", json!({})),
            json!({"tags": [{"key": "run", "value": "1"}]})
        );
        assert_eq!(
            tagged("ec2:CreateVpc", json!({})),
            json!({"TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "run", "Value": "1"}]}]})
        );
        assert_eq!(
            tagged("s3:PutObject", json!({"Tagging": "a=b"})),
            json!({"Tagging": "a=b&run=1"})
        );
        assert_eq!(
            tagged("sqs:CreateQueue", json!({"tags": {"run": "mine"}})),
            json!({"tags": {"run": "mine"}})
        );
    }

    /// What is tagged is still an input.
    #[test]
    fn most_of_what_creates_takes_tags() {
        let mut known = 0;
        for entry in services() {
            let service = entry.service();
            for operation in
                service.operations.iter().filter(|operation| operation.name.starts_with("Create"))
            {
                let Some(tagging) = tagging(service, operation) else { continue };
                known += 1;
                let mut input = Map::new();
                tagging.add(&mut input, "run", "1");
                let problems = crate::validate::validate(service, operation, &Value::Object(input));
                let wrong = problems.iter().find(|problem| {
                    problem.at().starts_with(tagging.member)
                        && !matches!(problem.what, crate::validate::What::Pattern { .. })
                });
                assert!(wrong.is_none(), "{}:{}: {wrong:?}", service.name, operation.name);
            }
        }
        assert!(known > 1_000, "{known} take tags");
    }
}
