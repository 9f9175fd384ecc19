//! The listener over real sockets.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::protocol::xml;

fn options() -> LocalOptions {
    LocalOptions {
        port: 0,
        latency: LatencyProfile::None,
        region: "eu-west-1".to_owned(),
        account_id: "123456789012".to_owned(),
        launcher: Vec::new(),
        required: None,
    }
}

fn address(aws: &LocalAws) -> String {
    aws.endpoint_url().trim_start_matches("http://").to_owned()
}

/// Sends a request as it stands and reads until the connection is closed.
async fn exchange(aws: &LocalAws, request: &str) -> String {
    let mut stream = TcpStream::connect(address(aws)).await.expect("it listens");
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    // A connection that is reset has answered all that it will.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).replace("\r\n", "\n")
}

fn signed(service: &str, region: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=00\n"
    )
}

fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\nHost: localhost\nConnection: close\n{headers}Content-Length: {length}\n\n{body}"
    )
}

async fn start() -> LocalAws {
    LocalAws::start(options()).await.expect("a free port")
}

#[tokio::test]
async fn the_caller_is_told_who_it_is() {
    let aws = start().await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let answer = exchange(&aws, &post(&signed("sts", "us-east-1"), body)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\n"), "{answer}");
    assert!(answer.contains("<Account>123456789012</Account>"), "{answer}");
    assert!(answer.contains("<Arn>arn:aws:iam::123456789012:user/playbook</Arn>"), "{answer}");
    assert!(answer.contains("<UserId>AIDA"), "{answer}");
    for header in ["\nx-amzn-requestid: ", "\nx-amz-request-id: ", "\ndate: "] {
        assert!(answer.contains(header), "{header} in {answer}");
    }

    let keys = aws.account().state::<sts::State>().open_session(
        "arn:aws:iam::123456789012:role/p/r",
        "f",
        None,
    );
    let answer =
        exchange(&aws, &post(&really_signed(&Keys::of(&keys), "sts", "", body), body)).await;
    assert!(answer.contains("<Arn>arn:aws:sts::123456789012:assumed-role/r/f</Arn>"), "{answer}");
}

/// Credentials of a role, as functions have them.
fn issue(aws: &LocalAws) -> sts::SessionCredentials {
    let arn = "arn:aws:iam::123456789012:role/r";
    aws.account().state::<sts::State>().open_session(arn, "f", None)
}

struct Keys {
    id: String,
    secret: String,
    token: Option<String>,
}

impl Keys {
    fn of(keys: &sts::SessionCredentials) -> Self {
        let token = Some(keys.session_token.clone());
        Self { id: keys.access_key_id.clone(), secret: keys.secret_access_key.clone(), token }
    }

    fn pair(pair: &KeyPair) -> Self {
        let (id, secret) = (pair.access_key_id.clone(), pair.secret_access_key.clone());
        Self { id, secret, token: None }
    }
}

/// The headers of a `POST` whose signature holds; `more` are others, a line each.
fn really_signed(keys: &Keys, service: &str, more: &str, body: &str) -> String {
    let date = signature::date_now();
    let mut headers = hyper::HeaderMap::new();
    headers.insert("host", "localhost".parse().expect("a header"));
    headers.insert("x-amz-date", date.parse().expect("a header"));
    let request = Request {
        method: hyper::Method::POST,
        target: "/".to_owned(),
        path: Vec::new(),
        trailing_slash: true,
        query: Vec::new(),
        headers,
        body: body.to_owned().into(),
        request_id: String::new(),
        credential: None,
        on_behalf_of: None,
    };
    let scope = format!("{}/eu-west-1/{service}/aws4_request", date.get(..8).expect("a day"));
    let signed = ["host", "x-amz-date"];
    let authorization = signature::authorization(&request, &keys.id, &keys.secret, &scope, &signed);
    let token = keys.token.iter().map(|token| format!("X-Amz-Security-Token: {token}\n"));
    let token: String = token.collect();
    format!("Authorization: {authorization}\nX-Amz-Date: {date}\n{token}{more}")
}

#[tokio::test]
async fn a_key_that_was_issued_signs_or_is_refused() {
    let aws = start().await;
    let issued = issue(&aws);
    let keys = Keys::of(&issued);
    let body = "Action=ListRoles&Version=2010-05-08";
    let good = exchange(&aws, &post(&really_signed(&keys, "iam", "", body), body)).await;
    assert!(good.starts_with("HTTP/1.1 200 OK\n"), "{good}");
    let guessed = Keys { secret: "guessed".to_owned(), ..Keys::of(&issued) };
    let bad = exchange(&aws, &post(&really_signed(&guessed, "iam", "", body), body)).await;
    assert!(bad.starts_with("HTTP/1.1 403 Forbidden\n"), "{bad}");
    assert!(bad.contains("<Code>SignatureDoesNotMatch</Code>"), "{bad}");
    let other = "Action=DeleteRole&Version=2010-05-08&RoleName=r";
    let changed = exchange(&aws, &post(&really_signed(&keys, "iam", "", body), other)).await;
    assert!(changed.contains("<Code>SignatureDoesNotMatch</Code>"), "{changed}");
    let tokenless = Keys { token: None, ..Keys::of(&issued) };
    let target = "X-Amz-Target: Logs_20140328.DescribeLogGroups\n";
    let bad = exchange(&aws, &post(&really_signed(&tokenless, "logs", target, "{}"), "{}")).await;
    assert!(bad.starts_with("HTTP/1.1 400 Bad Request\n"), "{bad}");
    assert!(bad.contains("\"__type\":\"UnrecognizedClientException\""), "{bad}");
}

#[tokio::test]
async fn where_credentials_are_required_nothing_else_is_taken() {
    let pair = KeyPair::random();
    let options = LocalOptions { required: Some(pair.clone()), ..options() };
    let aws = LocalAws::start(options).await.expect("a free port");
    let keys = Keys::pair(&pair);
    let body = "Action=ListRoles&Version=2010-05-08";
    let good = exchange(&aws, &post(&really_signed(&keys, "iam", "", body), body)).await;
    assert!(good.starts_with("HTTP/1.1 200 OK\n"), "{good}");
    let issued = issue(&aws);
    let issued = really_signed(&Keys::of(&issued), "iam", "", body);
    let good = exchange(&aws, &post(&issued, body)).await;
    assert!(good.starts_with("HTTP/1.1 200 OK\n"), "{good}");
    let wrong = Keys { secret: "local".to_owned(), ..Keys::pair(&pair) };
    let bad = exchange(&aws, &post(&really_signed(&wrong, "iam", "", body), body)).await;
    assert!(bad.contains("<Code>SignatureDoesNotMatch</Code>"), "{bad}");

    let dummy = exchange(&aws, &post(&signed("iam", "us-east-1"), body)).await;
    assert!(dummy.starts_with("HTTP/1.1 403 Forbidden\n"), "{dummy}");
    assert!(dummy.contains("<Code>InvalidClientTokenId</Code>"), "{dummy}");
    let target =
        format!("{}X-Amz-Target: DynamoDB_20120810.ListTables\n", signed("dynamodb", "eu-west-1"));
    let dummy = exchange(&aws, &post(&target, "{}")).await;
    assert!(dummy.starts_with("HTTP/1.1 400 Bad Request\n"), "{dummy}");
    assert!(dummy.contains("UnrecognizedClientException"), "{dummy}");
    let dummy = exchange(&aws, &get("/b/k", &signed("s3", "eu-west-1"))).await;
    assert!(dummy.contains("<Code>InvalidAccessKeyId</Code>"), "{dummy}");
    let functions = get("/2015-03-31/functions", &signed("lambda", "eu-west-1"));
    let dummy = exchange(&aws, &functions).await;
    assert!(dummy.contains("x-amzn-errortype: UnrecognizedClientException\n"), "{dummy}");

    let inbox = exchange(&aws, &get("/_playbook/inbox", "")).await;
    assert!(inbox.starts_with("HTTP/1.1 401 Unauthorized\n"), "{inbox}");
    let basic = |password: &str| {
        use base64::Engine as _;
        let text = format!("{}:{password}", pair.access_key_id);
        let text = base64::prelude::BASE64_STANDARD.encode(text);
        get("/_playbook/inbox", &format!("Authorization: Basic {text}\n"))
    };
    let inbox = exchange(&aws, &basic("local")).await;
    assert!(inbox.starts_with("HTTP/1.1 401 Unauthorized\n"), "{inbox}");
    let inbox = exchange(&aws, &basic(&pair.secret_access_key)).await;
    assert!(inbox.starts_with("HTTP/1.1 200 OK\n"), "{inbox}");
}

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\nHost: localhost\nConnection: close\n{headers}\n")
}

