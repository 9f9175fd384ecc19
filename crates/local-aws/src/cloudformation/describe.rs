//! What CloudFormation says of stacks, as XML.

use super::error::{VALIDATION, invalid};
use super::operations::given_template;
use super::parameters::declared_text;
use super::stack::{Event, Stack, StackResource};
use super::template::Template;
use super::{Stacks, State};
use crate::protocol::query::Params;
use crate::protocol::xml::Element;
use crate::protocol::{AwsError, Constraints, timestamp};

type Output = Result<Option<Element>, AwsError>;

const EVENTS_PAGE: usize = 100;
const RESOURCES_PAGE: usize = 100;
const STACKS_PAGE: usize = 100;

fn time(time: std::time::SystemTime) -> String {
    timestamp::iso8601_millis(time).replace("+0000", "Z")
}

fn named(params: &Params) -> Result<&str, AwsError> {
    let name = params.get("StackName");
    Constraints::new().present("stackName", name.is_some()).check(VALIDATION)?;
    Ok(name.unwrap_or_default())
}

fn stack(stacks: &Stacks, params: &Params) -> Result<Stack, AwsError> {
    let name = named(params)?;
    let state = stacks.account.state::<State>();
    let found = state.find(name).cloned();
    found.ok_or_else(|| invalid(format!("Stack with id {name} does not exist")))
}

/// A page of what there is, and where the next one begins.
fn page<T>(
    items: Vec<T>,
    params: &Params,
    size: usize,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let start = match params.get("NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| invalid("Token already expired or invalid"))?,
    };
    let total = items.len();
    let end = usize::saturating_add(start, size).min(total);
    let page = items.into_iter().skip(start).take(size).collect();
    Ok((page, (end < total).then(|| end.to_string())))
}

/// `DescribeStacks`
pub(super) fn stacks(stacks: &Stacks, params: &Params) -> Output {
    let found = if params.get("StackName").is_some() {
        vec![stack(stacks, params)?]
    } else {
        stacks.newest_first().into_iter().filter(Stack::exists).collect()
    };
    let (found, next) = page(found, params, STACKS_PAGE)?;
    let list = Element::new("Stacks").children(found.iter().map(whole_stack));
    Ok(Some(Element::new("DescribeStacksResult").child(list).optional("NextToken", next)))
}

fn whole_stack(stack: &Stack) -> Element {
    let parameters = stack.parameters.iter().map(|(name, parameter)| {
        let shown = if parameter.no_echo { "****" } else { &parameter.given };
        Element::new("member").text("ParameterKey", name).text("ParameterValue", shown)
    });
    let outputs = stack.outputs.iter().map(|output| {
        Element::new("member")
            .text("OutputKey", &output.key)
            .text("OutputValue", &output.value)
            .optional("Description", output.description.as_ref())
    });
    let tags = stack
        .tags
        .iter()
        .map(|(key, value)| Element::new("member").text("Key", key).text("Value", value));
    let capabilities = stack.capabilities.iter().map(|one| Element::leaf("member", one));
    let rolls_back = stack.on_failure != super::stack::OnFailure::DoNothing;
    Element::new("member")
        .text("StackId", &stack.id)
        .text("StackName", &stack.name)
        .optional("Description", stack.template.description.as_ref())
        .child(Element::new("Parameters").children(parameters))
        .text("CreationTime", time(stack.created))
        .optional("DeletionTime", stack.deleted.map(time))
        .child(Element::new("RollbackConfiguration"))
        .text("StackStatus", stack.status)
        .optional("StackStatusReason", stack.reason.as_ref())
        .text("DisableRollback", (!rolls_back).to_string())
        .child(Element::new("NotificationARNs"))
        .optional("TimeoutInMinutes", stack.timeout.map(|minutes| minutes.to_string()))
        .child(Element::new("Capabilities").children(capabilities))
        .child(Element::new("Outputs").children(outputs))
        .child(Element::new("Tags").children(tags))
        .text("EnableTerminationProtection", stack.protected.to_string())
        .child(Element::new("DriftInformation").text("StackDriftStatus", "NOT_CHECKED"))
}

