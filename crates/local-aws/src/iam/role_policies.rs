//! What a role may do: managed policies that are attached to it, and policies that are part of it.

use super::error::{limit_exceeded, no_such_entity};
use super::paging::{Page, PageRequest};
use super::{State, document, grammar, names};
use crate::protocol::AwsError;

const ATTACHED_LIMIT: usize = 10;
const INLINE_LIMIT: usize = 10_240;

/// A managed policy as the list of a role's shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The last part of the ARN.
    pub name: String,
    /// Of the policy.
    pub arn: String,
}

impl State {
    /// `AttachRolePolicy`; attaching twice is no error.
    pub fn attach_role_policy(&mut self, role: &str, policy_arn: &str) -> Result<(), AwsError> {
        names::check_policy_arn(policy_arn)?;
        self.role(role)?;
        self.check_attachable(policy_arn)?;
        let role = self.role_mut(role)?;
        if role.attached.contains(policy_arn) {
            return Ok(());
        }
        if role.attached.len() >= ATTACHED_LIMIT {
            return Err(limit_exceeded("PoliciesPerRole", ATTACHED_LIMIT));
        }
        role.attached.insert(policy_arn.to_owned());
        Ok(())
    }

    /// `DetachRolePolicy`
    pub fn detach_role_policy(&mut self, role: &str, policy_arn: &str) -> Result<(), AwsError> {
        names::check_policy_arn(policy_arn)?;
        if self.role_mut(role)?.attached.remove(policy_arn) {
            return Ok(());
        }
        Err(no_such_entity(format!("Policy {policy_arn} was not found.")))
    }

    /// `ListAttachedRolePolicies`
    pub fn attached_role_policies(
        &self,
        role: &str,
        path_prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<Attached>, AwsError> {
        let attached = self.role(role)?.attached.iter();
        let found = attached.filter_map(|arn| {
            let (_, path_and_name) = arn.split_once(":policy")?;
            let name = path_and_name.rsplit('/').next()?;
            path_and_name
                .starts_with(path_prefix)
                .then(|| (arn.as_str(), Attached { name: name.to_owned(), arn: arn.clone() }))
        });
        Ok(Page::cut(found, page))
    }

    /// `PutRolePolicy`; a policy of that name is replaced.
    pub fn put_role_policy(
        &mut self,
        role: &str,
        name: &str,
        policy: &str,
    ) -> Result<(), AwsError> {
        names::check_name("policyName", name, 128)?;
        let role = self.role_mut(role)?;
        grammar::check(policy)?;
        let others = role.inline.iter().filter(|(other, _)| *other != name);
        let total: usize = others.map(|(_, document)| document::size(document)).sum();
        if total + document::size(policy) > INLINE_LIMIT {
            let message = format!(
                "Maximum policy size of {INLINE_LIMIT} bytes exceeded for role {}",
                role.name
            );
            return Err(AwsError::new(409, "LimitExceeded", message));
        }
        role.inline.insert(name.to_owned(), policy.to_owned());
        Ok(())
    }

    /// `GetRolePolicy`: the document.
    pub fn role_policy(&self, role: &str, name: &str) -> Result<&str, AwsError> {
        names::check_name("policyName", name, 128)?;
        let found = self.role(role)?.inline.get(name);
        found.map(String::as_str).ok_or_else(|| inline_missing(name))
    }

    /// `DeleteRolePolicy`
    pub fn delete_role_policy(&mut self, role: &str, name: &str) -> Result<(), AwsError> {
        names::check_name("policyName", name, 128)?;
        let removed = self.role_mut(role)?.inline.remove(name);
        removed.map(drop).ok_or_else(|| inline_missing(name))
    }

    /// `ListRolePolicies`: the names.
    pub fn role_policies(&self, role: &str, page: &PageRequest) -> Result<Page<String>, AwsError> {
        let names = self.role(role)?.inline.keys();
        Ok(Page::cut(names.map(|name| (name.as_str(), name.clone())), page))
    }
}

fn inline_missing(name: &str) -> AwsError {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}
