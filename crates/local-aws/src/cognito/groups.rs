//! Groups of users: what tokens say of them, and which role goes with whom.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Value, json};

use super::checks::{Checks, DESCRIPTION, GROUP, POOL_ID, ROLE_ARN, USERNAME};
use super::error::no_group;
use super::pools::{Pool, page};
use super::users::User;
use super::{Context, Output, State, ids};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

const LARGEST_PAGE: i64 = 60;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    name: String,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<i64>,
    created: SystemTime,
    modified: SystemTime,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GroupRequest {
    user_pool_id: Option<String>,
    group_name: Option<String>,
    username: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<i64>,
    limit: Option<i64>,
    next_token: Option<String>,
}

/// What the tokens of a user say of their groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) groups: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) preferred_role: Option<String>,
}

impl Group {
    fn render(&self, pool_id: &str) -> Value {
        let mut shown = json!({
            "GroupName": self.name,
            "UserPoolId": pool_id,
            "LastModifiedDate": ids::timestamp(self.modified),
            "CreationDate": ids::timestamp(self.created),
        });
        if let Some(description) = &self.description {
            shown["Description"] = json!(description);
        }
        if let Some(role) = &self.role_arn {
            shown["RoleArn"] = json!(role);
        }
        if let Some(precedence) = self.precedence {
            shown["Precedence"] = json!(precedence);
        }
        shown
    }
}

impl GroupRequest {
    fn of_pool(body: &[u8]) -> Result<Self, AwsError> {
        let input: Self = parse(body)?;
        input.checks().finish()?;
        Ok(input)
    }

    fn of_group(body: &[u8]) -> Result<Self, AwsError> {
        let input: Self = parse(body)?;
        input.checks().required("groupName", input.group_name.as_deref(), &GROUP).finish()?;
        Ok(input)
    }

    fn of_user(body: &[u8]) -> Result<Self, AwsError> {
        let input: Self = parse(body)?;
        input.checks().required("username", input.username.as_deref(), &USERNAME).finish()?;
        Ok(input)
    }

    fn of_member(body: &[u8]) -> Result<Self, AwsError> {
        let input: Self = parse(body)?;
        input
            .checks()
            .required("username", input.username.as_deref(), &USERNAME)
            .required("groupName", input.group_name.as_deref(), &GROUP)
            .finish()?;
        Ok(input)
    }

    fn checks(&self) -> Checks {
        Checks::new()
            .required("userPoolId", self.user_pool_id.as_deref(), &POOL_ID)
            .optional("description", self.description.as_deref(), &DESCRIPTION)
            .optional("roleArn", self.role_arn.as_deref(), &ROLE_ARN)
            .range("precedence", self.precedence, 0, i64::from(i32::MAX))
            .range("limit", self.limit, 0, LARGEST_PAGE)
    }

    fn pool_id(&self) -> &str {
        self.user_pool_id.as_deref().unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.group_name.as_deref().unwrap_or_default()
    }

    fn username(&self) -> &str {
        self.username.as_deref().unwrap_or_default()
    }

    /// A page of what was found, as the member of that name.
    fn page(&self, member: &str, found: impl Iterator<Item = (String, Value)>) -> Output {
        let limit = self.limit.filter(|limit| *limit > 0).unwrap_or(LARGEST_PAGE);
        let (shown, next) = page(found, limit, self.next_token.as_deref())?;
        let mut output = json!({member: shown});
        if let Some(next) = next {
            output["NextToken"] = json!(next);
        }
        Ok(output)
    }
}

impl State {
    pub(super) fn create_group(&mut self, body: &[u8], context: &Context) -> Output {
        let input = GroupRequest::of_group(body)?;
        let pool = self.pool_mut(input.pool_id())?;
        if pool.groups.contains_key(input.name()) {
            return Err(AwsError::bad_request(
                "GroupExistsException",
                "A group with the name already exists.",
            ));
        }
        let group = Group {
            name: input.name().to_owned(),
            description: input.description.clone(),
            role_arn: input.role_arn.clone(),
            precedence: input.precedence,
            created: context.now,
            modified: context.now,
        };
        let shown = group.render(&pool.id);
        pool.groups.insert(group.name.clone(), group);
        Ok(json!({"Group": shown}))
    }

