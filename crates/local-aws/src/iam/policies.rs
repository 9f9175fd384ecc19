//! Managed policies: the account's own, and those that AWS keeps.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::error::{
    VALIDATION, delete_conflict, entity_already_exists, limit_exceeded, no_such_entity,
};
use super::managed::{self, AWS_POLICIES};
use super::paging::{Page, PageRequest};
use super::tags::{Tag, Tags};
use super::{Context, State, document, grammar, ids, names};
use crate::protocol::query::Params;
use crate::protocol::{AwsError, Constraints};

/// What managed policies are called among the types of resources.
const POLICY: &str = "AWS::IAM::ManagedPolicy";
const SIZE_LIMIT: usize = 6144;
const POLICIES_LIMIT: usize = 1500;

/// A policy of the account's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Unique, whatever its case.
    pub name: String,
    /// `/` unless somebody said otherwise.
    pub path: String,
    /// `ANPA…`
    pub id: String,
    /// With its path.
    pub arn: String,
    /// When it was made; it has one version.
    pub created: SystemTime,
    /// What it allows and denies.
    pub document: String,
    /// Free text.
    pub description: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

/// What `CreatePolicy` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreatePolicy {
    /// `PolicyName`
    pub name: String,
    /// `Path`
    pub path: Option<String>,
    /// `PolicyDocument`
    pub document: String,
    /// `Description`
    pub description: Option<String>,
    /// `Tags`
    pub tags: Vec<Tag>,
}

/// A policy as it is shown, whoever keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyView {
    /// The policy; of AWS's own, the document may be missing.
    pub policy: Policy,
    /// How many roles it is attached to.
    pub attachments: usize,
    /// How many roles it bounds.
    pub boundaries: usize,
}

/// Which policies `ListPolicies` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Both.
    All,
    /// AWS's.
    Aws,
    /// The account's own.
    Local,
}

/// What a policy is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It says what its holder may do.
    Permissions,
    /// It bounds what its holder may be allowed.
    Boundary,
}

/// Which policies to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFilter {
    /// `Scope`
    pub scope: Scope,
    /// `OnlyAttached`
    pub only_attached: bool,
    /// `PathPrefix`
    pub path_prefix: String,
    /// `PolicyUsageFilter`
    pub usage: Option<Usage>,
}

impl PolicyFilter {
    /// Reads the parameters of `ListPolicies`.
    pub fn of(params: &Params) -> Result<Self, AwsError> {
        let scope = params.get("Scope").unwrap_or("All");
        let usage = params.get("PolicyUsageFilter");
        let only_attached = params.get("OnlyAttached").unwrap_or("false");
        let usages = ["PermissionsPolicy", "PermissionsBoundary"];
        Constraints::new()
            .one_of("scope", scope, &["All", "AWS", "Local"])
            .one_of("onlyAttached", only_attached, &["true", "false"])
            .one_of("policyUsageFilter", usage.unwrap_or("PermissionsPolicy"), &usages)
            .check(VALIDATION)?;
        Ok(Self {
            scope: match scope {
                "AWS" => Scope::Aws,
                "Local" => Scope::Local,
                _ => Scope::All,
            },
            only_attached: only_attached == "true",
            path_prefix: params.get("PathPrefix").unwrap_or("/").to_owned(),
            usage: usage.map(|usage| match usage {
                "PermissionsBoundary" => Usage::Boundary,
                _ => Usage::Permissions,
            }),
        })
    }

    fn lets_through(&self, view: &PolicyView) -> bool {
        let used = match self.usage {
            None => view.attachments + view.boundaries > 0,
            Some(Usage::Permissions) => view.attachments > 0,
            Some(Usage::Boundary) => view.boundaries > 0,
        };
        let must_be_used = self.only_attached || self.usage == Some(Usage::Boundary);
        view.policy.path.starts_with(&self.path_prefix) && (used || !must_be_used)
    }
}