/// `ListStacks`
pub(super) fn list_stacks(stacks: &Stacks, params: &Params) -> Output {
    let wanted = params.list("StackStatusFilter");
    let found: Vec<Stack> = stacks
        .newest_first()
        .into_iter()
        .filter(|stack| wanted.is_empty() || wanted.iter().any(|status| status == stack.status))
        .collect();
    let (found, next) = page(found, params, STACKS_PAGE)?;
    let summaries = found.iter().map(|stack| {
        Element::new("member")
            .text("StackId", &stack.id)
            .text("StackName", &stack.name)
            .optional("TemplateDescription", stack.template.description.as_ref())
            .text("CreationTime", time(stack.created))
            .optional("DeletionTime", stack.deleted.map(time))
            .text("StackStatus", stack.status)
            .optional("StackStatusReason", stack.reason.as_ref())
            .child(Element::new("DriftInformation").text("StackDriftStatus", "NOT_CHECKED"))
    });
    let list = Element::new("StackSummaries").children(summaries);
    Ok(Some(Element::new("ListStacksResult").child(list).optional("NextToken", next)))
}

/// `DescribeStackEvents`
pub(super) fn stack_events(stacks: &Stacks, params: &Params) -> Output {
    let name = named(params)?;
    let stack = stack(stacks, params)
        .map_err(|error| AwsError { message: format!("Stack [{name}] does not exist"), ..error })?;
    let events: Vec<&Event> = stack.events.iter().rev().collect();
    let (events, next) = page(events, params, EVENTS_PAGE)?;
    let members = events.into_iter().map(|event| {
        Element::new("member")
            .text("StackId", &stack.id)
            .text("EventId", &event.id)
            .text("StackName", &stack.name)
            .text("LogicalResourceId", &event.logical_id)
            .text("PhysicalResourceId", &event.physical_id)
            .text("ResourceType", event.kind)
            .text("Timestamp", time(event.time))
            .text("ResourceStatus", event.status)
            .optional("ResourceStatusReason", event.reason.as_ref())
            .optional("ResourceProperties", event.properties.as_ref())
            .optional("ClientRequestToken", event.token.as_ref())
    });
    let list = Element::new("StackEvents").children(members);
    Ok(Some(Element::new("DescribeStackEventsResult").child(list).optional("NextToken", next)))
}

fn resource_members(resource: &StackResource, timestamp: &str) -> Element {
    let physical_id = Some(&resource.physical_id).filter(|id| !id.is_empty());
    Element::new("member")
        .text("LogicalResourceId", &resource.logical_id)
        .optional("PhysicalResourceId", physical_id)
        .text("ResourceType", resource.kind)
        .text(timestamp, time(resource.updated))
        .text("ResourceStatus", resource.status)
        .optional("ResourceStatusReason", resource.reason.as_ref())
        .child(Element::new("DriftInformation").text("StackResourceDriftStatus", "NOT_CHECKED"))
}

/// `DescribeStackResources`
pub(super) fn stack_resources(stacks: &Stacks, params: &Params) -> Output {
    let by_physical_id = params.get("PhysicalResourceId");
    let wanted = params.get("LogicalResourceId");
    let stack = match (params.get("StackName"), by_physical_id) {
        (None, Some(id)) => {
            let owns = |stack: &Stack| stack.resources.iter().any(|one| one.physical_id == id);
            let found =
                stacks.newest_first().into_iter().find(|stack| stack.exists() && owns(stack));
            found.ok_or_else(|| invalid(format!("Stack for {id} does not exist")))?
        }
        _ => stack(stacks, params)?,
    };
    let members = stack
        .resources
        .iter()
        .filter(|resource| wanted.is_none_or(|wanted| resource.logical_id == wanted))
        .map(|resource| {
            resource_members(resource, "Timestamp")
                .text("StackName", &stack.name)
                .text("StackId", &stack.id)
        });
    let list = Element::new("StackResources").children(members);
    Ok(Some(Element::new("DescribeStackResourcesResult").child(list)))
}