#[tokio::test]
async fn a_link_may_ask_and_change_nothing() {
    let aws = start().await;
    let before = aws.account().snapshot();
    let trust = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A\
                 %22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D";
    let create = format!(
        "Action=CreateRole&Version=2010-05-08&RoleName=planted&AssumeRolePolicyDocument={trust}"
    );
    let presigned = |service: &str, rest: &str| {
        format!(
            "/?{rest}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host&X-Amz-Signature=00&\
             X-Amz-Credential=local%2F20261130%2Feu-west-1%2F{service}%2Faws4_request"
        )
    };
    let planted = exchange(&aws, &get(&presigned("iam", &create), "")).await;
    assert!(planted.starts_with("HTTP/1.1 403 Forbidden\n"), "{planted}");
    assert!(planted.contains("<Code>AccessDenied</Code>"), "{planted}");
    let posted =
        exchange(&aws, &get(&presigned("iam", &create), "").replace("GET ", "POST ")).await;
    assert!(posted.contains("<Code>AccessDenied</Code>"), "{posted}");
    let unsigned = exchange(&aws, &get(&format!("/?{create}"), "")).await;
    assert!(unsigned.starts_with("HTTP/1.1 403 Forbidden\n"), "{unsigned}");
    let form = get(&presigned("lambda", "x=").replacen('/', "/2015-03-31/functions", 1), "");
    let form = exchange(&aws, &form.replace("GET ", "POST ")).await;
    assert!(form.contains("x-amzn-errortype: AccessDeniedException"), "{form}");
    assert_eq!(aws.account().snapshot(), before);

    let who = presigned("sts", "Action=GetCallerIdentity&Version=2011-06-15");
    let who = exchange(&aws, &get(&who, "")).await;
    assert!(who.starts_with("HTTP/1.1 200 OK\n"), "{who}");
    let header = exchange(&aws, &get(&format!("/?{create}"), &signed("iam", "x"))).await;
    assert!(header.starts_with("HTTP/1.1 200 OK\n"), "{header}");
    assert_ne!(aws.account().snapshot(), before);
}

