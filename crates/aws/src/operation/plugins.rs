//! What of a call the orchestrator is given beside its request: signature, retries, interceptors; and the way to HTTP and back.

use aws_model::Found;
use aws_model::wire::{Call, Headers, Request, Response};
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::recursion_detection::RecursionDetectionInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_sigv4::http_request::SignableBody;
use aws_smithy_checksums::ChecksumAlgorithm;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, ModeledAsRetryableClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_types::region::{Region, SigningRegion};
use aws_types::{SdkConfig, SigningName};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::destination::Destination;
use super::failure::OperationFailure;
use crate::intercept::Watch;

/// A call that is signed and watched.
pub(super) struct Signed<'c> {
    pub(super) config: &'c SdkConfig,
    pub(super) found: Found,
    pub(super) destination: &'c Destination,
    pub(super) watch: Watch,
}

impl Signed<'_> {
    pub(super) fn plugin(&self) -> StaticRuntimePlugin {
        StaticRuntimePlugin::new()
            .with_config(self.layer().freeze())
            .with_runtime_components(self.components())
    }

    fn layer(&self) -> Layer {
        let metadata = &self.found.service.metadata;
        let mut layer = Layer::new("operation by name");
        layer.store_put(ApiMetadata::new(metadata.service_id, metadata.api_version));
        if let Some(name) = self.config.app_name() {
            layer.store_put(name.clone());
        }
        let Some(signing) = &self.destination.signing else { return layer };
        let is_storage = matches!(metadata.signature_version, "s3" | "s3v4");
        let mut options = SigningOptions::default();
        options.double_uri_encode = signing.encodes_twice;
        options.normalize_uri_path = !is_storage;
        options.content_sha256_header = is_storage;
        let is_private = self.destination.url.starts_with("https://");
        if self.found.operation.unsigned_payload && is_private {
            options.payload_override = Some(SignableBody::UnsignedPayload);
            options.content_sha256_header = true;
        }
        let config = SigV4OperationSigningConfig { signing_options: options, ..Default::default() };
        layer.store_put(config);
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigningName::from(signing.name.clone()));
        layer.store_put(SigningRegion::from(Region::new(signing.region.clone())));
        layer
    }

    fn components(&self) -> RuntimeComponentsBuilder {
        let mut components = RuntimeComponentsBuilder::new("operation by name")
            .with_interceptor(ServiceClockSkewInterceptor::new())
            .with_interceptor(RequestInfoInterceptor::new())
            .with_interceptor(UserAgentInterceptor::new())
            .with_interceptor(InvocationIdInterceptor::new())
            .with_interceptor(SharedInterceptor::permanent(RecursionDetectionInterceptor::new()))
            .with_interceptor(SharedInterceptor::permanent(self.watch))
            .with_retry_classifier(HttpStatusCodeClassifier::default())
            .with_retry_classifier(TransientErrorClassifier::<OperationFailure>::new())
            .with_retry_classifier(ModeledAsRetryableClassifier::<OperationFailure>::new())
            .with_retry_classifier(AwsErrorCodeClassifier::<OperationFailure>::new())
            .with_retry_classifier(ServiceClockSkewClassifier::<OperationFailure>::new());
        if self.destination.signing.is_none() {
            return components;
        }
        let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
        components
            .set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)));
        components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        if let Some(credentials) = self.config.credentials_provider() {
            let resolver = SharedIdentityResolver::new(credentials);
            components.set_identity_resolver(SCHEME_ID, resolver);
        }
        let cache = self.config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build());
        components.set_identity_cache(Some(cache));
        components
    }
}

/// Adds the checksum that the operation has of its body.
pub(super) fn add_checksum(call: &Call<'_>, input: &Value, request: &mut Request) {
    let Some(wanted) = call.checksum(input, request) else { return };
    let Ok(algorithm) = wanted.algorithm.to_ascii_lowercase().parse::<ChecksumAlgorithm>() else {
        return;
    };
    let mut checksum = algorithm.into_impl();
    checksum.update(&request.body);
    request.headers.set(wanted.header, BASE64_STANDARD.encode(checksum.finalize()));
    if let Some((name, algorithm)) = wanted.algorithm_header {
        request.headers.set(name, algorithm);
    }
}

/// A request as the SDK sends it.
pub(super) fn to_http(request: &Request) -> Result<HttpRequest, BoxError> {
    let mut sent = HttpRequest::new(SdkBody::from(request.body.clone()));
    sent.set_method(&request.method)?;
    sent.set_uri(request.target())?;
    for (name, value) in request.headers.iter() {
        sent.headers_mut().try_insert(name.to_ascii_lowercase(), value.to_owned())?;
    }
    // Whoever takes no body needs not be told that there is none.
    if !request.body.is_empty() || !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        sent.headers_mut().insert("content-length", request.body.len().to_string());
    }
    Ok(sent)
}

/// A response as the models read it.
pub(super) fn from_http(response: &HttpResponse) -> Response {
    let mut headers = Headers::default();
    for (name, value) in response.headers() {
        headers.set(name, value);
    }
    Response {
        status: response.status().as_u16(),
        headers,
        body: response.body().bytes().unwrap_or_default().to_vec(),
    }
}
