//! CloudFormation's operations: inputs out of query parameters, outputs into XML.

use std::collections::{BTreeMap, BTreeSet};

use super::describe;
use super::error::{VALIDATION, invalid, unsupported};
use super::executor::{Deletion, Executor};
use super::intrinsics::Scope;
use super::parameters;
use super::plan::Plan;
use super::stack::{OnFailure, Stack};
use super::template::Template;
use super::{STACK, Stacks, State};
use crate::protocol::query::{self, Params};
use crate::protocol::xml::Element;
use crate::protocol::{AwsError, Constraints};

type Output = Result<Option<Element>, AwsError>;
type Operation = fn(&Stacks, &Params) -> Output;

const OPERATIONS: &[(&str, Operation)] = &[
    ("CreateStack", create_stack),
    ("DeleteStack", delete_stack),
    ("DescribeStackEvents", describe::stack_events),
    ("DescribeStackResource", describe::stack_resource),
    ("DescribeStackResources", describe::stack_resources),
    ("DescribeStacks", describe::stacks),
    ("GetTemplate", describe::template),
    ("GetTemplateSummary", describe::template_summary),
    ("ListStackResources", describe::list_stack_resources),
    ("ListStacks", describe::list_stacks),
    ("UpdateStack", update_stack),
    ("UpdateTerminationProtection", update_termination_protection),
    ("ValidateTemplate", describe::validate_template),
];

const MOST_STACKS: usize = 2000;
const NAME_PATTERN: &str = "[a-zA-Z][-a-zA-Z0-9]*";

/// Calls the operation that the parameters name; returns its name and its result.
pub(super) fn call(
    stacks: &Stacks,
    params: &Params,
) -> Result<(&'static str, Option<Element>), AwsError> {
    let action = params.action();
    let found = OPERATIONS.iter().find(|(name, _)| Some(*name) == action);
    let (name, operation) = found.ok_or_else(|| {
        let supported: Vec<&str> = OPERATIONS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != "UpdateStack")
            .collect();
        query::unknown_action(action, params, &supported)
    })?;
    Ok((name, operation(stacks, params)?))
}

/// The template that a request carries.
pub(super) fn given_template(params: &Params) -> Result<Template, AwsError> {
    if params.get("TemplateURL").is_some() {
        return Err(unsupported("TemplateURL. Give the template as TemplateBody"));
    }
    match params.get("TemplateBody").filter(|body| !body.is_empty()) {
        Some(body) => Template::parse(body),
        None => Err(invalid("Either Template URL or Template Body must be specified.")),
    }
}

fn stack_name(params: &Params) -> Result<&str, AwsError> {
    let name = params.get("StackName");
    Constraints::new().present("stackName", name.is_some()).check(VALIDATION)?;
    Ok(name.unwrap_or_default())
}

fn new_name(params: &Params) -> Result<String, AwsError> {
    let name = stack_name(params)?;
    let mut characters = name.chars();
    let plain = characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|one| one.is_ascii_alphanumeric() || one == '-');
    Constraints::new()
        .length("stackName", name, 1, 128)
        .pattern("stackName", name, NAME_PATTERN, plain)
        .check(VALIDATION)?;
    Ok(name.to_owned())
}

fn flag(params: &Params, name: &str) -> bool {
    params.get(name) == Some("true")
}

fn on_failure(params: &Params) -> Result<OnFailure, AwsError> {
    let disabled = params.get("DisableRollback");
    let Some(given) = params.get("OnFailure") else {
        return Ok(if disabled == Some("true") {
            OnFailure::DoNothing
        } else {
            OnFailure::Rollback
        });
    };
    if disabled.is_some() {
        return Err(invalid("Cannot specify both OnFailure and DisableRollback parameters"));
    }
    Constraints::new()
        .one_of("onFailure", given, &["ROLLBACK", "DELETE", "DO_NOTHING"])
        .check(VALIDATION)?;
    Ok(match given {
        "DELETE" => OnFailure::Delete,
        "DO_NOTHING" => OnFailure::DoNothing,
        _ => OnFailure::Rollback,
    })
}

