//! Calls over REST: the HTTP request that a method's `google.api.http` option makes of its
//! request message.

use prost_reflect::MethodDescriptor;
use reqwest::{RequestBuilder, Response};
use serde_json::{Map, Value};

use super::methods::Rule;
use super::{Api, ApiError, TRACEPARENT};

/// Open server-sent events.
pub(super) struct Events {
    response: Response,
    received: Vec<u8>,
}

pub(super) async fn call(api: &Api, method: &MethodDescriptor, request: Value) -> Result<Value, ApiError> {
    let response = build(api, method, request)?.send().await.map_err(ApiError::unreachable)?;
    answer(response).await
}

pub(super) async fn open(api: &Api, method: &MethodDescriptor, request: Value) -> Result<Events, ApiError> {
    let request = build(api, method, request)?.header("accept", "text/event-stream");
    let response = request.send().await.map_err(ApiError::unreachable)?;
    if response.status().is_success() {
        Ok(Events { response, received: Vec::new() })
    } else {
        Err(answer(response).await.err().unwrap_or_else(|| ApiError::unreachable("a stream that is none")))
    }
}

impl Events {
    pub(super) async fn next(&mut self) -> Option<Result<Value, ApiError>> {
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\n\n") {
                let frame: Vec<u8> = self.received.drain(..end + 2).collect();
                match read_frame(&String::from_utf8_lossy(&frame)) {
                    Some(message) => return Some(message),
                    // A comment, or how soon to reconnect.
                    None => continue,
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.received.extend_from_slice(&chunk),
                Ok(None) => return None,
                Err(error) => return Some(Err(ApiError::unreachable(error))),
            }
        }
    }
}

fn read_frame(frame: &str) -> Option<Result<Value, ApiError>> {
    let data = frame.lines().find_map(|line| line.strip_prefix("data: "))?;
    let data: Value = match serde_json::from_str(data) {
        Ok(data) => data,
        Err(error) => return Some(Err(ApiError::unreachable(error))),
    };
    Some(if frame.starts_with("event: error") { Err(refusal(&data)) } else { Ok(data) })
}

async fn answer(response: Response) -> Result<Value, ApiError> {
    let accepted = response.status().is_success();
    let body = response.bytes().await.map_err(ApiError::unreachable)?;
    let body: Value = serde_json::from_slice(&body).map_err(ApiError::unreachable)?;
    if accepted { Ok(body) } else { Err(refusal(&body)) }
}

fn refusal(body: &Value) -> ApiError {
    let error = &body["error"];
    let detail = |kind: &str, field: &str| {
        error["details"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|detail| detail["@type"].as_str().is_some_and(|name| name.ends_with(kind)))
            .and_then(|detail| detail[field].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    ApiError {
        code: error["status"].as_str().unwrap_or("UNKNOWN").to_owned(),
        reason: detail("google.rpc.ErrorInfo", "reason"),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
        chinese: detail("google.rpc.LocalizedMessage", "message"),
    }
}

fn build(api: &Api, method: &MethodDescriptor, request: Value) -> Result<RequestBuilder, ApiError> {
    let rule = api.door.methods.rule(method).map_err(ApiError::not_sent)?;
    let Value::Object(mut fields) = request else {
        return Err(ApiError::not_sent("a request is a JSON object"));
    };
    let path = fill(&rule, &mut fields)?;
    // REST's own way of saying it.
    let request_id = fields.remove("requestId");
    let body = match rule.body.as_str() {
        "" => None,
        "*" => Some(Value::Object(std::mem::take(&mut fields))),
        field => Some(fields.remove(&camel(field)).unwrap_or_else(|| Value::Object(Map::new()))),
    };
    let url = format!("{}{path}{}", api.door.url, query(&fields));
    let mut request = api.door.http.request(rule.verb, url).bearer_auth(&api.token);
    if let Some(key) = request_id.as_ref().and_then(Value::as_str) {
        request = request.header("idempotency-key", key);
    }
    if let Some(traceparent) = &api.traceparent {
        request = request.header(TRACEPARENT, traceparent);
    }
    Ok(match body {
        Some(body) => request.json(&body),
        None => request,
    })
}

/// The path with each variable (`{name}`, `{name=tasks/*}`) replaced by its field, which is
/// taken out of `fields`.
fn fill(rule: &Rule, fields: &mut Map<String, Value>) -> Result<String, ApiError> {
    let mut path = String::new();
    let mut rest = rule.template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, after) =
            after.split_once('}').ok_or_else(|| ApiError::not_sent("a variable is not closed"))?;
        let field = variable.split('=').next().unwrap_or(variable);
        let value = fields.remove(&camel(field));
        let value = value
            .as_ref()
            .and_then(Value::as_str)
            .ok_or_else(|| ApiError::not_sent(format!("{field} is missing")))?;
        path += before;
        path += &encoded(value, variable.contains('='));
        rest = after;
    }
    Ok(path + rest)
}

fn query(fields: &Map<String, Value>) -> String {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        flatten(name, value, &mut pairs);
    }
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn flatten(name: &str, value: &Value, pairs: &mut Vec<String>) {
    let mut push = |text: &str| pairs.push(format!("{}={}", encoded(name, false), encoded(text, false)));
    match value {
        Value::Null => (),
        Value::Bool(value) => push(&value.to_string()),
        Value::Number(number) => push(&number.to_string()),
        Value::String(text) => push(text),
        Value::Array(elements) => elements.iter().for_each(|element| flatten(name, element, pairs)),
        Value::Object(members) => {
            members.iter().for_each(|(member, value)| flatten(&format!("{name}.{member}"), value, pairs));
        }
    }
}

/// Percent-encodes everything but the unreserved letters of RFC 3986, and slashes on demand.
fn encoded(text: &str, keep_slashes: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slashes && byte == b'/');
        if plain {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

/// `page_size` as JSON has it: `pageSize`.
fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut words = name.split('_');
    camel.push_str(words.next().unwrap_or_default());
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Api, Protocol};
    use super::build;

    /// Verb, path and query, and body.
    fn sent(method: &str, request: serde_json::Value) -> (String, String, String) {
        let api = Api::new("http://127.0.0.1:1", Protocol::Rest, "token").unwrap();
        let method = api.door.methods.find(method).unwrap();
        let request = build(&api, &method, request).unwrap().build().unwrap();
        let url = request.url();
        let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        (request.method().to_string(), path, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn path_body_and_query_share_the_fields() {
        let (verb, path, body) =
            sent("TaskService/CreateTask", json!({"task": {"title": "题"}, "issue": true}));
        assert_eq!((verb.as_str(), path.as_str()), ("POST", "/v1/tasks?issue=true"));
        assert_eq!(body, r#"{"title":"题"}"#);

        let sign = json!({"name": "tasks/1/assignments/2", "etag": "\"3\""});
        let (verb, path, body) = sent("TaskService/SignAssignment", sign);
        assert_eq!((verb.as_str(), path.as_str()), ("POST", "/v1/tasks/1/assignments/2:sign"));
        assert_eq!(body, r#"{"etag":"\"3\""}"#);

        let resolve = json!({"unit": "市水利局"});
        let (verb, path, body) = sent("RosterService/Resolve", resolve);
        let encoded = "/v1/roster:resolve?unit=%E5%B8%82%E6%B0%B4%E5%88%A9%E5%B1%80";
        assert_eq!((verb.as_str(), path.as_str(), body.as_str()), ("GET", encoded, ""));
    }
}
