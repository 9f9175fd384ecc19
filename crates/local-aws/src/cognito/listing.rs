//! `ListUsers`: filters and pages.

use serde::Deserialize;
use serde_json::json;

use super::checks::{Checks, FILTER, POOL_ID};
use super::error::invalid;
use super::pools::page;
use super::users::User;
use super::{Context, Output, State};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

const LARGEST_PAGE: i64 = 60;
const SEARCHABLE: [&str; 10] = [
    "username",
    "email",
    "phone_number",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "cognito:user_status",
    "status",
    "sub",
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListUsers {
    user_pool_id: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<i64>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

/// `attribute = "value"` or `attribute ^= "value"`
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filter {
    attribute: String,
    is_prefix: bool,
    value: String,
}

impl Filter {
    /// An empty filter lets everybody pass.
    fn parse(text: &str) -> Result<Option<Self>, AwsError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || invalid("Error while parsing filter.");
        let (left, quoted) = text.split_once('=').ok_or_else(wrong)?;
        let (attribute, is_prefix) = match left.trim_end().strip_suffix('^') {
            Some(attribute) => (attribute, true),
            None => (left, false),
        };
        let attribute = attribute.trim().trim_matches('"');
        let quoted = quoted.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let value = unescape(quoted.ok_or_else(wrong)?).ok_or_else(wrong)?;
        if !SEARCHABLE.contains(&attribute) {
            return Err(invalid(format!("Invalid search attribute: {attribute}")));
        }
        Ok(Some(Self { attribute: attribute.to_owned(), is_prefix, value }))
    }

    fn matches(&self, user: &User) -> bool {
        let enabled = if user.enabled { "Enabled" } else { "Disabled" };
        let value = match self.attribute.as_str() {
            "username" => Some(user.username.as_str()),
            "sub" => Some(user.sub.as_str()),
            "cognito:user_status" => Some(user.status.name()),
            "status" => Some(enabled),
            attribute => user.attribute(attribute),
        };
        // The state and the switch are the two that do not heed the case.
        let folds = matches!(self.attribute.as_str(), "cognito:user_status" | "status");
        let fold = |text: &str| if folds { text.to_lowercase() } else { text.to_owned() };
        let wanted = fold(&self.value);
        value.map(fold).is_some_and(|value| {
            if self.is_prefix { value.starts_with(&wanted) } else { value == wanted }
        })
    }
}

/// A quotation mark stands in a value after a backslash, and only there.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => plain.push(characters.next()?),
            other => plain.push(other),
        }
    }
    Some(plain)
}

impl State {
    pub(super) fn list_users(&mut self, body: &[u8], _: &Context) -> Output {
        let input: ListUsers = parse(body)?;
        Checks::new()
            .required("userPoolId", input.user_pool_id.as_deref(), &POOL_ID)
            .range("limit", input.limit, 0, LARGEST_PAGE)
            .optional("filter", input.filter.as_deref(), &FILTER)
            .finish()?;
        let pool = self.pool(input.user_pool_id.as_deref().unwrap_or_default())?;
        let filter = Filter::parse(input.filter.as_deref().unwrap_or_default())?;
        let wanted = input.attributes_to_get.as_deref();
        if wanted.is_some_and(|wanted| wanted.iter().any(|name| !pool.schema.knows(name))) {
            return Err(invalid("One or more requested attributes do not exist."));
        }
        let found = pool
            .users
            .values()
            .filter(|user| filter.as_ref().is_none_or(|filter| filter.matches(user)))
            .map(|user| (user.username.clone(), user.render("Attributes", wanted)));
        let limit = input.limit.filter(|limit| *limit > 0).unwrap_or(LARGEST_PAGE);
        let (users, next) = page(found, limit, input.pagination_token.as_deref())?;
        let mut output = json!({"Users": users});
        if let Some(next) = next {
            output["PaginationToken"] = json!(next);
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_the_api_reference_writes_them() {
        for (text, attribute, is_prefix, value) in [
            ("username = \"a\"", "username", false, "a"),
            ("family_name=\"Reddy\"", "family_name", false, "Reddy"),
            ("given_name ^= \"Jon\"", "given_name", true, "Jon"),
            ("\"email\" ^= \"a=b\"", "email", true, "a=b"),
            (r#"name = "a \"b\"""#, "name", false, "a \"b\""),
        ] {
            let expected =
                Filter { attribute: attribute.to_owned(), is_prefix, value: value.to_owned() };
            assert_eq!(Filter::parse(text), Ok(Some(expected)), "{text}");
        }
        assert_eq!(Filter::parse(" "), Ok(None));
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        for (text, message) in [
            ("username", "Error while parsing filter."),
            ("username = a", "Error while parsing filter."),
            ("username = \"a\" b\"", "Error while parsing filter."),
            ("custom:x = \"a\"", "Invalid search attribute: custom:x"),
        ] {
            let error = Filter::parse(text).expect_err(text);
            assert_eq!(error.message, message);
        }
    }
}