#[tokio::test]
async fn a_request_that_is_not_signed_is_refused_in_the_services_own_words() {
    let aws = start().await;
    let query = exchange(&aws, &post("", "Action=ListRoles&Version=2010-05-08")).await;
    assert!(query.starts_with("HTTP/1.1 403 Forbidden\n"), "{query}");
    assert!(query.contains("<Code>MissingAuthenticationToken</Code>"), "{query}");
    assert!(query.contains("xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\""), "{query}");

    let target = "X-Amz-Target: Logs_20140328.DescribeLogGroups\n";
    let json = exchange(&aws, &post(target, "{}")).await;
    assert!(json.starts_with("HTTP/1.1 400 Bad Request\n"), "{json}");
    assert!(json.contains("\"__type\":\"MissingAuthenticationTokenException\""), "{json}");

    let list = "GET /2015-03-31/functions HTTP/1.1\nHost: localhost\nConnection: close\n\n";
    let rest = exchange(&aws, list).await;
    assert!(rest.starts_with("HTTP/1.1 403 Forbidden\n"), "{rest}");
    assert!(rest.contains("x-amzn-errortype: MissingAuthenticationTokenException\n"), "{rest}");

    let faulty = exchange(&aws, &post("Authorization: Bearer x\n", "Action=ListRoles")).await;
    assert!(faulty.contains("<Code>IncompleteSignature</Code>"), "{faulty}");
}

#[tokio::test]
async fn what_is_not_here_is_named() {
    let aws = start().await;
    let answer = exchange(&aws, &post(&signed("swf", "eu-west-1"), "Action=ListDomains")).await;
    assert!(answer.contains("<Code>UnsupportedService</Code>"), "{answer}");
    assert!(
        answer.contains("no service named &apos;swf&apos;. It has: sts, iam, logs, cloudformation, lambda, cognito-idp, dynamodb, s3, ssm"),
        "{answer}"
    );
}

#[tokio::test]
async fn regions_are_apart_except_for_iam() {
    let aws = start().await;
    let logs = |region: &str, operation: &str| {
        format!("{}X-Amz-Target: Logs_20140328.{operation}\n", signed("logs", region))
    };
    let group = "{\"logGroupName\":\"g\"}";
    let created = exchange(&aws, &post(&logs("us-east-1", "CreateLogGroup"), group)).await;
    assert!(created.starts_with("HTTP/1.1 200 OK\n"), "{created}");
    let there = exchange(&aws, &post(&logs("us-east-1", "DescribeLogGroups"), "{}")).await;
    assert!(there.contains("arn:aws:logs:us-east-1:123456789012:log-group:g:*"), "{there}");
    let here = exchange(&aws, &post(&logs("eu-west-1", "DescribeLogGroups"), "{}")).await;
    assert!(here.ends_with("{\"logGroups\":[]}"), "{here}");
    let nowhere = exchange(&aws, &post(&logs("eu-west-9", "DescribeLogGroups"), "{}")).await;
    assert!(nowhere.contains("\"__type\":\"InvalidSignatureException\""), "{nowhere}");
    assert!(nowhere.contains("Credential should be scoped to a valid region."), "{nowhere}");
    let body = "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=";
    let trust = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22*%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D";
    let created =
        exchange(&aws, &post(&signed("iam", "us-east-1"), &format!("{body}{trust}"))).await;
    assert!(created.starts_with("HTTP/1.1 200 OK\n"), "{created}");
    let list = "Action=ListRoles&Version=2010-05-08";
    let roles = exchange(&aws, &post(&signed("iam", "eu-west-1"), list)).await;
    assert!(roles.contains("<RoleName>r</RoleName>"), "{roles}");
}

