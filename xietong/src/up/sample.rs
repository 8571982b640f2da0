//! Filling a new folder with the sample city: requests of the public API, sent in order, each
//! at its own date where the clock is simulated. So history, timers and what was known when
//! are as if the city had lived through it.
//!
//! First whatever has no date: units, collectives, officials, accounts. Then, in order of
//! their dates, the divisions of work, the groups, the yearly plan, which is issued in one
//! act, and what the units did of it (see [`history`]). Last, at the handover, the tasks that
//! are not of the plan.
//!
//! Each request has an id of its own, so a start that was interrupted is completed by the
//! next one. A folder that was filled is never filled again.

use domain_calendar::Timestamp;
use prost_types::Timestamp as ProtoTimestamp;
use serde_json::Value;
use xietong_gateway::ClockControl;
use xietong_mesh::ServiceName;
use xietong_mesh::convert::decode_time;
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_proto::{roster, supervision, workgroup};

use super::advance::CityClock;
use super::history::{self, Issued};
use super::signed::Callers;
use crate::cli::Sample;
use crate::json::Json;
use crate::sample::{self, Act, Directory};

/// The yearly plan is issued in the morning of the day that its notice bears.
const PLAN_ISSUED: &str = "2023-04-20T10:00+08:00";

/// Loads what was asked for.
pub(super) async fn load(
    callers: &Callers,
    asked: Sample,
    clock: &CityClock,
    until: Timestamp,
) -> anyhow::Result<()> {
    if asked == Sample::None {
        return Ok(());
    }
    let loader = Loader { json: Json::new()?, callers, clock, until };
    let (mut directory, work) = (sample::directory()?, sample::work()?);
    let divisions = std::mem::take(&mut directory.divisions);
    clock.undisturbed(loader.found(directory)).await?;
    let mut steps = loader.organise(divisions, work.groups)?;
    if asked == Sample::Full {
        steps.extend(loader.plan()?);
        steps.push((until, Step::Tasks(work.tasks)));
    }
    loader.live_through(steps).await?;
    Ok(clock.live_until(until).await?)
}

/// Something that happens at a date.
enum Step {
    Division(usize, roster::CreateDivisionRequest),
    Group(workgroup::CreateGroupRequest),
    /// The plan is issued.
    Plan(Vec<supervision::Task>),
    /// Units do their work of it.
    Acts(Vec<Act>),
    /// `CreateTaskRequest`s.
    Tasks(Vec<Value>),
}

struct Loader<'a> {
    json: Json,
    callers: &'a Callers,
    clock: &'a CityClock,
    /// Nothing happens later than this.
    until: Timestamp,
}

