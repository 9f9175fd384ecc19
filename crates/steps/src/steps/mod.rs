//! The step kinds: one file each, one line each here.

use crate::operation;
use engine::language::spec::{Kinds, Spec, UnknownOperation};
use engine::step::kind::Kind;

/// Declares the modules and the registry. A line reads `file Kind`.
macro_rules! registry {
    ($($module:ident $kind:ident,)*) => {
        $(mod $module;)*

        /// Every step kind, in the order in which `playbook steps` lists them.
        pub static KINDS: &[Kind] = &[$({
            fn spec() -> &'static Spec {
                static SPEC: std::sync::OnceLock<Spec> = std::sync::OnceLock::new();
                engine::step::kind::spec_of::<$module::$kind>(&SPEC)
            }
            Kind::of::<$module::$kind>(spec)
        },)*];
    };
}

registry! {
    get_caller_identity GetCallerIdentity,
    create_role CreateRole,
    get_role GetRole,
    attach_role_policy AttachRolePolicy,
    put_role_policy PutRolePolicy,
    delete_role DeleteRole,
    create_function CreateFunction,
    get_function GetFunction,
    list_functions ListFunctions,
    invoke Invoke,
    update_function_code UpdateFunctionCode,
    update_function_configuration UpdateFunctionConfiguration,
    add_permission AddPermission,
    delete_function DeleteFunction,
    create_log_group CreateLogGroup,
    log_events LogEvents,
    event Event,
    create_bucket CreateBucket,
    put_object PutObject,
    get_object GetObject,
    head_object HeadObject,
    list_objects ListObjects,
    delete_object DeleteObject,
    deploy_stack DeployStack,
    stack_outputs StackOutputs,
    create_user_pool CreateUserPool,
    create_user_pool_client CreateUserPoolClient,
    update_triggers UpdateTriggers,
    sign_up SignUp,
    confirm_sign_up ConfirmSignUp,
    resend_code ResendCode,
    sign_in SignIn,
    answer_challenge AnswerChallenge,
    refresh_tokens RefreshTokens,
    forgot_password ForgotPassword,
    confirm_forgot_password ConfirmForgotPassword,
    get_user GetUser,
    delete_user DeleteUser,
    admin_create_user AdminCreateUser,
    admin_set_user_password AdminSetUserPassword,
    admin_get_user AdminGetUser,
    admin_delete_user AdminDeleteUser,
    update_attributes UpdateAttributes,
    create_group CreateGroup,
    add_to_group AddToGroup,
    create_table CreateTable,
    put_item PutItem,
    batch_write_items BatchWriteItems,
    get_item GetItem,
    scan Scan,
    query Query,
    delete_item DeleteItem,
    http Http,
    ask Ask,
    choose Choose,
    confirm Confirm,
    print Print,
    pause Pause,
    set Set,
    assert Assert,
    fail Fail,
}

/// The step kind of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    let own = KINDS.iter().find(|kind| kind.name == name);
    own.or_else(|| operation::is_operation(name).then_some(&operation::OPERATION))
}

/// The step kind that makes, and so can undo, resources of that type.
#[must_use]
pub fn maker_of(resource_type: &str) -> Option<&'static Kind> {
    let own = KINDS.iter().find(|kind| !kind.makes.is_empty() && kind.makes == resource_type);
    own.or_else(|| operation::is_operation(resource_type).then_some(&operation::OPERATION))
}

/// The registry, as readers of playbooks see it.
#[derive(Debug, Clone, Copy)]
pub struct Registry;

impl Kinds for Registry {
    fn names(&self) -> Vec<&'static str> {
        KINDS.iter().map(|kind| kind.name).collect()
    }

    fn is_reserved(&self, word: &str) -> bool {
        engine::aws::is_reserved_word(word)
    }

    fn spec(&self, name: &str) -> Option<&'static Spec> {
        let own = KINDS.iter().find(|kind| kind.name == name);
        own.map(|kind| (kind.spec)()).or_else(|| operation::spec(name))
    }

    fn unknown_operation(&self, name: &str) -> Option<UnknownOperation> {
        operation::unknown(name)
    }
}

#[cfg(test)]
mod tests;
