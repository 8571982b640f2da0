//! A client of the gateway that speaks REST or gRPC from one script.
//!
//! A call is a method of the protos and its request as proto3 JSON. Over gRPC it is sent
//! as the message it describes; over REST as the HTTP request that the method's
//! `google.api.http` option makes of it. Answers and refusals look the same either way,
//! so that whatever differs is a difference of the mesh.

mod grpc;
mod methods;
mod rest;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;
use tonic::transport::{Channel, Endpoint};
use xietong_mesh::Error;
use xietong_mesh::trace_context::TRACEPARENT;

use methods::Methods;

/// Longer than the gateway lets any call last.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// Defaults included, as the gateway writes answers.
const OPTIONS: SerializeOptions = SerializeOptions::new().skip_default_fields(false);

/// How a client speaks to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 and JSON, server-sent events for streams.
    Rest,
    /// gRPC over HTTP/2 without TLS.
    Grpc,
}

/// A refusal, or no answer at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {reason}: {message}")]
pub struct ApiError {
    /// As `google.rpc.Code` names it, for example `NOT_FOUND`.
    pub code: String,
    /// The stable reason of the mesh, for example `ETAG_MISMATCH`.
    pub reason: String,
    /// In English.
    pub message: String,
    /// In Chinese.
    pub chinese: String,
}

impl ApiError {
    /// Whether the call may have taken effect all the same.
    pub fn leaves_outcome_unknown(&self) -> bool {
        matches!(self.code.as_str(), "UNAVAILABLE" | "DEADLINE_EXCEEDED" | "CANCELLED" | "INTERNAL")
    }

    /// The connection broke, or none could be made.
    fn unreachable(error: impl fmt::Display) -> Self {
        ApiError {
            code: "UNAVAILABLE".to_owned(),
            reason: "NO_ANSWER".to_owned(),
            message: error.to_string(),
            chinese: String::new(),
        }
    }

    /// The call is no call of the protos: a mistake in the test.
    fn not_sent(error: impl fmt::Display) -> Self {
        ApiError {
            code: "INVALID_ARGUMENT".to_owned(),
            reason: "NOT_SENT".to_owned(),
            message: error.to_string(),
            chinese: String::new(),
        }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        ApiError {
            code: error.code().as_str().to_owned(),
            reason: error.reason().to_owned(),
            message: error.message().to_owned(),
            chinese: error.chinese().to_owned(),
        }
    }
}

/// A client for one subject. Cloning is cheap; clones share their connections.
#[derive(Clone)]
pub struct Api {
    protocol: Protocol,
    token: String,
    traceparent: Option<String>,
    door: Arc<Door>,
}

struct Door {
    url: String,
    methods: Methods,
    http: reqwest::Client,
    channel: Channel,
}

impl Api {
    /// A client of the gateway at `url` (`http://host:port`) with a bearer token. Nothing
    /// is connected before the first call.
    ///
    /// # Errors
    /// When `url` is none.
    pub fn new(url: &str, protocol: Protocol, token: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned()).context("the gateway's URL")?;
        let door = Door {
            url: url.to_owned(),
            methods: Methods::of_the_protos()?,
            http: reqwest::Client::new(),
            channel: endpoint.connect_timeout(Duration::from_secs(5)).connect_lazy(),
        };
        Ok(Api { protocol, token: token.to_owned(), traceparent: None, door: Arc::new(door) })
    }

    /// The same gateway for whoever has another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Api { token: token.to_owned(), ..self.clone() }
    }

    /// The same gateway and subject over another protocol.
    #[must_use]
    pub fn over(&self, protocol: Protocol) -> Self {
        Api { protocol, ..self.clone() }
    }

    /// The same, with a W3C trace context on every call.
    #[must_use]
    pub fn traced(&self, traceparent: &str) -> Self {
        Api { traceparent: Some(traceparent.to_owned()), ..self.clone() }
    }

    /// Calls a unary method, named like `TaskService/CreateTask`, with its request as
    /// proto3 JSON. The answer is proto3 JSON with defaults written out.
    ///
    /// # Errors
    /// The mesh's refusal. What is no refusal of the mesh has the reason `NO_ANSWER` when
    /// the connection broke, and `NOT_SENT` when the test asked for what does not exist.
    pub async fn call(&self, method: &str, request: Value) -> Result<Value, ApiError> {
        let calling = async {
            let method = self.door.methods.find(method).map_err(ApiError::not_sent)?;
            match self.protocol {
                Protocol::Rest => rest::call(self, &method, request).await,
                Protocol::Grpc => grpc::call(self, &method, request).await,
            }
        };
        tokio::time::timeout(ANSWERED_WITHIN, calling)
            .await
            .unwrap_or_else(|_| Err(ApiError::from(Error::deadline_exceeded())))
    }

    /// Opens a server-streaming method.
    ///
    /// # Errors
    /// As [`Api::call`], when the stream is refused.
    pub async fn stream(&self, method: &str, request: Value) -> Result<Messages, ApiError> {
        let method = self.door.methods.find(method).map_err(ApiError::not_sent)?;
        Ok(Messages(match self.protocol {
            Protocol::Rest => Source::Rest(rest::open(self, &method, request).await?),
            Protocol::Grpc => Source::Grpc(grpc::open(self, &method, request).await?),
        }))
    }
}

/// An open stream.
pub struct Messages(Source);

enum Source {
    Rest(rest::Events),
    Grpc(grpc::Stream),
}

impl Messages {
    /// The next message as proto3 JSON, or why the stream was broken off; `None` at its
    /// proper end.
    pub async fn next(&mut self) -> Option<Result<Value, ApiError>> {
        match &mut self.0 {
            Source::Rest(events) => events.next().await,
            Source::Grpc(stream) => stream.next().await,
        }
    }
}

fn to_json(message: &DynamicMessage) -> Result<Value, ApiError> {
    message
        .serialize_with_options(serde_json::value::Serializer, &OPTIONS)
        .map_err(|error| ApiError::unreachable(format!("an answer that is no JSON: {error}")))
}
