"""A user pool in which little is as it would be by default, to see what is left of it.

user_pool.py create                   makes one and prints its id
user_pool.py describe ID              prints what DescribeUserPool says of it, as JSON
user_pool.py set-trigger-alone ID ARN updates it with nothing but a trigger, as one must not

Needs AWS_ENDPOINT_URL, a region and any credentials in the environment.
"""

import json
import sys

import boto3

CODE = "Your code is {####}."
SETTINGS = {
    "PoolName": "people",
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 12,
            "RequireUppercase": True,
            "RequireLowercase": True,
            "RequireNumbers": False,
            "RequireSymbols": True,
            "TemporaryPasswordValidityDays": 3,
        }
    },
    "DeletionProtection": "ACTIVE",
    "AutoVerifiedAttributes": ["email"],
    "SmsVerificationMessage": CODE,
    "EmailVerificationMessage": CODE,
    "EmailVerificationSubject": "Your code",
    "VerificationMessageTemplate": {
        "SmsMessage": CODE,
        "EmailMessage": CODE,
        "EmailSubject": "Your code",
        "EmailMessageByLink": "Please {##click here##}.",
        "EmailSubjectByLink": "Your link",
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
    },
    "SmsAuthenticationMessage": "Sign in with {####}.",
    "MfaConfiguration": "OFF",
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": True},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT", "ReplyToEmailAddress": "people@example.com"},
    "UserPoolTags": {"team": "people", "stage": "test"},
    "AdminCreateUserConfig": {
        "AllowAdminCreateUserOnly": True,
        "InviteMessageTemplate": {
            "EmailSubject": "Welcome",
            "EmailMessage": "You are {username}, your password is {####}.",
            "SMSMessage": "You are {username}, your password is {####}.",
        },
    },
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]},
}

cognito = boto3.client("cognito-idp")


def described(user_pool_id):
    pool = cognito.describe_user_pool(UserPoolId=user_pool_id)["UserPool"]
    # Whoever counts the days in the password policy has them at 0 here, or not at all.
    if pool.get("AdminCreateUserConfig", {}).get("UnusedAccountValidityDays") == 0:
        del pool["AdminCreateUserConfig"]["UnusedAccountValidityDays"]
    del pool["LastModifiedDate"]
    return pool


def main(action, *arguments):
    if action == "create":
        print(cognito.create_user_pool(**SETTINGS)["UserPool"]["Id"])
    elif action == "describe":
        print(json.dumps(described(*arguments), sort_keys=True, default=str))
    elif action == "set-trigger-alone":
        user_pool_id, function = arguments
        cognito.update_user_pool(UserPoolId=user_pool_id, LambdaConfig={"PreSignUp": function})
    else:
        raise SystemExit(__doc__)


main(*sys.argv[1:])
