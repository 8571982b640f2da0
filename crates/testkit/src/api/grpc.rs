//! Calls over gRPC, of messages that are known by their descriptors only.

use prost::Message as _;
use prost::bytes::{Buf, BufMut};
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};
use xietong_mesh::Error;

use super::{ANSWERED_WITHIN, Api, ApiError, TRACEPARENT, to_json};

/// A page of a thousand tasks fits.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An open stream.
pub(super) struct Stream {
    messages: Streaming<Vec<u8>>,
    answer: MessageDescriptor,
}

pub(super) async fn call(api: &Api, method: &MethodDescriptor, request: Value) -> Result<Value, ApiError> {
    let mut request = request_of(api, method, request)?;
    request.set_timeout(ANSWERED_WITHIN);
    let mut client = ready(api).await?;
    let answer = client.unary(request, path(method)?, Encoded).await.map_err(|status| refusal(&status))?;
    decode(method.output(), answer.get_ref())
}

pub(super) async fn open(api: &Api, method: &MethodDescriptor, request: Value) -> Result<Stream, ApiError> {
    let request = request_of(api, method, request)?;
    let mut client = ready(api).await?;
    let answer = client.server_streaming(request, path(method)?, Encoded).await;
    let messages = answer.map_err(|status| refusal(&status))?.into_inner();
    Ok(Stream { messages, answer: method.output() })
}

impl Stream {
    pub(super) async fn next(&mut self) -> Option<Result<Value, ApiError>> {
        match self.messages.message().await {
            Ok(message) => message.map(|message| decode(self.answer.clone(), &message)),
            Err(status) => Some(Err(refusal(&status))),
        }
    }
}

async fn ready(api: &Api) -> Result<Grpc<Channel>, ApiError> {
    let mut client = Grpc::new(api.door.channel.clone()).max_decoding_message_size(MAX_ANSWER);
    client.ready().await.map_err(ApiError::unreachable)?;
    Ok(client)
}

fn request_of(api: &Api, method: &MethodDescriptor, request: Value) -> Result<Request<Vec<u8>>, ApiError> {
    let message = DynamicMessage::deserialize(method.input(), request).map_err(ApiError::not_sent)?;
    let mut request = Request::new(message.encode_to_vec());
    let bearer = format!("Bearer {}", api.token).parse().map_err(ApiError::not_sent)?;
    request.metadata_mut().insert("authorization", bearer);
    if let Some(traceparent) = &api.traceparent {
        request.metadata_mut().insert(TRACEPARENT, traceparent.parse().map_err(ApiError::not_sent)?);
    }
    Ok(request)
}

fn path(method: &MethodDescriptor) -> Result<http::uri::PathAndQuery, ApiError> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    path.parse().map_err(ApiError::not_sent)
}

fn decode(answer: MessageDescriptor, bytes: &[u8]) -> Result<Value, ApiError> {
    let message = DynamicMessage::decode(answer, bytes).map_err(ApiError::unreachable)?;
    to_json(&message)
}

fn refusal(status: &Status) -> ApiError {
    ApiError::from(Error::from_status(status))
}

/// Messages that are encoded already.
struct Encoded;

impl Codec for Encoded {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Encoded;
    type Decoder = Encoded;

    fn encoder(&mut self) -> Encoded {
        Encoded
    }

    fn decoder(&mut self) -> Encoded {
        Encoded
    }
}

impl Encoder for Encoded {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Encoded {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
