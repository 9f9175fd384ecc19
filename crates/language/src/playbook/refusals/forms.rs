//! The forms of names and ARNs.

use super::text::Known;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::Node;
use crate::playbook::load::Reader;
use crate::template::{Template, TemplateKind};

/// A name that AWS gives a form.
struct NameForm {
    /// What it is, such as `a bucket's name`.
    what: &'static str,
    allowed: fn(char) -> bool,
    /// What is allowed, in words.
    words: &'static str,
    least: usize,
    most: usize,
    /// Whether letters are small.
    small: bool,
    /// What else is wrong with a name that is known as a whole.
    further: fn(&str) -> Option<&'static str>,
}

fn plain(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '-' | '_')
}

#[allow(clippy::too_many_lines, reason = "a table, one form after the other")]
fn name_form(form: &str) -> Option<NameForm> {
    let none: fn(&str) -> Option<&'static str> = |_| None;
    Some(match form {
        "function-name" => NameForm {
            what: "a function's name",
            allowed: plain,
            words: "letters, digits, `-` and `_`",
            least: 1,
            most: 64,
            small: false,
            further: none,
        },
        "role-name" => NameForm {
            what: "a role's name",
            allowed: |it| plain(it) || "+=,.@".contains(it),
            words: "letters, digits and `+=,.@-_`",
            least: 1,
            most: 64,
            small: false,
            further: none,
        },
        "bucket-name" => NameForm {
            what: "a bucket's name",
            allowed: |it| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '-' | '.'),
            words: "small letters, digits, `-` and `.`",
            least: 3,
            most: 63,
            small: true,
            further: bucket,
        },
        "table-name" => NameForm {
            what: "a table's name",
            allowed: |it| plain(it) || it == '.',
            words: "letters, digits, `-`, `_` and `.`",
            least: 3,
            most: 255,
            small: false,
            further: none,
        },
        "log-group-name" => NameForm {
            what: "a log group's name",
            allowed: |it| plain(it) || "./#".contains(it),
            words: "letters, digits and `-_./#`",
            least: 1,
            most: 512,
            small: false,
            further: |name| name.starts_with("aws/").then_some("cannot start with `aws/`"),
        },
        "stack-name" => NameForm {
            what: "a stack's name",
            allowed: |it| it.is_ascii_alphanumeric() || it == '-',
            words: "letters, digits and `-`",
            least: 1,
            most: 128,
            small: false,
            further: |name| {
                let letter = name.starts_with(|first: char| first.is_ascii_alphabetic());
                (!letter).then_some("must start with a letter")
            },
        },
        "user-pool-name" => NameForm {
            what: "a user pool's name",
            allowed: |it| it.is_alphanumeric() || it.is_whitespace() || "_+=,.@-".contains(it),
            words: "letters, digits, spaces and `+=,.@-_`",
            least: 1,
            most: 128,
            small: false,
            further: none,
        },
        _ => return None,
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn bucket(name: &str) -> Option<&'static str> {
    let ends = |it: char| !it.is_ascii_alphanumeric();
    if name.starts_with(ends) || name.ends_with(ends) {
        return Some("must start and end with a letter or a digit");
    }
    if name.contains("..") {
        return Some("cannot have two dots in a row");
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("cannot look like an IP address");
    }
    if ["xn--", "sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start)) {
        return Some("cannot start with `xn--`, `sthree-` or `amzn-s3-demo-`");
    }
    let ends = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    ends.iter().any(|end| name.ends_with(end)).then_some("ends as only AWS's own names do")
}

impl Reader<'_, '_> {
    /// A value that must have a form of AWS's.
    pub(super) fn form(
        &mut self,
        form: &str,
        field: &str,
        node: &Node,
        template: Option<&Template>,
    ) {
        if let Some(items) = node.as_sequence() {
            for (index, item) in items.iter().enumerate() {
                let template = template.and_then(|template| match template.kind() {
                    TemplateKind::Sequence(items) => items.get(index),
                    _ => None,
                });
                self.form(form, &format!("{field}[{index}]"), item, template);
            }
            return;
        }
        if form == "environment" {
            for entry in node.as_mapping().unwrap_or_default() {
                self.faults.extend(variable(field, entry));
            }
            return;
        }
        let fault = match name_form(form) {
            Some(form) => wrong_name(&form, field, node),
            None => self.wrong_arn(form, field, node, template),
        };
        self.faults.extend(fault);
    }

    fn wrong_arn(
        &self,
        form: &str,
        field: &str,
        node: &Node,
        template: Option<&Template>,
    ) -> Option<Diagnostic> {
        if let Some(TemplateKind::Expression(expression)) = template.map(Template::kind)
            && let Some(path) = expression.path()
        {
            return self.wrong_output(form, field, node, path);
        }
        let known = Known::of(node)?;
        let start = known.start();
        match form {
            "role-arn" if !is_arn(&known, "role/") => Some(
                wrong_form(field, "the ARN of a role", node)
                    .label("this is no role's ARN")
                    .help(if is_name(start) && known.is_literal() {
                        format!(
                            "read it from the step that makes or looks up the role, `{{{{ steps.role.arn }}}}`, or write `arn:aws:iam::123456789012:role/{start}`"
                        )
                    } else {
                        "read it from the step that makes or looks up the role: `{{ steps.role.arn }}`".to_owned()
                    }),
            ),
            "policy-arn" if !is_arn(&known, "policy/") => Some(
                wrong_form(field, "the ARN of a policy", node)
                    .label("this is no policy's ARN")
                    .help(if known.is_literal() && is_name(start) {
                        format!("write `arn:aws:iam::aws:policy/{}{start}`", managed_path(start))
                    } else {
                        "write `arn:aws:iam::aws:policy/NAME`, or `arn:aws:iam::123456789012:policy/NAME` for one of your own".to_owned()
                    }),
            ),
            "service-principal" if known.is_literal() && !is_service(start) => Some(
                wrong_form(field, "a service, such as `lambda.amazonaws.com`", node)
                    .label("this is no service")
                    .help(service_to_write(start)),
            ),
            "principal" if known.is_literal() && !is_principal(start) => Some(
                wrong_form(field, "a service, an account's number or an ARN", node)
                    .label("this is none of them")
                    .help(service_to_write(start)),
            ),
            _ => None,
        }
    }

    /// A name that a step returns, where an ARN is asked for.
    fn wrong_output(
        &self,
        form: &str,
        field: &str,
        node: &Node,
        path: &[String],
    ) -> Option<Diagnostic> {
        let what = match form {
            "role-arn" => "the ARN of a role",
            "policy-arn" => "the ARN of a policy",
            _ => return None,
        };
        let [root, id, name] = path else { return None };
        let has_arn =
            || self.scope.steps.get(id).is_some_and(|it| it.outputs.fields().contains(&"arn"));
        (root == "steps" && name.ends_with("_name") && has_arn()).then(|| {
            wrong_form(field, what, node)
                .label("this is a name")
                .help(format!("write `{{{{ steps.{id}.arn }}}}`"))
        })
    }
}

fn wrong_form(field: &str, what: &str, node: &Node) -> Diagnostic {
    Diagnostic::new(Code::WrongForm, format!("`{field}` must be {what}")).at(node.span)
}

fn wrong_name(form: &NameForm, field: &str, node: &Node) -> Option<Diagnostic> {
    let known = Known::of(node)?;
    // A name may be given as an ARN where it is of something that is there.
    if known.start().starts_with("arn:") {
        return None;
    }
    let fault =
        |must: String| Diagnostic::new(Code::WrongForm, format!("`{field}` {must}")).at(node.span);
    let held = |part: &&str| part.chars().find(|it| !(form.allowed)(*it));
    if let Some(wrong) = known.parts.iter().find_map(held) {
        let help = if node.as_str().is_some_and(|text| text.contains("${")) {
            "write `{{ inputs.… }}` or `{{ vars.… }}` for what is to be filled in".to_owned()
        } else {
            match corrected(form, node) {
                Some(corrected) => {
                    format!("{} has {}: write \"{corrected}\"", form.what, form.words)
                }
                None => format!("{} has {}", form.what, form.words),
            }
        };
        let shown = if wrong.is_whitespace() { "a space".to_owned() } else { format!("`{wrong}`") };
        return Some(fault(format!("cannot hold {shown}")).label("AWS refuses this").help(help));
    }
    let length = known.least_length();
    if length > form.most {
        let must = format!("must have at most {} characters", form.most);
        return Some(fault(must).label(format!("this has {length}")).help("write a shorter one"));
    }
    let whole = known.whole.as_deref()?;
    if length < form.least {
        let must = format!("must have at least {} characters", form.least);
        return Some(fault(must).label(format!("this has {length}")).help("write a longer one"));
    }
    let why = (form.further)(whole)?;
    Some(fault(why.to_owned()).label("AWS refuses this").help("choose another name"))
}

/// The name with what is not allowed put right.
fn corrected(form: &NameForm, node: &Node) -> Option<String> {
    let text = node.as_str()?;
    let mut corrected = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = match rest.split_once("{{") {
            Some((part, behind)) => (part, Some(behind)),
            None => (rest, None),
        };
        corrected.extend(part.chars().map(|it| {
            let it = if form.small { it.to_ascii_lowercase() } else { it };
            if (form.allowed)(it) { it } else { '-' }
        }));
        let Some((inside, behind)) =
            behind.map(|behind| behind.split_once("}}")).unwrap_or_default()
        else {
            break;
        };
        corrected = corrected + "{{" + inside + "}}";
        rest = behind;
    }
    (corrected.len() < 120 && !corrected.contains('"')).then_some(corrected)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| plain(it) || "+=,.@".contains(it))
}

