//! The attributes that users can have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checks::{ATTRIBUTE, Checks};
use super::error::{invalid, not_authorized};
use super::settings::without_nulls;
use crate::protocol::AwsError;

const TYPES: [&str; 4] = ["String", "Number", "DateTime", "Boolean"];
const MOST_CUSTOM: usize = 50;
const LONGEST: &str = "2048";
/// Who may say that these are verified: the pool and its administrators, nobody else.
const VERIFICATIONS: [&str; 2] = ["email_verified", "phone_number_verified"];

/// An attribute of a request or of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NameValue {
    pub(super) name: String,
    #[serde(default)]
    pub(super) value: Option<String>,
}

/// The attributes of a request by name; the last one of a name counts.
pub(super) fn by_name(given: &[NameValue]) -> BTreeMap<String, String> {
    given
        .iter()
        .map(|one| (one.name.clone(), spelled(&one.name, one.value.clone().unwrap_or_default())))
        .collect()
}

/// A flag is kept as `true` or `false`, however it was written.
fn spelled(name: &str, value: String) -> String {
    let is_flag = VERIFICATIONS.contains(&name);
    match value.to_ascii_lowercase() {
        flag if is_flag && matches!(flag.as_str(), "true" | "false") => flag,
        _ => value,
    }
}

/// `SchemaAttributeType`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SchemaAttribute {
    name: Option<String>,
    attribute_data_type: Option<String>,
    developer_only_attribute: Option<bool>,
    mutable: Option<bool>,
    required: Option<bool>,
    number_attribute_constraints: Option<NumberConstraints>,
    string_attribute_constraints: Option<StringConstraints>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NumberConstraints {
    min_value: Option<String>,
    max_value: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StringConstraints {
    min_length: Option<String>,
    max_length: Option<String>,
}

/// Who sets attributes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// A person who signs up.
    SignUp,
    /// An administrator who creates a user, or a migration.
    Creation,
    /// A person who changes what was there.
    User,
    /// An administrator who does.
    Admin,
}

/// A pool's schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schema(Vec<SchemaAttribute>);

impl Schema {
    /// The standard attributes, with what the request says of them, and the request's own.
    pub(super) fn of_request(given: &[SchemaAttribute]) -> Result<Self, AwsError> {
        let mut attributes = standard();
        for attribute in given {
            let name = attribute.checked_name()?;
            if let Some(known) =
                attributes.iter_mut().find(|known| known.name.as_ref() == Some(&name))
            {
                known.refine(attribute)?;
            } else {
                attributes.push(attribute.clone().custom(&name)?);
            }
        }
        Ok(Self(attributes))
    }

    /// Adds attributes of a pool's own, for ever: no operation takes one away.
    pub(super) fn add(&mut self, given: &[SchemaAttribute]) -> Result<(), AwsError> {
        let mut all = self.0.clone();
        for attribute in given {
            let name = attribute.checked_name()?;
            let own = attribute.clone().custom(&name)?;
            let full = own.name.clone().unwrap_or_default();
            if all.iter().any(|known| known.name == own.name) {
                return Err(invalid(format!(
                    "custom:{name}: Existing attribute already has name {full}."
                )));
            }
            all.push(own);
        }
        if all.len() - standard().len() > MOST_CUSTOM {
            return Err(invalid(format!(
                "Number of custom attributes cannot be greater than {MOST_CUSTOM}."
            )));
        }
        self.0 = all;
        Ok(())
    }

