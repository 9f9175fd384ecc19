//! IAM's operations: inputs out of query parameters, outputs into XML.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::{VALIDATION, validation};
use super::{
    Context, CreatePolicy, CreateRole, PageRequest, Policy, PolicyFilter, PolicyView, Role, State,
    Tag, tags,
};
use crate::protocol::query::{self, Params};
use crate::protocol::timestamp::iso8601;
use crate::protocol::xml::Element;
use crate::protocol::{AwsError, Constraints};

type Output = Result<Option<Element>, AwsError>;
type Operation = fn(&mut State, &Params, &Context) -> Output;

const OPERATIONS: &[(&str, Operation)] = &[
    ("AttachRolePolicy", attach_role_policy),
    ("CreatePolicy", create_policy),
    ("CreateRole", create_role),
    ("DeletePolicy", delete_policy),
    ("DeleteRole", delete_role),
    ("DeleteRolePolicy", delete_role_policy),
    ("DetachRolePolicy", detach_role_policy),
    ("GetPolicy", get_policy),
    ("GetPolicyVersion", get_policy_version),
    ("GetRole", get_role),
    ("GetRolePolicy", get_role_policy),
    ("ListAttachedRolePolicies", list_attached_role_policies),
    ("ListInstanceProfilesForRole", list_instance_profiles_for_role),
    ("ListPolicies", list_policies),
    ("ListPolicyTags", list_policy_tags),
    ("ListPolicyVersions", list_policy_versions),
    ("ListRolePolicies", list_role_policies),
    ("ListRoleTags", list_role_tags),
    ("ListRoles", list_roles),
    ("PutRolePolicy", put_role_policy),
    ("TagRole", tag_role),
    ("UntagRole", untag_role),
    ("UpdateAssumeRolePolicy", update_assume_role_policy),
    ("UpdateRole", update_role),
    ("UpdateRoleDescription", update_role_description),
];

/// Calls the operation that the parameters name; returns its name and its result.
pub(super) fn call(
    state: &mut State,
    params: &Params,
    context: &Context,
) -> Result<(&'static str, Option<Element>), AwsError> {
    let action = params.action();
    let found = OPERATIONS.iter().find(|(name, _)| Some(*name) == action);
    let (name, operation) = found.ok_or_else(|| {
        let supported: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
        query::unknown_action(action, params, &supported)
    })?;
    Ok((name, operation(state, params, context)?))
}

fn create_role(state: &mut State, params: &Params, context: &Context) -> Output {
    let input = CreateRole {
        name: required(params, "RoleName")?.to_owned(),
        path: optional(params, "Path"),
        trust: required(params, "AssumeRolePolicyDocument")?.to_owned(),
        description: optional(params, "Description"),
        max_session: integer(params, "MaxSessionDuration")?,
        boundary: optional(params, "PermissionsBoundary"),
        tags: tags::read(params)?,
    };
    let role = state.create_role(input, context)?;
    Ok(Some(Element::new("CreateRoleResult").child(whole_role(&role))))
}

fn get_role(state: &mut State, params: &Params, _: &Context) -> Output {
    let role = whole_role(state.role(required(params, "RoleName")?)?);
    // This role has not been used as far as IAM tracks it, which it says with an empty element.
    let role = role.child(Element::new("RoleLastUsed"));
    Ok(Some(Element::new("GetRoleResult").child(role)))
}

fn list_roles(state: &mut State, params: &Params, _: &Context) -> Output {
    let page = state.roles(path_prefix(params), &PageRequest::of(params)?);
    Ok(Some(page.to_xml("ListRolesResult", "Roles", |role| plain_role("member", &role))))
}

fn delete_role(state: &mut State, params: &Params, _: &Context) -> Output {
    state.delete_role(required(params, "RoleName")?)?;
    Ok(None)
}

fn update_assume_role_policy(state: &mut State, params: &Params, context: &Context) -> Output {
    let document = required(params, "PolicyDocument")?;
    state.update_trust(required(params, "RoleName")?, document, context)?;
    Ok(None)
}

fn update_role(state: &mut State, params: &Params, _: &Context) -> Output {
    let max_session = integer(params, "MaxSessionDuration")?;
    let name = required(params, "RoleName")?;
    state.update_role(name, optional(params, "Description"), max_session)?;
    Ok(Some(Element::new("UpdateRoleResult")))
}

