"""API Gateway: the operations on REST APIs and HTTP APIs, and what APIs cannot be."""

import re
import uuid

from botocore.exceptions import ClientError

from checks import pick, scene

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


def rest(s, operation, /, **parameters):
    return s.call("apigateway", operation, **parameters)


def http(s, operation, /, **parameters):
    return s.call("apigatewayv2", operation, **parameters)


def refused(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "apigateway", operation, message=message, **parameters)


def refused_http(s, name, code, operation, message=None, /, **parameters):
    return s.refused(name, code, "apigatewayv2", operation, message=message, **parameters)


def api_of(s, **parameters):
    """A REST API that goes when the scene ends, and its root."""
    made = rest(s, "create_rest_api", name=f"conformance-{uuid.uuid4().hex[:8]}", **parameters)
    s.after.callback(remove, s.client("apigateway").delete_rest_api, restApiId=made["id"])
    root = rest(s, "get_resources", restApiId=made["id"])["items"][0]["id"]
    return made["id"], root


def remove(delete, **parameters):
    try:
        delete(**parameters)
    except ClientError:
        pass


def method_of(s, api, resource, name="GET", **parameters):
    of = {"restApiId": api, "resourceId": resource, "httpMethod": name}
    rest(s, "put_method", **of, authorizationType="NONE", **parameters)
    rest(s, "put_integration", **of, type="AWS_PROXY", integrationHttpMethod="POST", uri=URI)
    return of


def change(path, value, op="replace"):
    return [{"op": op, "path": path, "value": value}]


@scene()
def a_rest_api(s):
    api, root = api_of(s, description="one", binaryMediaTypes=["image/png"], tags={"a": "b"})
    shown = rest(s, "get_rest_api", restApiId=api)
    s.holds("its id", re.fullmatch(r"[a-z0-9]{10}", api), api)
    s.same("as it was made", pick(shown, "description", "binaryMediaTypes", "tags", "apiKeySource", "disableExecuteApiEndpoint"), {"description": "one", "binaryMediaTypes": ["image/png"], "tags": {"a": "b"}, "apiKeySource": "HEADER", "disableExecuteApiEndpoint": False})
    s.same("its endpoint", shown["endpointConfiguration"]["types"], ["EDGE"])
    s.same("its root", shown.get("rootResourceId"), root)
    s.holds("among all", any(one["id"] == api for one in rest(s, "get_rest_apis", limit=500)["items"]))
    s.same("another description", rest(s, "update_rest_api", restApiId=api, patchOperations=change("/description", "two"))["description"], "two")
    refused(s, "a change of what cannot be changed", "BadRequestException", "update_rest_api", re.compile("Invalid patch path"), restApiId=api, patchOperations=change("/id", "x"))
    rest(s, "delete_rest_api", restApiId=api)
    refused(s, "when it is gone", "NotFoundException", "get_rest_api", re.compile("Invalid API identifier specified"), restApiId=api)


@scene()
def resources(s):
    api, root = api_of(s)
    pets = rest(s, "create_resource", restApiId=api, parentId=root, pathPart="pets")
    s.same("one", pick(pets, "path", "pathPart", "parentId"), {"path": "/pets", "pathPart": "pets", "parentId": root})
    pet = rest(s, "create_resource", restApiId=api, parentId=pets["id"], pathPart="{id}")
    s.same("below it", pet["path"], "/pets/{id}")
    s.same("all of them", sorted(one["path"] for one in rest(s, "get_resources", restApiId=api)["items"]), ["/", "/pets", "/pets/{id}"])
    refused(s, "the same again", "ConflictException", "create_resource", "Another resource with the same parent already has this name: pets", restApiId=api, parentId=root, pathPart="pets")
    refused(s, "a second variable", "BadRequestException", "create_resource", "A sibling ({id}) of this resource already has a variable path part -- only one is allowed", restApiId=api, parentId=pets["id"], pathPart="{name}")
    refused(s, "a part with a space", "BadRequestException", "create_resource", restApiId=api, parentId=root, pathPart="a b")
    refused(s, "below what is not there", "NotFoundException", "create_resource", "Invalid Resource identifier specified", restApiId=api, parentId="none", pathPart="x")
    moved = rest(s, "update_resource", restApiId=api, resourceId=pets["id"], patchOperations=change("/pathPart", "animals"))
    s.same("renamed", moved["path"], "/animals")
    rest(s, "delete_resource", restApiId=api, resourceId=pets["id"])
    refused(s, "gone with its parent", "NotFoundException", "get_resource", "Invalid Resource identifier specified", restApiId=api, resourceId=pet["id"])


