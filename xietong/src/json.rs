//! Between proto3 JSON and the messages of the API.

use anyhow::Context;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

/// Knows every message of the API.
pub(crate) struct Json {
    pool: DescriptorPool,
}

impl Json {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Json { pool: DescriptorPool::decode(xietong_proto::DESCRIPTORS)? })
    }

    /// A message from its proto3 JSON. Unknown fields are refused.
    pub(crate) fn read<M: Message + Name + Default>(&self, value: Value) -> anyhow::Result<M> {
        let text = value.to_string();
        let message = DynamicMessage::deserialize(self.descriptor::<M>()?, value)
            .with_context(|| format!("{}: {text}", M::full_name()))?;
        Ok(M::decode(message.encode_to_vec().as_slice())?)
    }

    /// The proto3 JSON of a message; what is not set is left out.
    pub(crate) fn write<M: Message + Name>(&self, message: &M) -> anyhow::Result<Value> {
        let mut written = DynamicMessage::new(self.descriptor::<M>()?);
        written.transcode_from(message)?;
        Ok(serde_json::to_value(written)?)
    }

    fn descriptor<M: Name>(&self) -> anyhow::Result<MessageDescriptor> {
        let name = M::full_name();
        self.pool.get_message_by_name(&name).with_context(|| format!("no message {name}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xietong_proto::roster::CreateCollectiveRequest;

    use super::Json;

    #[test]
    fn a_request_reads_and_writes_as_the_same_json_and_unknown_fields_are_refused() {
        let json = Json::new().unwrap();
        let value = json!({
            "collectiveId": "counties",
            "collective": {"displayName": "各县（市、区）", "units": ["units/yaodu"]},
        });
        let request: CreateCollectiveRequest = json.read(value.clone()).unwrap();
        assert_eq!(request.collective.as_ref().unwrap().units, ["units/yaodu"]);
        assert_eq!(json.write(&request).unwrap(), value);
        let refused = json.read::<CreateCollectiveRequest>(json!({"members": []})).unwrap_err();
        assert!(format!("{refused:#}").contains("members"), "{refused:#}");
    }
}