fn update_role_description(state: &mut State, params: &Params, _: &Context) -> Output {
    let description = required(params, "Description")?.to_owned();
    let role = state.update_role(required(params, "RoleName")?, Some(description), None)?;
    Ok(Some(Element::new("UpdateRoleDescriptionResult").child(whole_role(role))))
}

fn tag_role(state: &mut State, params: &Params, _: &Context) -> Output {
    state.tag_role(required(params, "RoleName")?, tags::read(params)?)?;
    Ok(None)
}

fn untag_role(state: &mut State, params: &Params, _: &Context) -> Output {
    state.untag_role(required(params, "RoleName")?, &params.list("TagKeys"))?;
    Ok(None)
}

fn list_role_tags(state: &mut State, params: &Params, _: &Context) -> Output {
    let page = state.role(required(params, "RoleName")?)?.tags.page(&PageRequest::of(params)?);
    Ok(Some(page.to_xml("ListRoleTagsResult", "Tags", |tag: Tag| tag.to_xml())))
}

fn list_policy_tags(state: &mut State, params: &Params, _: &Context) -> Output {
    let found = state.policy(required(params, "PolicyArn")?)?;
    let page = found.policy.tags.page(&PageRequest::of(params)?);
    Ok(Some(page.to_xml("ListPolicyTagsResult", "Tags", |tag: Tag| tag.to_xml())))
}

fn attach_role_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    state.attach_role_policy(required(params, "RoleName")?, required(params, "PolicyArn")?)?;
    Ok(None)
}

fn detach_role_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    state.detach_role_policy(required(params, "RoleName")?, required(params, "PolicyArn")?)?;
    Ok(None)
}

fn list_attached_role_policies(state: &mut State, params: &Params, _: &Context) -> Output {
    let (role, page) = (required(params, "RoleName")?, PageRequest::of(params)?);
    let page = state.attached_role_policies(role, path_prefix(params), &page)?;
    Ok(Some(page.to_xml("ListAttachedRolePoliciesResult", "AttachedPolicies", |attached| {
        Element::new("member").text("PolicyName", attached.name).text("PolicyArn", attached.arn)
    })))
}

fn put_role_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    let (role, name) = (required(params, "RoleName")?, required(params, "PolicyName")?);
    state.put_role_policy(role, name, required(params, "PolicyDocument")?)?;
    Ok(None)
}

fn get_role_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    let (role, name) = (required(params, "RoleName")?, required(params, "PolicyName")?);
    let document = encoded(state.role_policy(role, name)?);
    let result = Element::new("GetRolePolicyResult")
        .text("RoleName", &state.role(role)?.name)
        .text("PolicyName", name)
        .text("PolicyDocument", document);
    Ok(Some(result))
}

fn delete_role_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    state.delete_role_policy(required(params, "RoleName")?, required(params, "PolicyName")?)?;
    Ok(None)
}

fn list_role_policies(state: &mut State, params: &Params, _: &Context) -> Output {
    let page = state.role_policies(required(params, "RoleName")?, &PageRequest::of(params)?)?;
    let member = |name| Element::leaf("member", name);
    Ok(Some(page.to_xml("ListRolePoliciesResult", "PolicyNames", member)))
}

/// There is no EC2 here, and so there are no instance profiles.
fn list_instance_profiles_for_role(state: &mut State, params: &Params, _: &Context) -> Output {
    state.role(required(params, "RoleName")?)?;
    let page = super::Page::<Element>::cut([], &PageRequest::of(params)?);
    let member = |profile| profile;
    Ok(Some(page.to_xml("ListInstanceProfilesForRoleResult", "InstanceProfiles", member)))
}

fn create_policy(state: &mut State, params: &Params, context: &Context) -> Output {
    let input = CreatePolicy {
        name: required(params, "PolicyName")?.to_owned(),
        path: optional(params, "Path"),
        document: required(params, "PolicyDocument")?.to_owned(),
        description: optional(params, "Description"),
        tags: tags::read(params)?,
    };
    let view = state.create_policy(input, context)?;
    Ok(Some(Element::new("CreatePolicyResult").child(whole_policy(&view))))
}