#[tokio::test]
async fn a_role_of_another_account_is_assumed_until_it_expires() {
    let aws = start().await;
    let other = |service: &str| signed(service, "us-east-1").replace("AKIAEXAMPLE", "222222222222");
    let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}"#;
    let trust: String = form_urlencoded::byte_serialize(trust.as_bytes()).collect();
    let create = format!("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument={trust}");
    let created = exchange(&aws, &post(&other("iam"), &create)).await;
    assert!(created.contains("arn:aws:iam::222222222222:role/r"), "{created}");
    let own = exchange(&aws, &post(&signed("iam", "x"), "Action=ListRoles")).await;
    assert!(!own.contains("<RoleName>r</RoleName>"), "{own}");

    let assume = |arn: &str| format!("Action=AssumeRole&RoleSessionName=me&RoleArn={arn}");
    let arn = "arn:aws:iam::222222222222:role/r";
    let assumed = exchange(&aws, &post(&signed("sts", "us-east-1"), &assume(arn))).await;
    assert!(
        assumed.contains("<Arn>arn:aws:sts::222222222222:assumed-role/r/me</Arn>"),
        "{assumed}"
    );
    let member = |name: &str| xml::text_of(assumed.as_bytes(), name).expect(name);
    let keys = Keys {
        id: member("AccessKeyId"),
        secret: member("SecretAccessKey"),
        token: Some(member("SessionToken")),
    };
    let body = "Action=GetCallerIdentity";
    let theirs = really_signed(&keys, "sts", "", body);
    let whoami = exchange(&aws, &post(&theirs, body)).await;
    assert!(whoami.contains("<Account>222222222222</Account>"), "{whoami}");

    let missing = "arn:aws:iam::222222222222:role/missing";
    let denied = exchange(&aws, &post(&signed("sts", "us-east-1"), &assume(missing))).await;
    let reason = format!(
        "User: arn:aws:iam::123456789012:user/playbook is not authorized to perform: sts:AssumeRole on resource: {missing}"
    );
    assert!(denied.starts_with("HTTP/1.1 403 ") && denied.contains(&reason), "{denied}");

    aws.account().clock().advance(std::time::Duration::from_secs(3600));
    let expired = exchange(&aws, &post(&theirs, "Action=GetCallerIdentity")).await;
    assert!(expired.contains("<Code>ExpiredToken</Code>"), "{expired}");
}

#[tokio::test]
async fn internal_pages_need_no_signature() {
    let aws = start().await;
    let front = exchange(&aws, &get("/", "")).await;
    assert!(front.contains("\"region\":\"eu-west-1\""), "{front}");
    let health = exchange(&aws, &get("/_playbook/health", "")).await;
    assert!(health.contains("\"status\":\"ok\""), "{health}");
}

#[tokio::test]
async fn a_web_page_gets_nothing() {
    let aws = start().await;
    let origin = format!("{}Origin: https://evil.example\n", signed("iam", "eu-west-1"));
    let answer = exchange(&aws, &post(&origin, "Action=ListRoles")).await;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\n"), "{answer}");
    assert!(answer.contains("not web pages"), "{answer}");
}

#[tokio::test]
async fn one_connection_serves_many_requests_also_in_chunks() {
    let aws = start().await;
    let head = format!(
        "Host: localhost\n{}Content-Type: application/x-www-form-urlencoded\n",
        signed("iam", "x")
    );
    let body = "Action=ListRoles";
    let whole = format!("POST / HTTP/1.1\n{head}Content-Length: {}\n\n{body}", body.len());
    let chunked = format!(
        "POST / HTTP/1.1\n{head}Connection: close\nTransfer-Encoding: chunked\n\n7\nAction=\n9\nListRoles\n0\n\n"
    );
    let answers = exchange(&aws, &format!("{whole}{chunked}")).await;
    assert_eq!(answers.matches("<ListRolesResult>").count(), 2, "{answers}");
}

