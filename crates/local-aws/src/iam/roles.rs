//! Roles, and who may assume them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::error::{
    VALIDATION, delete_conflict, entity_already_exists, limit_exceeded, malformed, no_such_entity,
};
use super::paging::{Page, PageRequest};
use super::tags::{Tag, Tags};
use super::{AccountPrincipal, Context, NotAssumable, State, document, ids, names};
use crate::account::latency::LatencyProfile;
use crate::protocol::{AwsError, Constraints};

/// What roles are called among the types of resources.
const ROLE: &str = "AWS::IAM::Role";
const ROLES_LIMIT: usize = 1000;

/// AWS says "a few seconds"; what people measure lies between five and ten.
const TRUST_PROPAGATION: Duration = Duration::from_secs(8);

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Unique, whatever its case.
    pub name: String,
    /// `/` unless somebody said otherwise.
    pub path: String,
    /// `AROA…`
    pub id: String,
    /// With its path.
    pub arn: String,
    /// When it was made.
    pub created: SystemTime,
    /// Who may assume it.
    pub trust: String,
    /// Since when it has had that trust policy.
    pub trusted_since: SystemTime,
    /// Free text.
    pub description: Option<String>,
    /// In seconds.
    pub max_session: u32,
    /// The ARN of the policy that bounds its permissions.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// The ARNs of the managed policies that are attached.
    pub attached: BTreeSet<String>,
    /// The policies that are part of it: name and document.
    pub inline: BTreeMap<String, String>,
}

/// What `CreateRole` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateRole {
    /// `RoleName`
    pub name: String,
    /// `Path`
    pub path: Option<String>,
    /// `AssumeRolePolicyDocument`
    pub trust: String,
    /// `Description`
    pub description: Option<String>,
    /// `MaxSessionDuration`
    pub max_session: Option<i64>,
    /// `PermissionsBoundary`
    pub boundary: Option<String>,
    /// `Tags`
    pub tags: Vec<Tag>,
}

impl State {
    /// `CreateRole`
    pub fn create_role(&mut self, input: CreateRole, context: &Context) -> Result<Role, AwsError> {
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        names::check_name("roleName", &input.name, 64)?;
        names::check_path(&path)?;
        names::check_description(input.description.as_deref().unwrap_or_default())?;
        let max_session = session_duration(input.max_session)?.unwrap_or(3600);
        document::check_trust(&input.trust)?;
        self.check_trusted_roles(&input.trust, &context.account_id)?;
        let tags = Tags::new(input.tags)?;
        if let Some(boundary) = &input.boundary {
            self.check_attachable(boundary)?;
        }
        let key = input.name.to_lowercase();
        if self.roles.contains_key(&key) {
            let message = format!("Role with name {} already exists.", input.name);
            return Err(entity_already_exists(message));
        }
        if self.roles.len() >= ROLES_LIMIT {
            return Err(limit_exceeded("RolesPerAccount", ROLES_LIMIT));
        }
        let role = Role {
            arn: format!("arn:aws:iam::{}:role{path}{}", context.account_id, input.name),
            name: input.name,
            path,
            id: ids::new("AROA"),
            created: context.now,
            trust: input.trust,
            trusted_since: context.now,
            description: input.description,
            max_session,
            boundary: input.boundary,
            tags,
            attached: BTreeSet::new(),
            inline: BTreeMap::new(),
        };
        self.outbox.created(ROLE, &role.name);
        self.roles.insert(key, role.clone());
        Ok(role)
    }

    /// IAM takes no trust in a role of its own that does not exist; of other accounts it knows nothing here.
    fn check_trusted_roles(&self, trust: &str, account_id: &str) -> Result<(), AwsError> {
        let known = |arn: &str| self.roles.values().any(|role| role.arn == arn);
        match document::own_roles(trust, account_id).into_iter().find(|arn| !known(arn)) {
            Some(arn) => Err(malformed(format!("Invalid principal in policy: \"AWS\":\"{arn}\""))),
            None => Ok(()),
        }
    }

    /// `GetRole`
    pub fn role(&self, name: &str) -> Result<&Role, AwsError> {
        names::check_name("roleName", name, 64)?;
        self.roles.get(&name.to_lowercase()).ok_or_else(|| role_missing(name))
    }

    pub(super) fn role_mut(&mut self, name: &str) -> Result<&mut Role, AwsError> {
        names::check_name("roleName", name, 64)?;
        self.roles.get_mut(&name.to_lowercase()).ok_or_else(|| role_missing(name))
    }

    /// `ListRoles`
    #[must_use]
    pub fn roles(&self, path_prefix: &str, page: &PageRequest) -> Page<Role> {
        let found = self.roles.iter().filter(|(_, role)| role.path.starts_with(path_prefix));
        Page::cut(found.map(|(key, role)| (key.as_str(), role.clone())), page)
    }

