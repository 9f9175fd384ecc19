#!/usr/bin/env bash
# The scenario with the AWS CLI: what a careful person would write, without a journal.
set -euo pipefail
cd "$(dirname "$0")"
name="compare-$$-$RANDOM"
policy=arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
room="$(mktemp -d)"
undo=()
finish() {
    for ((at = ${#undo[@]} - 1; at >= 0; at--)); do eval "${undo[at]}" > /dev/null; done
    rm -rf "$room"
}
trap finish EXIT

python3 -m zipfile -c "$room/code.zip" handler.py
role="$(aws iam create-role --role-name "$name" --query Role.Arn --output text --assume-role-policy-document \
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}')"
undo+=("aws iam delete-role --role-name $name")
aws iam attach-role-policy --role-name "$name" --policy-arn "$policy"
undo+=("aws iam detach-role-policy --role-name $name --policy-arn $policy")
aws logs create-log-group --log-group-name "/aws/lambda/$name"
undo+=("aws logs delete-log-group --log-group-name /aws/lambda/$name")
until aws lambda create-function --function-name "$name" --runtime python3.13 --handler handler.handler --role "$role" \
    --zip-file "fileb://$room/code.zip" > /dev/null 2> "$room/error"; do
    grep -q 'cannot be assumed' "$room/error" || { cat "$room/error" >&2; exit 1; }
    sleep 0.1
done
undo+=("aws lambda delete-function --function-name $name")
aws lambda wait function-active-v2 --function-name "$name"
for number in {0..9}; do
    # From a file, because versions 1 and 2 read what stands here differently.
    printf '{"number": %d}' "$number" > "$room/event"
    aws lambda invoke --function-name "$name" --payload "fileb://$room/event" "$room/answer" > /dev/null
    grep -q "\"number\": $((number + 1))}" "$room/answer"
done