    /// As `DescribeUserPool` shows it.
    pub(super) fn render(&self) -> Value {
        without_nulls(serde_json::to_value(&self.0).unwrap_or_default())
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&SchemaAttribute> {
        self.0.iter().find(|one| one.name.as_deref() == Some(name))
    }

    /// Checks attributes that somebody wants to set.
    pub(super) fn check(
        &self,
        given: &BTreeMap<String, String>,
        author: Author,
    ) -> Result<(), AwsError> {
        let by_person = matches!(author, Author::SignUp | Author::User);
        if by_person && VERIFICATIONS.iter().any(|name| given.contains_key(*name)) {
            return Err(not_authorized("A client attempted to write unauthorized attribute"));
        }
        if given.contains_key("sub") {
            return Err(invalid("Cannot modify the non-mutable attribute sub"));
        }
        let is_new = matches!(author, Author::SignUp | Author::Creation);
        let unknown = given.iter().filter_map(|(name, value)| {
            let problem = match self.find(name) {
                None => Some("Attribute does not exist in the schema.".to_owned()),
                Some(known) if !is_new && known.mutable == Some(false) => {
                    Some("Attribute cannot be updated.".to_owned())
                }
                Some(known) => known.problem(value),
            };
            problem.map(|problem| format!("{name}: {problem}\n"))
        });
        let missing = self.0.iter().filter_map(|known| {
            let name = known.name.as_deref()?;
            let is_missing = known.required == Some(true)
                && name != "sub"
                && given.get(name).is_none_or(String::is_empty);
            // An administrator may create users that lack what a person has to give.
            (author == Author::SignUp && is_missing)
                .then(|| format!("{name}: The attribute is required\n"))
        });
        let problems: String = unknown.chain(missing).collect();
        if !problems.is_empty() {
            return Err(invalid(format!("Attributes did not conform to the schema: {problems}")));
        }
        check_formats(given)
    }

    /// What a person still has to give who was created without it.
    pub(super) fn missing(&self, given: &BTreeMap<String, String>) -> Vec<String> {
        let names = self.0.iter().filter(|known| known.required == Some(true));
        names
            .filter_map(|known| known.name.clone())
            .filter(|name| name != "sub" && !given.contains_key(name))
            .collect()
    }
}

fn check_formats(given: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if given.get("email").is_some_and(|email| !email.is_empty() && !is_email(email)) {
        return Err(invalid("Invalid email address format."));
    }
    if given.get("phone_number").is_some_and(|phone| !phone.is_empty() && !is_phone(phone)) {
        return Err(invalid("Invalid phone number format."));
    }
    Ok(())
}

pub(super) fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty()
            && !host.is_empty()
            && !host.contains('@')
            && host.split('.').all(|label| !label.is_empty())
            && host.contains('.')
            && !text.chars().any(char::is_whitespace)
    })
}

pub(super) fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (1..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
    })
}

impl SchemaAttribute {
    /// The name, once the type and the bounds are known to be some.
    fn checked_name(&self) -> Result<String, AwsError> {
        let name = self.name.clone().unwrap_or_default();
        let data_type = self.attribute_data_type.as_deref();
        Checks::new()
            .one_of("schema.attributeDataType", data_type, &TYPES)
            .required("schema.name", self.name.as_deref(), &ATTRIBUTE)
            .finish()?;
        self.check_constraints(&name)?;
        Ok(name)
    }

    /// What a request may change about a standard attribute.
    fn refine(&mut self, given: &Self) -> Result<(), AwsError> {
        let changes_type = given.attribute_data_type.is_some()
            && given.attribute_data_type != self.attribute_data_type;
        if changes_type || given.developer_only_attribute == Some(true) {
            let name = self.name.as_deref().unwrap_or_default();
            return Err(invalid(format!(
                "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute {name}"
            )));
        }
        self.mutable = given.mutable.or(self.mutable);
        self.required = given.required.or(self.required);
        if given.string_attribute_constraints.is_some() {
            self.string_attribute_constraints.clone_from(&given.string_attribute_constraints);
        }
        if given.number_attribute_constraints.is_some() {
            self.number_attribute_constraints.clone_from(&given.number_attribute_constraints);
        }
        Ok(())
    }

    /// Refuses bounds that are none, or that leave nothing between them.
    fn check_constraints(&self, name: &str) -> Result<(), AwsError> {
        let read = |text: Option<&String>, kind: &str| {
            let number = text.map(|text| text.parse::<f64>()).transpose();
            number.map_err(|_| invalid(format!("Invalid {kind} for schema attribute {name}")))
        };
        let kind = self.attribute_data_type.as_deref();
        if let Some(bounds) = self
            .string_attribute_constraints
            .as_ref()
            .filter(|_| kind.is_none_or(|kind| kind == "String"))
        {
            let min = read(bounds.min_length.as_ref(), "StringAttributeConstraints")?;
            let max = read(bounds.max_length.as_ref(), "StringAttributeConstraints")?;
            if [min, max].into_iter().flatten().any(|bound| bound > 2048.0) {
                return Err(invalid(format!(
                    "user.{name}: String attributes cannot have a length of more than {LONGEST}"
                )));
            }
            if matches!((min, max), (Some(min), Some(max)) if max < min) {
                return Err(invalid(format!(
                    "user.{name}: Max length cannot be less than min length."
                )));
            }
        }
        if let Some(bounds) = self
            .number_attribute_constraints
            .as_ref()
            .filter(|_| kind.is_none_or(|kind| kind == "Number"))
        {
            let min = read(bounds.min_value.as_ref(), "NumberAttributeConstraints")?;
            let max = read(bounds.max_value.as_ref(), "NumberAttributeConstraints")?;
            if matches!((min, max), (Some(min), Some(max)) if max < min) {
                return Err(invalid(format!(
                    "user.{name}: Max value cannot be less than min value."
                )));
            }
        }
        Ok(())
    }

