//! The sample city, compiled in: its files are requests of the public API, sent in order.
//!
//! Each request has an id of its own, so a start that was interrupted is completed by the
//! next one. A folder that was filled is never filled again.

use anyhow::Context;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde::Deserialize;
use serde_json::Value;
use xietong_mesh::ServiceName;
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_proto::{roster, supervision, workgroup};

use super::signed::Callers;
use crate::cli::Sample;

const DIRECTORY: &str = include_str!("../../../sample/linfen/directory.json");
const WORK: &str = include_str!("../../../sample/linfen/work.json");
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Directory {
    units: Vec<Value>,
    officials: Vec<Value>,
    accounts: Vec<Value>,
    divisions: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    groups: Vec<Value>,
    tasks: Vec<Value>,
}

/// Loads what was asked for.
pub(super) async fn load(callers: &Callers, sample: Sample) -> anyhow::Result<()> {
    let loader = Loader { pool: DescriptorPool::decode(xietong_proto::DESCRIPTORS)?, callers };
    match sample {
        Sample::None => Ok(()),
        Sample::Directory => loader.directory(serde_json::from_str(DIRECTORY)?).await,
        Sample::Full => {
            loader.directory(serde_json::from_str(DIRECTORY)?).await?;
            loader.work(serde_json::from_str(WORK)?).await
        }
    }
}

struct Loader<'a> {
    pool: DescriptorPool,
    callers: &'a Callers,
}

impl Loader<'_> {
    async fn directory(&self, directory: Directory) -> anyhow::Result<()> {
        let administrator = Callers::administrator();
        let channel = self.callers.channel(ServiceName::Roster)?;
        let client = DirectoryServiceClient::new(channel.clone());
        for unit in directory.units {
            let request: roster::CreateUnitRequest =
                self.read("xietong.roster.v1.CreateUnitRequest", unit)?;
            let mut client = client.clone();
            let id = format!("sample/units/{}", request.unit_id);
            self.callers
                .call(
                    &administrator,
                    roster::CreateUnitRequest { request_id: id, ..request },
                    |request| async move { client.create_unit(request).await },
                )
                .await?;
        }
        for official in directory.officials {
            let request: roster::CreateOfficialRequest =
                self.read("xietong.roster.v1.CreateOfficialRequest", official)?;
            let mut client = client.clone();
            let id = format!("sample/officials/{}", request.official_id);
            self.callers
                .call(
                    &administrator,
                    roster::CreateOfficialRequest { request_id: id, ..request },
                    |request| async move { client.create_official(request).await },
                )
                .await?;
        }
        for account in directory.accounts {
            let request: roster::CreateAccountRequest =
                self.read("xietong.roster.v1.CreateAccountRequest", account)?;
            let mut client = client.clone();
            let subject = request.account.as_ref().map(|account| account.subject.clone()).unwrap_or_default();
            let id = format!("sample/accounts/{subject}");
            self.callers
                .call(
                    &administrator,
                    roster::CreateAccountRequest { request_id: id, ..request },
                    |request| async move { client.create_account(request).await },
                )
                .await?;
        }
        for (number, division) in directory.divisions.into_iter().enumerate() {
            let request: roster::CreateDivisionRequest =
                self.read("xietong.roster.v1.CreateDivisionRequest", division)?;
            let mut client = RosterServiceClient::new(channel.clone());
            let id = format!("sample/divisions/{number}");
            self.callers
                .call(
                    &administrator,
                    roster::CreateDivisionRequest { request_id: id, ..request },
                    |request| async move { client.create_division(request).await },
                )
                .await?;
        }
        Ok(())
    }

    async fn work(&self, work: Work) -> anyhow::Result<()> {
        let (supervisor, administrator) = (Callers::supervisor(), Callers::administrator());
        for group in work.groups {
            let request: workgroup::CreateGroupRequest =
                self.read("xietong.workgroup.v1.CreateGroupRequest", group)?;
            let mut client = GroupServiceClient::new(self.callers.channel(ServiceName::Workgroup)?);
            let id = format!("sample/groups/{}", request.group_id);
            self.callers
                .call(
                    &administrator,
                    workgroup::CreateGroupRequest { request_id: id, ..request },
                    |request| async move { client.create_group(request).await },
                )
                .await?;
        }
        for (number, task) in work.tasks.into_iter().enumerate() {
            let request: supervision::CreateTaskRequest =
                self.read("xietong.supervision.v1.CreateTaskRequest", task)?;
            let mut client = TaskServiceClient::new(self.callers.channel(ServiceName::Supervision)?);
            let id = format!("sample/tasks/{number}");
            self.callers
                .call(
                    &supervisor,
                    supervision::CreateTaskRequest { request_id: id, ..request },
                    |request| async move { client.create_task(request).await },
                )
                .await?;
        }
        Ok(())
    }

    /// A request from its proto3 JSON. Unknown fields are refused.
    fn read<M: Message + Default>(&self, name: &str, value: Value) -> anyhow::Result<M> {
        let descriptor = self.pool.get_message_by_name(name).with_context(|| format!("no message {name}"))?;
        let text = value.to_string();
        let message =
            DynamicMessage::deserialize(descriptor, value).with_context(|| format!("{name}: {text}"))?;
        Ok(M::decode(message.encode_to_vec().as_slice())?)
    }
}

#[cfg(test)]
mod tests {
    use super::{DIRECTORY, Directory, WORK, Work};

    #[test]
    fn the_compiled_in_files_are_whole() {
        let directory: Directory = serde_json::from_str(DIRECTORY).unwrap();
        let work: Work = serde_json::from_str(WORK).unwrap();
        assert!(directory.units.len() > 20 && directory.divisions.len() == 1);
        assert!(!work.groups.is_empty() && !work.tasks.is_empty());
    }
}