impl State {
    /// `CreatePolicy`
    pub fn create_policy(
        &mut self,
        input: CreatePolicy,
        context: &Context,
    ) -> Result<PolicyView, AwsError> {
        let path = input.path.unwrap_or_else(|| "/".to_owned());
        names::check_name("policyName", &input.name, 128)?;
        names::check_path(&path)?;
        names::check_description(input.description.as_deref().unwrap_or_default())?;
        grammar::check(&input.document)?;
        if document::size(&input.document) > SIZE_LIMIT {
            return Err(limit_exceeded("PolicySize", SIZE_LIMIT));
        }
        let tags = Tags::new(input.tags)?;
        let key = input.name.to_lowercase();
        if self.policies.contains_key(&key) {
            return Err(entity_already_exists(format!(
                "A policy called {} already exists. Duplicate names are not allowed.",
                input.name
            )));
        }
        if self.policies.len() >= POLICIES_LIMIT {
            return Err(limit_exceeded("PoliciesPerAccount", POLICIES_LIMIT));
        }
        let policy = Policy {
            arn: format!("arn:aws:iam::{}:policy{path}{}", context.account_id, input.name),
            name: input.name,
            path,
            id: ids::new("ANPA"),
            created: context.now,
            document: input.document,
            description: input.description,
            tags,
        };
        self.outbox.created(POLICY, &policy.arn);
        self.policies.insert(key, policy.clone());
        Ok(self.view(policy))
    }

    /// `GetPolicy`
    pub fn policy(&self, arn: &str) -> Result<PolicyView, AwsError> {
        names::check_policy_arn(arn)?;
        let own = self.own_policy(arn).cloned();
        let found = own.or_else(|| managed::find(arn).map(managed::AwsPolicy::to_policy));
        found
            .map(|policy| self.view(policy))
            .ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))
    }

    /// `GetPolicyVersion`: a policy here has the version `v1` alone.
    pub fn policy_version(&self, arn: &str, version: &str) -> Result<Policy, AwsError> {
        let policy = self.policy(arn)?.policy;
        if version != "v1" {
            return Err(no_such_entity(format!(
                "Policy {arn} version {version} does not exist or is not attachable."
            )));
        }
        if policy.document.is_empty() {
            let message = format!(
                "The local AWS of playbook knows that {arn} exists, not what it says. Look it up in a real account."
            );
            return Err(AwsError::bad_request("UnsupportedOperation", message));
        }
        Ok(policy)
    }

    /// `DeletePolicy`
    pub fn delete_policy(&mut self, arn: &str) -> Result<(), AwsError> {
        names::check_policy_arn(arn)?;
        if managed::find(arn).is_some() {
            let message = format!("Policy {arn} belongs to AWS and cannot be deleted.");
            return Err(AwsError::new(403, "AccessDenied", message));
        }
        let view = self.policy(arn)?;
        if view.attachments + view.boundaries > 0 {
            return Err(delete_conflict("Cannot delete a policy attached to entities."));
        }
        self.policies.remove(&view.policy.name.to_lowercase());
        self.outbox.deleted(POLICY, arn);
        Ok(())
    }

    /// `ListPolicies`
    #[must_use]
    pub fn list_policies(&self, filter: &PolicyFilter, page: &PageRequest) -> Page<PolicyView> {
        let own = self.policies.values().filter(|_| filter.scope != Scope::Aws).cloned();
        let aws = AWS_POLICIES.iter().copied().filter(|_| filter.scope != Scope::Local);
        let mut found: Vec<(String, PolicyView)> = own
            .chain(aws.map(managed::AwsPolicy::to_policy))
            .map(|policy| (policy.arn.clone(), self.view(policy)))
            .filter(|(_, view)| filter.lets_through(view))
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Page::cut(found.iter().map(|(arn, view)| (arn.as_str(), view.clone())), page)
    }

    /// Whether a role can have that policy.
    pub(super) fn check_attachable(&self, arn: &str) -> Result<(), AwsError> {
        if self.own_policy(arn).is_some() || managed::find(arn).is_some() {
            return Ok(());
        }
        Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")))
    }

    pub(super) fn own_policy(&self, arn: &str) -> Option<&Policy> {
        let name = arn.rsplit('/').next()?.to_lowercase();
        self.policies.get(&name).filter(|policy| policy.arn == arn)
    }

    fn view(&self, policy: Policy) -> PolicyView {
        let roles = || self.roles.values();
        PolicyView {
            attachments: roles().filter(|role| role.attached.contains(&policy.arn)).count(),
            boundaries: roles().filter(|role| role.boundary.as_ref() == Some(&policy.arn)).count(),
            policy,
        }
    }
}

impl Policy {
    pub(super) fn snapshot(&self) -> Value {
        json!({
            "PolicyId": self.id,
            "Arn": self.arn,
            "PolicyDocument": self.document,
            "Description": self.description,
            "Tags": self.tags.snapshot(),
        })
    }
}
