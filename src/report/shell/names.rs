//! Names as the AWS CLI writes them.

/// A member or operation in the CLI's way: `CodeSha256` is `code-sha256`. The same rules as botocore's `xform_name`.
pub(super) fn kebab(name: &str) -> String {
    let plural = plural_acronym(name);
    let (name, tail) = name.split_at(name.len() - plural.len());
    let mut text = second_pass(&first_pass(name));
    if !tail.is_empty() {
        text.push('-');
        text.push_str(tail);
    }
    text.to_ascii_lowercase()
}

/// The end of a name such as `ListWebACLs`.
fn plural_acronym(name: &str) -> &str {
    let Some(stem) = name.strip_suffix('s') else { return "" };
    let capitals = stem.chars().rev().take_while(char::is_ascii_uppercase).count();
    if capitals < 2 { "" } else { &name[stem.len() - capitals..] }
}

/// A dash before every capital that small letters follow.
fn first_pass(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::with_capacity(name.len() + 8);
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        text.push(letter);
        at += 1;
        let starts_word = letters.get(at).is_some_and(char::is_ascii_uppercase)
            && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if starts_word {
            text.push('-');
            text.extend(letters.get(at));
            at += 1;
            while let Some(letter) = letters.get(at).filter(|letter| letter.is_ascii_lowercase()) {
                text.push(*letter);
                at += 1;
            }
        }
    }
    text
}

/// A dash between a small letter or digit and a capital.
fn second_pass(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 8);
    let mut before = '-';
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            text.push('-');
        }
        text.push(letter);
        before = letter;
    }
    text
}

/// A shell variable for what stands between the brackets of a marker; nothing where that is no path.
pub(super) fn variable(path: &str) -> Option<String> {
    if let Some(name) = path.strip_prefix("env.").filter(|name| is_word(name)) {
        return Some(name.to_owned());
    }
    if let Some(name) = path.strip_prefix("inputs.").filter(|name| is_word(name)) {
        return Some(format!("PLAYBOOK_INPUT_{}", name.to_ascii_uppercase()));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-[]'\"".contains(c);
    if !path.chars().all(fits) || !path.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let path = path.strip_prefix("steps.").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("_").to_ascii_uppercase();
    Some(if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name })
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_cli() {
        for (name, expected) in [
            ("CreateFunction", "create-function"),
            ("logGroupName", "log-group-name"),
            ("KMSKeyArn", "kms-key-arn"),
            ("CodeSha256", "code-sha256"),
            ("MFAOptions", "mfa-options"),
            ("ListWebACLs", "list-web-acls"),
            ("PolicyARNs", "policy-arns"),
            ("S3Bucket", "s3-bucket"),
            ("UUID", "uuid"),
            ("StackId", "stack-id"),
            ("", ""),
        ] {
            assert_eq!(kebab(name), expected, "{name}");
        }
    }

    #[test]
    fn variables_are_named_after_paths() {
        for (path, expected) in [
            ("steps.role.arn", Some("ROLE_ARN")),
            ("steps.create-role.arn", Some("CREATE_ROLE_ARN")),
            ("steps.stack.outputs.PoolId", Some("STACK_OUTPUTS_POOLID")),
            ("steps.x.items[0].arn", Some("X_ITEMS_0_ARN")),
            ("inputs.password", Some("PLAYBOOK_INPUT_PASSWORD")),
            ("env.HOME", Some("HOME")),
            ("run.account", Some("RUN_ACCOUNT")),
            ("item", Some("ITEM")),
            ("a == 'b'", None),
            ("", None),
        ] {
            assert_eq!(variable(path).as_deref(), expected, "{path}");
        }
    }
}