    fn custom(mut self, name: &str) -> Result<Self, AwsError> {
        if self.required == Some(true) {
            return Err(invalid("Required custom attributes are not supported currently."));
        }
        let developer_only = self.developer_only_attribute == Some(true);
        let prefix = if developer_only { "dev:custom" } else { "custom" };
        let data_type = self.attribute_data_type.as_deref().ok_or_else(|| {
            invalid("Invalid AttributeDataType input, consider using the provided AttributeDataType enum.")
        })?;
        // Constraints of another type than its own say nothing.
        let (string, number) = (data_type == "String", data_type == "Number");
        self.string_attribute_constraints =
            string.then(|| self.string_attribute_constraints.take().unwrap_or_default());
        self.number_attribute_constraints =
            number.then(|| self.number_attribute_constraints.take().unwrap_or_default());
        self.name = Some(format!("{prefix}:{name}"));
        self.developer_only_attribute = Some(developer_only);
        self.mutable = Some(self.mutable.unwrap_or(true));
        self.required = Some(false);
        Ok(self)
    }

    /// What is wrong with a value; an empty one always deletes.
    fn problem(&self, value: &str) -> Option<String> {
        if value.is_empty() {
            return None;
        }
        match self.attribute_data_type.as_deref() {
            Some("Number") => self.number_problem(value),
            Some("Boolean") => (!matches!(value, "true" | "false" | "True" | "False"))
                .then(|| "Invalid boolean value.".to_owned()),
            Some("DateTime") => None,
            _ => self.string_problem(value),
        }
    }

    fn number_problem(&self, value: &str) -> Option<String> {
        let Ok(number) = value.parse::<f64>() else {
            return Some("Invalid number value.".to_owned());
        };
        let constraints = self.number_attribute_constraints.as_ref()?;
        let bound =
            |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
        if bound(&constraints.min_value).is_some_and(|min| number < min) {
            Some("Number must be no less than its minimum.".to_owned())
        } else if bound(&constraints.max_value).is_some_and(|max| number > max) {
            Some("Number must be no greater than its maximum.".to_owned())
        } else {
            None
        }
    }

    fn string_problem(&self, value: &str) -> Option<String> {
        let length = value.chars().count();
        let constraints = self.string_attribute_constraints.as_ref();
        let bound = |text: Option<&Option<String>>| {
            text.and_then(Option::as_deref).and_then(|text| text.parse::<usize>().ok())
        };
        let min = bound(constraints.map(|constraints| &constraints.min_length)).unwrap_or(0);
        let max = bound(constraints.map(|constraints| &constraints.max_length)).unwrap_or(2048);
        if length < min {
            Some(format!("String must be at least {min} characters long"))
        } else if length > max {
            Some(format!("String must be no longer than {max} characters"))
        } else {
            None
        }
    }
}

fn standard() -> Vec<SchemaAttribute> {
    let attribute = |name: &str, data_type: &str| SchemaAttribute {
        name: Some(name.to_owned()),
        attribute_data_type: Some(data_type.to_owned()),
        developer_only_attribute: Some(false),
        mutable: Some(name != "sub"),
        required: Some(name == "sub"),
        ..SchemaAttribute::default()
    };
    let string = |name: &str, min: &str, max: &str| SchemaAttribute {
        string_attribute_constraints: Some(StringConstraints {
            min_length: Some(min.to_owned()),
            max_length: Some(max.to_owned()),
        }),
        ..attribute(name, "String")
    };
    let plain = |name: &&str| string(name, "0", LONGEST);
    let names = [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
    ];
    let mut all = vec![string("sub", "1", LONGEST)];
    all.extend(names.iter().map(plain));
    all.push(attribute("email_verified", "Boolean"));
    all.push(plain(&"gender"));
    all.push(string("birthdate", "10", "10"));
    all.extend(["zoneinfo", "locale", "phone_number"].iter().map(plain));
    all.push(attribute("phone_number_verified", "Boolean"));
    all.push(plain(&"address"));
    all.push(SchemaAttribute {
        number_attribute_constraints: Some(NumberConstraints {
            min_value: Some("0".to_owned()),
            max_value: None,
        }),
        ..attribute("updated_at", "Number")
    });
    all.push(SchemaAttribute {
        string_attribute_constraints: Some(StringConstraints::default()),
        ..attribute("identities", "String")
    });
    all
}
