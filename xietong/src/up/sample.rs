//! Filling a new folder with the sample city: requests of the public API, sent in order, each
//! at its own date where the clock is simulated. So history, timers and what was known when
//! are as if the city had lived through it.
//!
//! Each request has an id of its own, so a start that was interrupted is completed by the
//! next one. A folder that was filled is never filled again.

use domain_calendar::Timestamp;
use xietong_mesh::ServiceName;
use xietong_mesh::convert::decode_time;
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_proto::{roster, supervision, workgroup};

use super::advance::CityClock;
use super::signed::Callers;
use crate::cli::Sample;
use crate::json::Json;
use crate::sample::{self, Directory, Work};

/// Loads what was asked for.
pub(super) async fn load(
    callers: &Callers,
    asked: Sample,
    clock: &CityClock,
    until: Timestamp,
) -> anyhow::Result<()> {
    let loader = Loader { json: Json::new()?, callers, clock, until };
    match asked {
        Sample::None => return Ok(()),
        Sample::Directory => loader.directory(sample::directory()?).await?,
        Sample::Full => {
            loader.directory(sample::directory()?).await?;
            loader.work(sample::work()?).await?;
        }
    }
    Ok(clock.live_until(until).await?)
}

struct Loader<'a> {
    json: Json,
    callers: &'a Callers,
    clock: &'a CityClock,
    /// Nothing happens later than this.
    until: Timestamp,
}

impl Loader<'_> {
    /// Lets the city live until the date of a record.
    async fn live_until(&self, date: Option<&prost_types::Timestamp>) -> anyhow::Result<()> {
        let date = date.map(|date| decode_time("date", date)).transpose()?;
        Ok(self.clock.live_until(date.map_or(self.until, |date| date.min(self.until))).await?)
    }

    async fn directory(&self, directory: Directory) -> anyhow::Result<()> {
        let administrator = Callers::administrator();
        let channel = self.callers.channel(ServiceName::Roster)?;
        let client = DirectoryServiceClient::new(channel.clone());
        for unit in directory.units {
            let request: roster::CreateUnitRequest = self.json.read(unit)?;
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
        for collective in directory.collectives {
            let request: roster::CreateCollectiveRequest = self.json.read(collective)?;
            let mut client = client.clone();
            let id = format!("sample/collectives/{}", request.collective_id);
            self.callers
                .call(
                    &administrator,
                    roster::CreateCollectiveRequest { request_id: id, ..request },
                    |request| async move { client.create_collective(request).await },
                )
                .await?;
        }
        for official in directory.officials {
            let request: roster::CreateOfficialRequest = self.json.read(official)?;
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
            let request: roster::CreateAccountRequest = self.json.read(account)?;
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
            let request: roster::CreateDivisionRequest = self.json.read(division)?;
            let effective = request.division.as_ref().and_then(|division| division.effective_time.as_ref());
            self.live_until(effective).await?;
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
            let request: workgroup::CreateGroupRequest = self.json.read(group)?;
            self.live_until(request.group.as_ref().and_then(|group| group.start_time.as_ref())).await?;
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
        self.live_until(None).await?;
        for (number, task) in work.tasks.into_iter().enumerate() {
            let request: supervision::CreateTaskRequest = self.json.read(task)?;
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
}