impl Loader<'_> {
    /// Founds what has no date.
    async fn found(&self, directory: Directory) -> anyhow::Result<()> {
        let administrator = Callers::administrator();
        let client = DirectoryServiceClient::new(self.callers.channel(ServiceName::Roster)?);
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
        Ok(())
    }

    /// Divisions of work and groups, each at its date.
    fn organise(&self, divisions: Vec<Value>, groups: Vec<Value>) -> anyhow::Result<Vec<(Timestamp, Step)>> {
        let mut steps = Vec::new();
        for (number, division) in divisions.into_iter().enumerate() {
            let request: roster::CreateDivisionRequest = self.json.read(division)?;
            let effective = request.division.as_ref().and_then(|division| division.effective_time.as_ref());
            steps.push((self.date(effective)?, Step::Division(number, request)));
        }
        for group in groups {
            let request: workgroup::CreateGroupRequest = self.json.read(group)?;
            let start = request.group.as_ref().and_then(|group| group.start_time.as_ref());
            steps.push((self.date(start)?, Step::Group(request)));
        }
        Ok(steps)
    }

    /// The plan, and what was done of it by the handover.
    fn plan(&self) -> anyhow::Result<Vec<(Timestamp, Step)>> {
        let tasks = sample::plan()?.tasks.into_iter().map(|task| self.json.read(task));
        let issued = Timestamp::parse(PLAN_ISSUED)?.min(self.until);
        let mut steps = vec![(issued, Step::Plan(tasks.collect::<anyhow::Result<_>>()?))];
        for moment in sample::history()?.moments {
            let time = Timestamp::parse(&moment.time)?;
            // What comes later, or on a clock that does not go through it, is yet to be done.
            if self.clock.simulated() && time <= self.until {
                steps.push((time, Step::Acts(moment.acts)));
            }
        }
        Ok(steps)
    }

    /// Takes the steps in order of their dates; of those of one date the first one first.
    async fn live_through(&self, mut steps: Vec<(Timestamp, Step)>) -> anyhow::Result<()> {
        steps.sort_by_key(|(date, _)| *date);
        let mut plan = Issued::default();
        for (date, step) in steps {
            self.clock.live_until(date).await?;
            self.clock.undisturbed(self.take(step, &mut plan)).await?;
        }
        Ok(())
    }

    async fn take(&self, step: Step, plan: &mut Issued) -> anyhow::Result<()> {
        match step {
            Step::Division(number, request) => self.divide(number, request).await?,
            Step::Group(request) => self.group(request).await?,
            Step::Plan(tasks) => *plan = Issued::of(self.issue(tasks).await?),
            Step::Acts(acts) => history::act(self.callers, plan, &acts).await?,
            Step::Tasks(tasks) => self.tasks(tasks).await?,
        }
        Ok(())
    }

    async fn divide(&self, number: usize, request: roster::CreateDivisionRequest) -> anyhow::Result<()> {
        let mut client = RosterServiceClient::new(self.callers.channel(ServiceName::Roster)?);
        let id = format!("sample/divisions/{number}");
        let request = roster::CreateDivisionRequest { request_id: id, ..request };
        let call = |request| async move { client.create_division(request).await };
        self.callers.call(&Callers::administrator(), request, call).await?;
        Ok(())
    }

    async fn group(&self, request: workgroup::CreateGroupRequest) -> anyhow::Result<()> {
        let mut client = GroupServiceClient::new(self.callers.channel(ServiceName::Workgroup)?);
        let id = format!("sample/groups/{}", request.group_id);
        let request = workgroup::CreateGroupRequest { request_id: id, ..request };
        let call = |request| async move { client.create_group(request).await };
        self.callers.call(&Callers::administrator(), request, call).await?;
        Ok(())
    }

    /// All of the plan in one act, so that each unit has one notice of it. On the machine's
    /// clock its dates have passed, and nothing that is late already can be issued: there it
    /// is entered as drafts.
    async fn issue(&self, tasks: Vec<supervision::Task>) -> anyhow::Result<Vec<supervision::Task>> {
        let mut client = TaskServiceClient::new(self.callers.channel(ServiceName::Supervision)?);
        let request = supervision::BatchCreateTasksRequest {
            tasks,
            issue: self.clock.simulated(),
            request_id: "sample/plan".to_owned(),
            backfill: false,
            validate_only: false,
            // What the city did is entered as it was.
            confirm_duplicates: true,
        };
        let call = |request| async move { client.batch_create_tasks(request).await };
        Ok(self.callers.call(&Callers::supervisor(), request, call).await?.tasks)
    }

    async fn tasks(&self, tasks: Vec<Value>) -> anyhow::Result<()> {
        let client = TaskServiceClient::new(self.callers.channel(ServiceName::Supervision)?);
        for (number, task) in tasks.into_iter().enumerate() {
            let request: supervision::CreateTaskRequest = self.json.read(task)?;
            let mut client = client.clone();
            let id = format!("sample/tasks/{number}");
            let request =
                supervision::CreateTaskRequest { request_id: id, confirm_duplicates: true, ..request };
            let call = |request| async move { client.create_task(request).await };
            self.callers.call(&Callers::supervisor(), request, call).await?;
        }
        Ok(())
    }

    /// The date of a record; the handover when it has none or a later one.
    fn date(&self, date: Option<&ProtoTimestamp>) -> anyhow::Result<Timestamp> {
        let date = date.map(|date| decode_time("date", date)).transpose()?;
        Ok(date.map_or(self.until, |date| date.min(self.until)))
    }
}