/// Whether a text may be IAM's ARN of such a resource.
fn is_arn(known: &Known<'_>, resource: &str) -> bool {
    let start = known.start();
    if !known.is_literal() {
        return start.starts_with("arn:") || "arn:".starts_with(start);
    }
    let parts: Vec<&str> = start.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, name] = *parts else { return false };
    let owned = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    partition.starts_with("aws")
        && (owned || (account == "aws" && resource == "policy/"))
        && name.strip_prefix(resource).is_some_and(|name| !name.is_empty())
}

/// Where AWS keeps those of its policies that are meant for functions.
fn managed_path(name: &str) -> &'static str {
    let of_functions = name.starts_with("AWSLambda")
        && (name.ends_with("Role") || name.ends_with("ExecutionRole"));
    if of_functions { "service-role/" } else { "" }
}

fn is_service(text: &str) -> bool {
    let host = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.');
    let domain = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.chars().all(host)
        && matches!(domain, "com" | "cn" | "internal" | "eu")
}

fn is_principal(text: &str) -> bool {
    let account = text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit());
    account || text == "*" || text.starts_with("arn:") || is_service(text)
}

fn service_to_write(text: &str) -> String {
    let short: String = text.trim().to_ascii_lowercase();
    if !short.is_empty() && short.chars().all(|it| it.is_ascii_alphanumeric() || it == '-') {
        let name = match short.as_str() {
            "cognito" => "cognito-idp",
            "eventbridge" => "events",
            other => other,
        };
        return format!("write `{name}.amazonaws.com`");
    }
    "write it as `lambda.amazonaws.com`".to_owned()
}

/// Names that Lambda keeps for itself.
const KEPT: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
];

/// A variable of a function's environment.
fn variable(field: &str, entry: &crate::document::Entry) -> Option<Diagnostic> {
    let name = entry.key.name.as_str();
    let fault = |why: &str| {
        Diagnostic::new(Code::WrongForm, format!("`{field}` {why}"))
            .at(entry.key.span)
            .label("AWS refuses this")
    };
    if KEPT.contains(&name) {
        let why = format!("cannot hold `{name}`, which Lambda sets itself");
        return Some(fault(&why).help("leave it out, or choose another name"));
    }
    let well_formed = name.len() >= 2
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    (!well_formed && !name.contains("{{")).then(|| {
        fault(&format!("cannot hold a variable named `{name}`")).help(
            "names have two characters or more: letters, digits and `_`, and start with a letter",
        )
    })
}