@scene()
def methods(s):
    api, root = api_of(s)
    of = method_of(s, api, root, operationName="pets", requestParameters={"method.request.header.X": True})
    shown = rest(s, "get_method", **of)
    s.same("one", pick(shown, "authorizationType", "apiKeyRequired", "operationName", "requestParameters"), {"authorizationType": "NONE", "apiKeyRequired": False, "operationName": "pets", "requestParameters": {"method.request.header.X": True}})
    integration = shown["methodIntegration"]
    wanted = {"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI, "passthroughBehavior": "WHEN_NO_MATCH", "timeoutInMillis": 29000, "cacheKeyParameters": []}
    s.same("what answers it", pick(integration, *wanted), wanted)
    s.same("its cache is the resource's", integration.get("cacheNamespace") == root, True)
    s.same("in its resource", rest(s, "get_resource", restApiId=api, resourceId=root)["resourceMethods"], {"GET": {}})
    refused(s, "the same again", "ConflictException", "put_method", "Method already exists for this resource", **of, authorizationType="NONE")
    refused(s, "one that HTTP has not", "BadRequestException", "put_method", re.compile("Invalid HttpMethod specified"), **{**of, "httpMethod": "FETCH"}, authorizationType="NONE")
    refused(s, "an authorizer that is not there", "BadRequestException", "put_method", re.compile("Invalid authorizer ID specified"), **{**of, "httpMethod": "PUT"}, authorizationType="CUSTOM", authorizerId="none")
    refused(s, "a validator that is not there", "BadRequestException", "put_method", "Invalid Request Validator identifier specified", **{**of, "httpMethod": "PUT"}, authorizationType="NONE", requestValidatorId="none")
    refused(s, "a parameter that is none", "BadRequestException", "put_method", re.compile("Invalid mapping expression"), **{**of, "httpMethod": "PUT"}, authorizationType="NONE", requestParameters={"header.X": True})
    refused(s, "no function", "BadRequestException", "put_integration", re.compile("only supports Lambda"), **of, type="AWS_PROXY", integrationHttpMethod="POST", uri="arn:aws:apigateway:us-east-1:sqs:path/123456789012/q")
    refused(s, "no ARN", "BadRequestException", "put_integration", "Invalid ARN specified in the request", **of, type="AWS_PROXY", integrationHttpMethod="POST", uri="f")
    declared = rest(s, "put_method_response", **of, statusCode="200", responseParameters={"method.response.header.X": False})
    s.same("a response", pick(declared, "statusCode", "responseParameters"), {"statusCode": "200", "responseParameters": {"method.response.header.X": False}})
    rest(s, "put_integration_response", **of, statusCode="200", responseParameters={"method.response.header.X": "'a'"})
    s.same("of the integration", rest(s, "get_integration", **of)["integrationResponses"]["200"]["responseParameters"], {"method.response.header.X": "'a'"})
    refused(s, "a status that is not there", "NotFoundException", "get_method_response", "Invalid Response status code specified", **of, statusCode="404")
    changed = rest(s, "update_method", **of, patchOperations=change("/operationName", "list"))
    s.same("another name", changed["operationName"], "list")
    rest(s, "delete_integration", **of)
    refused(s, "nothing that answers", "NotFoundException", "get_integration", "Invalid Integration identifier specified", **of)
    rest(s, "delete_method", **of)
    refused(s, "when it is gone", "NotFoundException", "get_method", "Invalid Method identifier specified", **of)


@scene()
def deployments_and_stages(s):
    api, root = api_of(s)
    refused(s, "of nothing", "BadRequestException", "create_deployment", "The REST API doesn't contain any methods", restApiId=api)
    of = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    rest(s, "put_method", **of, authorizationType="NONE")
    refused(s, "of a method that nothing answers", "BadRequestException", "create_deployment", "No integration defined for method", restApiId=api)
    rest(s, "put_integration", **of, type="AWS_PROXY", integrationHttpMethod="POST", uri=URI)
    first = rest(s, "create_deployment", restApiId=api, stageName="prod", description="first", variables={"colour": "blue"})
    s.same("one", first.get("description"), "first")
    stage = rest(s, "get_stage", restApiId=api, stageName="prod")
    s.same("its stage", pick(stage, "variables", "cacheClusterEnabled", "tracingEnabled"), {"variables": {"colour": "blue"}, "cacheClusterEnabled": False, "tracingEnabled": False})
    s.same("it answers there", stage["deploymentId"] == first["id"], True)
    s.same("what it has", rest(s, "get_deployment", restApiId=api, deploymentId=first["id"], embed=["apisummary"]).get("apiSummary"), {"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}})
    second = rest(s, "create_deployment", restApiId=api)
    other = rest(s, "create_stage", restApiId=api, stageName="other", deploymentId=second["id"])
    s.same("another stage", pick(other, "stageName", "deploymentId"), {"stageName": "other", "deploymentId": second["id"]})
    refused(s, "the same stage again", "ConflictException", "create_stage", "Stage already exists", restApiId=api, stageName="other", deploymentId=second["id"])
    refused(s, "a stage of no deployment", "BadRequestException", "create_stage", restApiId=api, stageName="third", deploymentId="none")
    refused(s, "one that answers cannot be deleted", "BadRequestException", "delete_deployment", "Active stages pointing to this deployment must be moved or deleted", restApiId=api, deploymentId=second["id"])
    s.same("variables change", rest(s, "update_stage", restApiId=api, stageName="prod", patchOperations=change("/variables/colour", "red"))["variables"], {"colour": "red"})
    s.same("all stages", sorted(one["stageName"] for one in rest(s, "get_stages", restApiId=api)["item"]), ["other", "prod"])
    rest(s, "delete_stage", restApiId=api, stageName="other")
    rest(s, "delete_deployment", restApiId=api, deploymentId=second["id"])
    refused(s, "when it is gone", "NotFoundException", "get_deployment", "Invalid Deployment identifier specified", restApiId=api, deploymentId=second["id"])
    refused(s, "a stage that is gone", "NotFoundException", "get_stage", "Invalid stage identifier specified", restApiId=api, stageName="other")


@scene()
def authorizers_validators_and_models(s):
    api, root = api_of(s)
    gate = rest(s, "create_authorizer", restApiId=api, name="gate", type="TOKEN", authorizerUri=URI, identitySource="method.request.header.X")
    s.same("an authorizer", pick(gate, "name", "type", "identitySource", "authorizerResultTtlInSeconds"), {"name": "gate", "type": "TOKEN", "identitySource": "method.request.header.X", "authorizerResultTtlInSeconds": 300})
    refused(s, "one of no pool", "BadRequestException", "create_authorizer", restApiId=api, name="x", type="COGNITO_USER_POOLS")
    of = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    rest(s, "put_method", **of, authorizationType="CUSTOM", authorizerId=gate["id"])
    changed = rest(s, "update_authorizer", restApiId=api, authorizerId=gate["id"], patchOperations=change("/authorizerResultTtlInSeconds", "5"))
    s.same("changed", changed["authorizerResultTtlInSeconds"], 5)
    refused(s, "one that is not there", "NotFoundException", "get_authorizer", "Invalid Authorizer identifier specified", restApiId=api, authorizerId="none")
    validator = rest(s, "create_request_validator", restApiId=api, name="v", validateRequestBody=True)
    s.same("a validator", pick(validator, "name", "validateRequestBody", "validateRequestParameters"), {"name": "v", "validateRequestBody": True, "validateRequestParameters": False})
    s.same("those that every API has", sorted(one["name"] for one in rest(s, "get_models", restApiId=api)["items"]), ["Empty", "Error"])
    model = rest(s, "create_model", restApiId=api, name="Pet", contentType="application/json", schema='{"type": "object"}')
    s.same("a model", pick(model, "name", "contentType", "schema"), {"name": "Pet", "contentType": "application/json", "schema": '{"type": "object"}'})
    refused(s, "the same again", "ConflictException", "create_model", restApiId=api, name="Pet", contentType="application/json", schema="{}")
    rest(s, "delete_model", restApiId=api, modelName="Pet")
    refused(s, "a model that is gone", "NotFoundException", "get_model", restApiId=api, modelName="Pet")


@scene()
def an_http_api(s):
    made = http(s, "create_api", Name="conformance", ProtocolType="HTTP", Tags={"a": "b"})
    api = made["ApiId"]
    s.after.callback(remove, s.client("apigatewayv2").delete_api, ApiId=api)
    s.same("one", pick(made, "ProtocolType", "RouteSelectionExpression", "ApiKeySelectionExpression", "Tags"), {"ProtocolType": "HTTP", "RouteSelectionExpression": "$request.method $request.path", "ApiKeySelectionExpression": "$request.header.x-api-key", "Tags": {"a": "b"}})
    integration = http(s, "create_integration", ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION, PayloadFormatVersion="2.0")
    s.same("an integration", pick(integration, "IntegrationType", "PayloadFormatVersion", "ConnectionType"), {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "ConnectionType": "INTERNET"})
    target = f"integrations/{integration['IntegrationId']}"
    route = http(s, "create_route", ApiId=api, RouteKey="GET /pets", Target=target)
    s.same("a route", pick(route, "RouteKey", "Target", "AuthorizationType", "ApiKeyRequired"), {"RouteKey": "GET /pets", "Target": target, "AuthorizationType": "NONE", "ApiKeyRequired": False})
    refused_http(s, "the same route again", "ConflictException", "create_route", ApiId=api, RouteKey="GET /pets", Target=target)
    refused_http(s, "a route of no method", "BadRequestException", "create_route", ApiId=api, RouteKey="/pets", Target=target)
    refused_http(s, "an integration that is used", "ConflictException", "delete_integration", ApiId=api, IntegrationId=integration["IntegrationId"])
    refused_http(s, "an integration without a version", "BadRequestException", "create_integration", ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION)
    stage = http(s, "create_stage", ApiId=api, StageName="$default", AutoDeploy=True)
    s.same("a stage", pick(stage, "StageName", "AutoDeploy", "StageVariables"), {"StageName": "$default", "AutoDeploy": True, "StageVariables": {}})
    refused_http(s, "the same stage again", "ConflictException", "create_stage", ApiId=api, StageName="$default")
    s.same("another name", http(s, "update_api", ApiId=api, Name="other")["Name"], "other")
    http(s, "delete_api", ApiId=api)
    refused_http(s, "when it is gone", "NotFoundException", "get_api", re.compile("Invalid API identifier specified"), ApiId=api)


@scene()
def an_http_api_of_one_call(s):
    made = http(s, "create_api", Name="conformance", ProtocolType="HTTP", Target=FUNCTION)
    api = made["ApiId"]
    s.after.callback(remove, s.client("apigatewayv2").delete_api, ApiId=api)
    s.same("its route", [one["RouteKey"] for one in http(s, "get_routes", ApiId=api)["Items"]], ["$default"])
    s.same("its stage", [one["StageName"] for one in http(s, "get_stages", ApiId=api)["Items"]], ["$default"])
