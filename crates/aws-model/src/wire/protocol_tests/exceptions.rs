//! The cases that do not apply, with the reason.

/// File, case, reason. botocore excepts all of them itself, but for the last kind.
pub(super) type Exception = (&'static str, &'static str, &'static str);

const JSON_VALUE: &str = "botocore takes any value for JSON in a header and writes it as JSON; the case has it as JSON text already";
const EMPTY_LIST: &str = "botocore leaves an empty list out of the headers";
const ROOT_NAME: &str = "the case's model says `nested` as the name of the body, as S3's model says its names, and expects another one";

pub(super) const INPUT: &[Exception] = &[
    ("rest-json", "MediaTypeHeaderInputBase64", JSON_VALUE),
    ("rest-json", "RestJsonNullAndEmptyHeaders", EMPTY_LIST),
    ("rest-xml", "NullAndEmptyHeaders", EMPTY_LIST),
    (
        "rest-json",
        "RestJsonHttpChecksumRequired",
        "MD5 was the default once; the SDKs send the checksum that `Call::checksum` names",
    ),
    (
        "rest-json",
        "RestJsonHttpPayloadWithUnsetUnion",
        "botocore sends an empty map for a body that is not given",
    ),
    ("rest-xml", "RestXmlHttpPayloadWithUnion", ROOT_NAME),
    ("rest-xml", "HttpPayloadWithXmlName", ROOT_NAME),
    ("rest-xml", "HttpPayloadWithXmlNamespace", ROOT_NAME),
    ("rest-xml", "HttpPayloadWithXmlNamespaceAndPrefix", ROOT_NAME),
    ("rest-xml", "XmlAttributesOnPayload", ROOT_NAME),
];

/// Requests that a server cannot read as they were meant.
pub(super) const BACK: &[Exception] = &[];

pub(super) const OUTPUT: &[Exception] = &[("rest-json", "MediaTypeHeaderOutputBase64", JSON_VALUE)];

/// Responses that say something else when they come from here.
pub(super) const OUTPUT_BACK: &[Exception] = &[
    ("rest-json", "MediaTypeHeaderOutputBase64", JSON_VALUE),
    (
        "rest-json",
        "HttpPrefixHeadersResponse",
        "its map takes every header there is, also those of every response",
    ),
];