fn tags(params: &Params) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = BTreeMap::new();
    for tag in params.structures("Tags") {
        let key = tag.get("Key").unwrap_or_default();
        let value = tag.get("Value").unwrap_or_default();
        Constraints::new()
            .length("tags.key", key, 1, 128)
            .length("tags.value", value, 0, 256)
            .check(VALIDATION)?;
        if key.starts_with("aws:") {
            return Err(invalid(format!(
                "aws: prefixed tag key names are not allowed for external use. [{key}]"
            )));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

fn check_capabilities(template: &Template, given: &[String]) -> Result<(), AwsError> {
    for capability in given {
        Constraints::new()
            .one_of(
                "capabilities",
                capability,
                &["CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"],
            )
            .check(VALIDATION)?;
    }
    if template.is_expanded && !given.iter().any(|one| one == "CAPABILITY_AUTO_EXPAND") {
        return Err(AwsError::bad_request(
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
        ));
    }
    let Some((needed, _)) = template.capability() else {
        return Ok(());
    };
    if given.iter().any(|one| one == needed || one == "CAPABILITY_NAMED_IAM") {
        return Ok(());
    }
    Err(AwsError::bad_request(
        "InsufficientCapabilitiesException",
        format!("Requires capabilities : [{needed}]"),
    ))
}

fn create_stack(stacks: &Stacks, params: &Params) -> Output {
    let name = new_name(params)?;
    let token = params.get("ClientRequestToken");
    let created = already_created(&stacks.account.state::<State>(), &name, token)?;
    let id = match created {
        Some(id) => id,
        None => begin(stacks, params, &name)?,
    };
    Ok(Some(Element::new("CreateStackResult").text("StackId", id)))
}

/// Starts to make a stack, and says its id.
fn begin(stacks: &Stacks, params: &Params, name: &str) -> Result<String, AwsError> {
    let (stack, scope) = planned(stacks, params, name)?;
    let stack_id = stack.id.clone();
    if let Some(faster) = admit(&mut stacks.account.state::<State>(), stack)? {
        return Ok(faster);
    }
    let executor = Executor { client: stacks.client(), stack_id: stack_id.clone() };
    stacks.account.spawn(async move { executor.create(scope).await });
    Ok(stack_id)
}

/// The stack as it is to be, and what its expressions can refer to.
fn planned(stacks: &Stacks, params: &Params, name: &str) -> Result<(Stack, Scope), AwsError> {
    let template = given_template(params)?;
    let capabilities = params.list("Capabilities");
    check_capabilities(&template, &capabilities)?;
    let given = params
        .structures("Parameters")
        .iter()
        .filter_map(|one| {
            Some((one.get("ParameterKey")?.to_owned(), one.get("ParameterValue")?.to_owned()))
        })
        .collect();
    let parameters = parameters::resolve(&template, &given)?;
    let account = &stacks.account;
    let id = format!(
        "arn:aws:cloudformation:{}:{}:stack/{name}/{}",
        account.region,
        account.id,
        crate::ids::uuid()
    );
    let mut scope = Scope {
        mappings: template.mappings.clone(),
        parameters: parameters::values(&parameters),
        ..Scope::default()
    };
    scope.parameters.extend(stacks.pseudo_parameters(name, &id));
    scope.resolve_conditions(&template.conditions)?;
    let plan = Plan::new(&template, &scope)?;
    let now = account.now();
    let mut stack = Stack {
        id,
        name: name.to_owned(),
        serial: 0,
        created: now,
        deleted: None,
        status: "CREATE_IN_PROGRESS",
        reason: None,
        template,
        plan,
        parameters,
        capabilities,
        tags: tags(params)?,
        on_failure: on_failure(params)?,
        protected: flag(params, "EnableTerminationProtection"),
        timeout: params.get("TimeoutInMinutes").and_then(|minutes| minutes.parse().ok()),
        token: params.get("ClientRequestToken").map(str::to_owned),
        outputs: Vec::new(),
        resources: Vec::new(),
        events: Vec::new(),
        cancelled: false,
        turn: std::sync::Arc::default(),
    };
    stack.enter("CREATE_IN_PROGRESS", Some("User Initiated".to_owned()), now);
    Ok((stack, scope))
}

/// Takes the stack in, unless somebody was faster with the same request: then that one's id.
fn admit(state: &mut State, mut stack: Stack) -> Result<Option<String>, AwsError> {
    if let Some(id) = already_created(state, &stack.name, stack.token.as_deref())? {
        return Ok(Some(id));
    }
    if state.stacks.values().filter(|stack| stack.exists()).count() >= MOST_STACKS {
        return Err(AwsError::bad_request(
            "LimitExceededException",
            format!("Limit for stack has been exceeded: {MOST_STACKS}"),
        ));
    }
    state.serial += 1;
    stack.serial = state.serial;
    state.outbox.created(STACK, &stack.name);
    state.stacks.insert(stack.id.clone(), stack);
    Ok(None)
}

/// The stack that the same request has made before; an error where another one has its name.
fn already_created(
    state: &State,
    name: &str,
    token: Option<&str>,
) -> Result<Option<String>, AwsError> {
    match state.stacks.values().find(|stack| stack.exists() && stack.name == name) {
        None => Ok(None),
        Some(stack) if token.is_some() && stack.token.as_deref() == token => {
            Ok(Some(stack.id.clone()))
        }
        Some(_) => Err(AwsError::bad_request(
            "AlreadyExistsException",
            format!("Stack [{name}] already exists"),
        )),
    }
}

fn delete_stack(stacks: &Stacks, params: &Params) -> Output {
    let name = stack_name(params)?;
    let retained: BTreeSet<String> = params.list("RetainResources").into_iter().collect();
    let now = stacks.account.now();
    let id = {
        let mut state = stacks.account.state::<State>();
        // Whoever deletes what is not there has what they want.
        let Some(stack) = state.find_mut(name).filter(|stack| stack.exists()) else {
            return Ok(None);
        };
        if stack.protected {
            return Err(invalid(format!(
                "Stack [{}] cannot be deleted while TerminationProtection is enabled",
                stack.name
            )));
        }
        if !retained.is_empty() && stack.status != "DELETE_FAILED" {
            return Err(invalid(format!(
                "Invalid operation on stack [{}]. When you delete a stack, specify which resources to retain only \
                 when the stack is in the DELETE_FAILED state.",
                stack.id
            )));
        }
        if stack.status == "DELETE_IN_PROGRESS" {
            return Ok(None);
        }
        stack.cancelled = true;
        stack.token = params.get("ClientRequestToken").map(str::to_owned);
        stack.enter("DELETE_IN_PROGRESS", Some("User Initiated".to_owned()), now);
        let (id, name) = (stack.id.clone(), stack.name.clone());
        state.note(name, "DELETE_IN_PROGRESS");
        id
    };
    let executor = Executor { client: stacks.client(), stack_id: id };
    let deletion = Deletion { retained, of_creation: false };
    stacks.account.spawn(async move { executor.delete(deletion).await });
    Ok(None)
}

fn update_stack(_: &Stacks, _: &Params) -> Output {
    Err(unsupported("UpdateStack: delete the stack and create it again"))
}

fn update_termination_protection(stacks: &Stacks, params: &Params) -> Output {
    let name = stack_name(params)?;
    let mut state = stacks.account.state::<State>();
    let stack = state.find_mut(name).filter(|stack| stack.exists());
    let stack = stack.ok_or_else(|| invalid(format!("Stack [{name}] does not exist")))?;
    stack.protected = flag(params, "EnableTerminationProtection");
    let result = Element::new("UpdateTerminationProtectionResult").text("StackId", &stack.id);
    Ok(Some(result))
}