/// `DescribeStackResource`
pub(super) fn stack_resource(stacks: &Stacks, params: &Params) -> Output {
    let stack = stack(stacks, params)?;
    let wanted = params.get("LogicalResourceId").unwrap_or_default();
    let resource =
        stack.resources.iter().find(|resource| resource.logical_id == wanted).ok_or_else(|| {
            invalid(format!("Resource {wanted} does not exist for stack {}", stack.name))
        })?;
    let detail = Element::new("StackResourceDetail")
        .text("StackName", &stack.name)
        .text("StackId", &stack.id)
        .text("LogicalResourceId", &resource.logical_id)
        .text("PhysicalResourceId", &resource.physical_id)
        .text("ResourceType", resource.kind)
        .text("LastUpdatedTimestamp", time(resource.updated))
        .text("ResourceStatus", resource.status)
        .optional("ResourceStatusReason", resource.reason.as_ref());
    Ok(Some(Element::new("DescribeStackResourceResult").child(detail)))
}

/// `ListStackResources`
pub(super) fn list_stack_resources(stacks: &Stacks, params: &Params) -> Output {
    let stack = stack(stacks, params)?;
    let (resources, next) = page(stack.resources.iter().collect(), params, RESOURCES_PAGE)?;
    let members = resources.into_iter().map(|one| resource_members(one, "LastUpdatedTimestamp"));
    let list = Element::new("StackResourceSummaries").children(members);
    Ok(Some(Element::new("ListStackResourcesResult").child(list).optional("NextToken", next)))
}

/// `GetTemplate`
pub(super) fn template(stacks: &Stacks, params: &Params) -> Output {
    let stack = stack(stacks, params)?;
    let stages = ["Original", "Processed"].map(|stage| Element::leaf("member", stage));
    let result = Element::new("GetTemplateResult")
        .text("TemplateBody", &stack.template.body)
        .child(Element::new("StagesAvailable").children(stages));
    Ok(Some(result))
}

/// `ValidateTemplate`
pub(super) fn validate_template(_: &Stacks, params: &Params) -> Output {
    let template = given_template(params)?;
    let parameters = template.parameters.iter().filter_map(|(name, declared)| {
        let declared = declared.as_object()?;
        let no_echo = declared_text(declared, "NoEcho").unwrap_or_else(|| "false".to_owned());
        Some(
            Element::new("member")
                .text("ParameterKey", name)
                .optional("DefaultValue", declared_text(declared, "Default"))
                .text("NoEcho", no_echo)
                .optional("Description", declared_text(declared, "Description")),
        )
    });
    let result = Element::new("ValidateTemplateResult")
        .optional("Description", template.description.as_ref())
        .child(Element::new("Parameters").children(parameters));
    Ok(Some(with_capabilities(result, &template)))
}

/// `GetTemplateSummary`
pub(super) fn template_summary(stacks: &Stacks, params: &Params) -> Output {
    let template = match params.get("StackName") {
        Some(_) => stack(stacks, params)?.template,
        None => given_template(params)?,
    };
    let parameters = template.parameters.iter().filter_map(|(name, declared)| {
        let declared = declared.as_object()?;
        let allowed =
            declared.get("AllowedValues").and_then(|values| values.as_array()).map(|values| {
                let values = values.iter().map(super::intrinsics::scalar_text);
                Element::new("AllowedValues")
                    .children(values.map(|value| Element::leaf("member", value)))
            });
        let no_echo = declared_text(declared, "NoEcho").unwrap_or_else(|| "false".to_owned());
        Some(
            Element::new("member")
                .text("ParameterKey", name)
                .optional("DefaultValue", declared_text(declared, "Default"))
                .optional("ParameterType", declared_text(declared, "Type"))
                .text("NoEcho", no_echo)
                .optional("Description", declared_text(declared, "Description"))
                .child(Element::new("ParameterConstraints").children(allowed)),
        )
    });
    let types =
        template.resources.iter().map(|resource| Element::leaf("member", resource.kind.name));
    let result = Element::new("GetTemplateSummaryResult")
        .optional("Description", template.description.as_ref())
        .child(Element::new("Parameters").children(parameters))
        .child(Element::new("ResourceTypes").children(types))
        .text("Version", "2010-09-09");
    Ok(Some(with_capabilities(result, &template)))
}

fn with_capabilities(result: Element, template: &Template) -> Element {
    let Some((capability, types)) = template.capability() else {
        return result;
    };
    let reason = format!("The following resource(s) require capabilities: [{}]", types.join(", "));
    result
        .child(Element::new("Capabilities").text("member", capability))
        .text("CapabilitiesReason", reason)
}