    /// `DeleteRole`
    pub fn delete_role(&mut self, name: &str) -> Result<(), AwsError> {
        let role = self.role(name)?;
        if !role.attached.is_empty() {
            return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
        }
        if !role.inline.is_empty() {
            return Err(delete_conflict("Cannot delete entity, must delete policies first."));
        }
        if let Some(role) = self.roles.remove(&name.to_lowercase()) {
            self.outbox.deleted(ROLE, role.name);
        }
        Ok(())
    }

    /// `UpdateAssumeRolePolicy`
    pub fn update_trust(
        &mut self,
        name: &str,
        trust: &str,
        context: &Context,
    ) -> Result<(), AwsError> {
        self.role(name)?;
        document::check_trust(trust)?;
        self.check_trusted_roles(trust, &context.account_id)?;
        let role = self.role_mut(name)?;
        trust.clone_into(&mut role.trust);
        role.trusted_since = context.now;
        Ok(())
    }

    /// `UpdateRole`
    pub fn update_role(
        &mut self,
        name: &str,
        description: Option<String>,
        max_session: Option<i64>,
    ) -> Result<&Role, AwsError> {
        names::check_description(description.as_deref().unwrap_or_default())?;
        let max_session = session_duration(max_session)?;
        let role = self.role_mut(name)?;
        if let Some(seconds) = max_session {
            role.max_session = seconds;
        }
        if description.is_some() {
            role.description = description;
        }
        Ok(role)
    }

    /// `TagRole`
    pub fn tag_role(&mut self, name: &str, tags: Vec<Tag>) -> Result<(), AwsError> {
        self.role_mut(name)?.tags.set(tags)
    }

    /// `UntagRole`
    pub fn untag_role(&mut self, name: &str, keys: &[String]) -> Result<(), AwsError> {
        self.role_mut(name)?.tags.unset(keys);
        Ok(())
    }

    /// Whether `service` can assume the role by now.
    pub fn assumable(
        &self,
        role_arn: &str,
        service: &str,
        now: SystemTime,
        latency: LatencyProfile,
    ) -> Result<(), NotAssumable> {
        let role = self.role_of_arn(role_arn).ok_or(NotAssumable::NoSuchRole)?;
        let age = now.duration_since(role.trusted_since).unwrap_or_default();
        if age < latency.scale(TRUST_PROPAGATION) {
            return Err(NotAssumable::TooNew);
        }
        if document::trusts(&role.trust, service) { Ok(()) } else { Err(NotAssumable::NotTrusted) }
    }

    /// How many seconds credentials of the role can be good for, where its trust policy lets that caller in by now.
    pub fn assumable_by(
        &self,
        role_arn: &str,
        caller: &AccountPrincipal,
        now: SystemTime,
        latency: LatencyProfile,
    ) -> Result<u32, NotAssumable> {
        let role = self.role_of_arn(role_arn).ok_or(NotAssumable::NoSuchRole)?;
        let age = now.duration_since(role.trusted_since).unwrap_or_default();
        if age < latency.scale(TRUST_PROPAGATION) {
            return Err(NotAssumable::TooNew);
        }
        if document::trusts_account(&role.trust, caller) {
            Ok(role.max_session)
        } else {
            Err(NotAssumable::NotTrusted)
        }
    }

    /// The unique identifier of a role.
    #[must_use]
    pub fn role_id(&self, role_arn: &str) -> Option<&str> {
        self.role_of_arn(role_arn).map(|role| role.id.as_str())
    }

    pub(super) fn role_of_arn(&self, role_arn: &str) -> Option<&Role> {
        let name = role_arn.rsplit('/').next()?.to_lowercase();
        self.roles.get(&name).filter(|role| role.arn == role_arn)
    }
}

impl Role {
    pub(super) fn snapshot(&self) -> Value {
        json!({
            "RoleId": self.id,
            "Arn": self.arn,
            "AssumeRolePolicyDocument": self.trust,
            "Description": self.description,
            "MaxSessionDuration": self.max_session,
            "PermissionsBoundary": self.boundary,
            "Tags": self.tags.snapshot(),
            "AttachedPolicies": self.attached,
            "Policies": self.inline,
        })
    }
}

fn role_missing(name: &str) -> AwsError {
    no_such_entity(format!("The role with name {name} cannot be found."))
}

fn session_duration(seconds: Option<i64>) -> Result<Option<u32>, AwsError> {
    let Some(seconds) = seconds else {
        return Ok(None);
    };
    Constraints::new().range("maxSessionDuration", seconds, 3600, 43200).check(VALIDATION)?;
    Ok(u32::try_from(seconds).ok())
}
