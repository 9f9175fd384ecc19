//! An operation's name → what does it.

use super::{Cognito, Context, Output, State, keys};
use crate::protocol::AwsError;
use crate::protocol::json::parse;

type Operation = fn(&mut State, &[u8], &Context) -> Output;

/// The operations that call no function and send no mail.
const PLAIN: &[(&str, Operation)] = &[
    ("AddCustomAttributes", State::add_custom_attributes),
    ("AdminAddUserToGroup", State::admin_add_user_to_group),
    ("AdminDeleteUser", State::admin_delete_user),
    ("AdminDeleteUserAttributes", State::admin_delete_user_attributes),
    ("AdminDisableUser", State::admin_disable_user),
    ("AdminEnableUser", State::admin_enable_user),
    ("AdminGetUser", State::admin_get_user),
    ("AdminListGroupsForUser", State::admin_list_groups_for_user),
    ("AdminRemoveUserFromGroup", State::admin_remove_user_from_group),
    ("AdminSetUserMFAPreference", State::admin_set_user_mfa_preference),
    ("AdminSetUserPassword", State::admin_set_user_password),
    ("AdminUserGlobalSignOut", State::admin_user_global_sign_out),
    ("AssociateSoftwareToken", State::associate_software_token),
    ("ChangePassword", State::change_password),
    ("CreateGroup", State::create_group),
    ("CreateUserPool", State::create_user_pool),
    ("CreateUserPoolClient", State::create_user_pool_client),
    ("DeleteGroup", State::delete_group),
    ("DeleteUser", State::delete_user),
    ("DeleteUserAttributes", State::delete_user_attributes),
    ("DeleteUserPool", State::delete_user_pool),
    ("DeleteUserPoolClient", State::delete_user_pool_client),
    ("DescribeUserPool", State::describe_user_pool),
    ("DescribeUserPoolClient", State::describe_user_pool_client),
    ("GetGroup", State::get_group),
    ("GetUser", State::get_user),
    ("GetUserPoolMfaConfig", State::get_user_pool_mfa_config),
    ("GlobalSignOut", State::global_sign_out),
    ("ListGroups", State::list_groups),
    ("ListTagsForResource", State::list_tags_for_resource),
    ("ListUserPoolClients", State::list_user_pool_clients),
    ("ListUserPools", State::list_user_pools),
    ("ListUsers", State::list_users),
    ("ListUsersInGroup", State::list_users_in_group),
    ("RevokeToken", State::revoke_token),
    ("SetUserMFAPreference", State::set_user_mfa_preference),
    ("SetUserPoolMfaConfig", State::set_user_pool_mfa_config),
    ("TagResource", State::tag_resource),
    ("UntagResource", State::untag_resource),
    ("UpdateGroup", State::update_group),
    ("UpdateUserPool", State::update_user_pool),
    ("UpdateUserPoolClient", State::update_user_pool_client),
    ("VerifySoftwareToken", State::verify_software_token),
    ("VerifyUserAttribute", State::verify_user_attribute),
];

/// The others.
const FLOWS: [&str; 16] = [
    "AdminConfirmSignUp",
    "AdminCreateUser",
    "AdminInitiateAuth",
    "AdminResetUserPassword",
    "AdminRespondToAuthChallenge",
    "AdminUpdateUserAttributes",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "ForgotPassword",
    "GetTokensFromRefreshToken",
    "GetUserAttributeVerificationCode",
    "InitiateAuth",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "SignUp",
    "UpdateUserAttributes",
];

/// What people call without credentials of AWS: SDKs do not sign these.
const PUBLIC: [&str; 20] = [
    "AssociateSoftwareToken",
    "ChangePassword",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "DeleteUser",
    "DeleteUserAttributes",
    "ForgotPassword",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GlobalSignOut",
    "InitiateAuth",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "SetUserMFAPreference",
    "SignUp",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

/// Whether the operation needs no signature.
pub(super) fn is_public(operation: &str) -> bool {
    PUBLIC.contains(&operation)
}

impl Cognito {
    /// Calls an operation by its name, with its input as JSON: what the listener and CloudFormation do.
    pub(super) async fn call(&self, operation: &str, body: &[u8]) -> Output {
        if let Some((_, plain)) = PLAIN.iter().find(|(known, _)| *known == operation) {
            if operation == "CreateUserPool" {
                keys::prepare();
            }
            return self.with(|state, context| plain(state, body, context));
        }
        match operation {
            "AdminConfirmSignUp" => self.admin_confirm_sign_up(parse(body)?).await,
            "AdminCreateUser" => self.admin_create_user(parse(body)?).await,
            "AdminInitiateAuth" => self.initiate_auth(parse(body)?, true).await,
            "AdminResetUserPassword" => self.admin_reset_user_password(parse(body)?).await,
            "AdminRespondToAuthChallenge" => self.respond_to_challenge(parse(body)?, true).await,
            "AdminUpdateUserAttributes" => self.admin_update_user_attributes(parse(body)?).await,
            "ConfirmForgotPassword" => self.confirm_forgot_password(parse(body)?).await,
            "ConfirmSignUp" => self.confirm_sign_up(parse(body)?).await,
            "ForgotPassword" => self.forgot_password(parse(body)?).await,
            "GetTokensFromRefreshToken" => self.tokens_from_refresh_token(parse(body)?).await,
            "GetUserAttributeVerificationCode" => self.send_attribute_code(parse(body)?).await,
            "InitiateAuth" => self.initiate_auth(parse(body)?, false).await,
            "ResendConfirmationCode" => self.resend_confirmation_code(parse(body)?).await,
            "RespondToAuthChallenge" => self.respond_to_challenge(parse(body)?, false).await,
            "SignUp" => self.sign_up(parse(body)?).await,
            "UpdateUserAttributes" => self.update_user_attributes(parse(body)?).await,
            _ => Err(unknown(operation)),
        }
    }
}

fn unknown(operation: &str) -> AwsError {
    let mut supported: Vec<&str> = PLAIN.iter().map(|(known, _)| *known).collect();
    supported.extend(FLOWS);
    supported.sort_unstable();
    let message = format!(
        "Cognito in the local AWS of playbook has no operation {operation}. It has: {}.",
        supported.join(", ")
    );
    AwsError::bad_request("UnknownOperationException", message)
}