    pub(super) fn get_group(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_group(body)?;
        let pool = self.pool(input.pool_id())?;
        Ok(json!({"Group": pool.group(input.name())?.render(&pool.id)}))
    }

    pub(super) fn update_group(&mut self, body: &[u8], context: &Context) -> Output {
        let input = GroupRequest::of_group(body)?;
        let pool = self.pool_mut(input.pool_id())?;
        let group = pool.groups.get_mut(input.name()).ok_or_else(no_group)?;
        group.description = input.description.clone().or(group.description.take());
        group.role_arn = input.role_arn.clone().or(group.role_arn.take());
        group.precedence = input.precedence.or(group.precedence);
        group.modified = context.now;
        let shown = group.render(&pool.id);
        Ok(json!({"Group": shown}))
    }

    pub(super) fn delete_group(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_group(body)?;
        let pool = self.pool_mut(input.pool_id())?;
        pool.groups.remove(input.name()).ok_or_else(no_group)?;
        for user in pool.users.values_mut() {
            user.groups.remove(input.name());
        }
        Ok(json!({}))
    }

    pub(super) fn list_groups(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_pool(body)?;
        let pool = self.pool(input.pool_id())?;
        let found = pool.groups.iter().map(|(name, group)| (name.clone(), group.render(&pool.id)));
        input.page("Groups", found)
    }

    pub(super) fn admin_add_user_to_group(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_member(body)?;
        let pool = self.pool_mut(input.pool_id())?;
        pool.group(input.name())?;
        pool.user_mut(input.username())?.groups.insert(input.name().to_owned());
        Ok(json!({}))
    }

    pub(super) fn admin_remove_user_from_group(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_member(body)?;
        let pool = self.pool_mut(input.pool_id())?;
        pool.group(input.name())?;
        pool.user_mut(input.username())?.groups.remove(input.name());
        Ok(json!({}))
    }

    pub(super) fn admin_list_groups_for_user(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_user(body)?;
        let pool = self.pool(input.pool_id())?;
        let user = pool.user(input.username())?;
        let found = user
            .groups
            .iter()
            .filter_map(|name| Some((name.clone(), pool.groups.get(name)?.render(&pool.id))));
        input.page("Groups", found)
    }

    pub(super) fn list_users_in_group(&mut self, body: &[u8], _: &Context) -> Output {
        let input = GroupRequest::of_group(body)?;
        let pool = self.pool(input.pool_id())?;
        pool.group(input.name())?;
        let found = pool
            .users
            .values()
            .filter(|user| user.groups.contains(input.name()))
            .map(|user| (user.username.clone(), user.render("Attributes", None)));
        input.page("Users", found)
    }
}

impl Pool {
    fn group(&self, name: &str) -> Result<&Group, AwsError> {
        self.groups.get(name).ok_or_else(no_group)
    }

    /// The groups of a user, the one that goes before the others first. The role of that one is preferred, unless another
    /// of the same precedence has another role.
    pub(super) fn membership(&self, user: &User) -> Membership {
        let mut groups: Vec<&Group> =
            user.groups.iter().filter_map(|name| self.groups.get(name)).collect();
        groups.sort_by_key(|group| group.precedence.unwrap_or(i64::MAX));
        let mut roles: Vec<String> = Vec::new();
        for role in groups.iter().filter_map(|group| group.role_arn.as_ref()) {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        let mut by_precedence: BTreeMap<i64, Vec<&String>> = BTreeMap::new();
        for group in &groups {
            if let Some(role) = &group.role_arn {
                by_precedence.entry(group.precedence.unwrap_or(i64::MAX)).or_default().push(role);
            }
        }
        let preferred_role = by_precedence
            .first_key_value()
            .filter(|(_, first)| first.iter().all(|role| *role == first[0]))
            .map(|(_, first)| first[0].clone());
        let groups = groups.into_iter().map(|group| group.name.clone()).collect();
        Membership { groups, roles, preferred_role }
    }

    /// Every group and who is in it.
    pub(super) fn groups_snapshot(&self) -> Value {
        self.groups.iter().map(|(name, group)| (name.clone(), group.render(&self.id))).collect()
    }
}