fn get_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    let view = state.policy(required(params, "PolicyArn")?)?;
    Ok(Some(Element::new("GetPolicyResult").child(whole_policy(&view))))
}

fn get_policy_version(state: &mut State, params: &Params, _: &Context) -> Output {
    let (arn, version) = (required(params, "PolicyArn")?, required(params, "VersionId")?);
    let policy = state.policy_version(arn, version)?;
    let version =
        policy_version("PolicyVersion", &policy).text("Document", encoded(&policy.document));
    Ok(Some(Element::new("GetPolicyVersionResult").child(version)))
}

fn list_policy_versions(state: &mut State, params: &Params, _: &Context) -> Output {
    let policy = state.policy(required(params, "PolicyArn")?)?.policy;
    let page = super::Page::cut([("v1", policy)], &PageRequest::of(params)?);
    let member = |policy| policy_version("member", &policy);
    Ok(Some(page.to_xml("ListPolicyVersionsResult", "Versions", member)))
}

fn delete_policy(state: &mut State, params: &Params, _: &Context) -> Output {
    state.delete_policy(required(params, "PolicyArn")?)?;
    Ok(None)
}

fn list_policies(state: &mut State, params: &Params, _: &Context) -> Output {
    let page = state.list_policies(&PolicyFilter::of(params)?, &PageRequest::of(params)?);
    Ok(Some(page.to_xml("ListPoliciesResult", "Policies", |view| plain_policy("member", &view))))
}

fn required<'p>(params: &'p Params, name: &str) -> Result<&'p str, AwsError> {
    params.get(name).ok_or_else(|| {
        match Constraints::new().present(&member_name(name), false).check(VALIDATION) {
            Err(error) => error,
            Ok(()) => validation(format!("{name} is missing")),
        }
    })
}

fn optional(params: &Params, name: &str) -> Option<String> {
    params.get(name).map(str::to_owned)
}

fn integer(params: &Params, name: &str) -> Result<Option<i64>, AwsError> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| {
        AwsError::bad_request("MalformedInput", format!("{name} is not an integer: {text}"))
    })?;
    Ok(Some(number))
}

fn path_prefix(params: &Params) -> &str {
    params.get("PathPrefix").unwrap_or("/")
}

/// Errors name members as the model's structures do: `roleName` for the parameter `RoleName`.
fn member_name(parameter: &str) -> String {
    let mut characters = parameter.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_ascii_lowercase().to_string() + characters.as_str()
    })
}

/// A role as lists show it.
fn plain_role(element: &str, role: &Role) -> Element {
    Element::new(element)
        .text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .text("CreateDate", iso8601(role.created))
        .text("AssumeRolePolicyDocument", encoded(&role.trust))
        .optional("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.max_session.to_string())
}

fn whole_role(role: &Role) -> Element {
    let boundary = role.boundary.as_ref().map(|arn| {
        Element::new("PermissionsBoundary")
            .text("PermissionsBoundaryType", "Policy")
            .text("PermissionsBoundaryArn", arn)
    });
    plain_role("Role", role).children(boundary).children(role.tags.to_xml())
}

/// A policy as lists show it.
fn plain_policy(element: &str, view: &PolicyView) -> Element {
    let policy = &view.policy;
    let created = iso8601(policy.created);
    Element::new(element)
        .text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", "v1")
        .text("AttachmentCount", view.attachments.to_string())
        .text("PermissionsBoundaryUsageCount", view.boundaries.to_string())
        .text("IsAttachable", "true")
        .text("CreateDate", &created)
        .text("UpdateDate", created)
}

fn whole_policy(view: &PolicyView) -> Element {
    plain_policy("Policy", view)
        .optional("Description", view.policy.description.as_ref())
        .children(view.policy.tags.to_xml())
}

fn policy_version(element: &str, policy: &Policy) -> Element {
    Element::new(element)
        .text("VersionId", "v1")
        .text("IsDefaultVersion", "true")
        .text("CreateDate", iso8601(policy.created))
}

/// RFC 3986: what is not unreserved is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(document: &str) -> String {
    utf8_percent_encode(document, RESERVED).to_string()
}