#[tokio::test]
async fn a_client_that_waits_is_asked_for_the_body() {
    let aws = start().await;
    let body = "Action=ListRoles";
    let head = format!("{}Expect: 100-continue\n", signed("iam", "x"));
    let request = post(&head, body).replace('\n', "\r\n");
    let (head, body) = request.split_at(request.len() - body.len());
    let mut stream = TcpStream::connect(address(&aws)).await.expect("it listens");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).await.expect("asked");
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let aws = start().await;
    let head = "POST / HTTP/1.1\nHost: localhost\nConnection: close\nContent-Length: 400000000\n\n";
    let answer = exchange(&aws, head).await;
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\n"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: RequestEntityTooLargeException\n"), "{answer}");
}

#[tokio::test]
async fn nothing_answers_after_the_end() {
    let aws = start().await;
    let address = address(&aws);
    let mut open = TcpStream::connect(&address).await.expect("it listens");
    aws.shutdown().await;
    let mut rest = Vec::new();
    assert_eq!(open.read_to_end(&mut rest).await.unwrap_or_default(), 0);
    assert!(TcpStream::connect(&address).await.is_err());
}

/// Does to each call, in turn, what the script says.
#[derive(Default)]
struct Script {
    before: Mutex<Vec<Before>>,
    after: Mutex<Vec<After>>,
}

impl Middleware for Script {
    fn before<'a>(&'a self, _: &'a dyn Service, _: &'a Request) -> BoxFuture<'a, Before> {
        let next = self.before.lock().expect("not poisoned").pop();
        Box::pin(std::future::ready(next.unwrap_or(Before::Proceed)))
    }

    fn after<'a>(
        &'a self,
        _: &'a dyn Service,
        _: &'a Request,
        _: &'a Response,
    ) -> BoxFuture<'a, After> {
        let next = self.after.lock().expect("not poisoned").pop();
        Box::pin(std::future::ready(next.unwrap_or(After::Deliver)))
    }
}

async fn create_group_under(script: Script) -> (String, bool) {
    let aws = LocalAws::start_with(options(), Arc::new(script)).await.expect("a free port");
    let target = "X-Amz-Target: Logs_20140328.CreateLogGroup\n";
    let headers = format!("{}{target}", signed("logs", "eu-west-1"));
    let answer = exchange(&aws, &post(&headers, "{\"logGroupName\":\"g\"}")).await;
    let made = aws.account().snapshot().pointer("/logs/g").is_some();
    (answer, made)
}

#[tokio::test]
async fn faults_can_be_put_before_and_after_a_call() {
    let before = |what| Script { before: Mutex::new(vec![what]), ..Script::default() };
    let after = |what| Script { after: Mutex::new(vec![what]), ..Script::default() };

    let throttled = AwsError::bad_request("ThrottlingException", "Rate exceeded");
    let (answer, made) = create_group_under(before(Before::Refuse(throttled))).await;
    assert!(answer.contains("\"__type\":\"ThrottlingException\"") && !made, "{answer}");
    let (answer, made) = create_group_under(before(Before::Respond(Response::empty(503)))).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && !made, "{answer}");
    assert_eq!(create_group_under(before(Before::Drop)).await, (String::new(), false));
    assert_eq!(create_group_under(after(After::Drop)).await, (String::new(), true));
    let (answer, made) = create_group_under(after(After::Replace(Response::empty(500)))).await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && made, "{answer}");
    let (answer, made) = create_group_under(Script::default()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\n") && made, "{answer}");
}

#[tokio::test]
async fn a_reply_that_is_cut_has_its_head_and_half_of_its_body() {
    let cut = Script { after: Mutex::new(vec![After::Cut]), ..Script::default() };
    let aws = LocalAws::start_with(options(), Arc::new(cut)).await.expect("a free port");
    let target = "X-Amz-Target: Logs_20140328.DescribeLogGroups\n";
    let request = post(&format!("{}{target}", signed("logs", "eu-west-1")), "{}");
    let cut = exchange(&aws, &request).await;
    let whole = exchange(&aws, &request).await;
    let parts = |answer: &str| {
        let (head, body) = answer.split_once("\n\n").expect("a head");
        let length = head.lines().find(|line| line.starts_with("content-length: "));
        (head.starts_with("HTTP/1.1 200 OK\n"), length.map(str::to_owned), body.to_owned())
    };
    let ((_, _, half), (_, _, all)) = (parts(&cut), parts(&whole));
    assert_eq!(all, "{\"logGroups\":[]}");
    assert_eq!((half.as_str(), parts(&cut).0), (&all[..all.len() / 2], true));
    assert_eq!(parts(&cut).1, parts(&whole).1, "the head promises all of it");
}
