//! [`People`]: whoever acts in the city, each by the account that the roster has.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use domain_calendar::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Status};
use xietong_mesh::ServiceName;
use xietong_mesh::convert::encode_time;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_proto::supervision::instruction_service_client::InstructionServiceClient;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_proto::{roster, supervision, workgroup};

use crate::up::Callers;

const WHOLE_PAGE: i32 = 1_000;

/// The accounts of the city, and the calls they make.
pub(super) struct People<'c> {
    callers: &'c Callers,
    tasks: TaskServiceClient<Channel>,
    roster: RosterServiceClient<Channel>,
    groups: GroupServiceClient<Channel>,
    instructions: InstructionServiceClient<Channel>,
    clerks: BTreeMap<String, Principal>,
    leaders: BTreeMap<String, Principal>,
    supervisor: Principal,
    /// The units that the supervisor serves in, whose work he does not verify.
    served: BTreeSet<String>,
    names: BTreeMap<String, String>,
}

impl<'c> People<'c> {
    /// Everybody with an account: one who does the work of each unit, the leaders, a supervisor.
    pub(super) async fn meet(callers: &'c Callers) -> anyhow::Result<Self> {
        let directory = DirectoryServiceClient::new(callers.channel(ServiceName::Roster)?);
        let administrator = Callers::administrator();
        let (mut clerks, mut leaders, mut supervisor) = (BTreeMap::new(), BTreeMap::new(), None);
        let mut page_token = String::new();
        loop {
            let request = roster::ListAccountsRequest { page_size: WHOLE_PAGE, page_token };
            let mut client = directory.clone();
            let page = callers
                .call(&administrator, request, |request| async move { client.list_accounts(request).await })
                .await?;
            for account in page.accounts {
                let principal = principal(&account);
                for grant in &principal.grants {
                    match grant.role {
                        Role::UnitClerk => {
                            for unit in &grant.units {
                                clerks.entry(unit.clone()).or_insert_with(|| principal.clone());
                            }
                        }
                        Role::Leader => {
                            leaders.insert(account.official.clone(), principal.clone());
                        }
                        // Not the administrator, who may do a supervisor's work but is no official.
                        Role::Supervisor if principal.official.is_some() => {
                            supervisor = Some(principal.clone());
                        }
                        _ => {}
                    }
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let supervisor = supervisor.context("the city has no supervisor")?;
        let (mut names, mut parents) = (BTreeMap::new(), BTreeMap::new());
        let mut page_token = String::new();
        loop {
            let request =
                roster::ListUnitsRequest { page_size: WHOLE_PAGE, page_token, ..Default::default() };
            let mut client = directory.clone();
            let page = callers
                .call(&supervisor, request, |request| async move { client.list_units(request).await })
                .await?;
            for unit in page.units {
                parents.insert(unit.name.clone(), unit.parent);
                names.insert(unit.name, unit.display_name);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let official = supervisor.official.clone().unwrap_or_default();
        let request = roster::GetOfficialRequest { name: official };
        let mut client = directory.clone();
        let official = callers.call(&supervisor, request, |it| async move { client.get_official(it).await });
        let mut served = BTreeSet::new();
        for post in official.await?.posts {
            let mut unit = Some(post.unit);
            while let Some(name) = unit.filter(|name| !name.is_empty() && !served.contains(name)) {
                unit = parents.get(&name).cloned();
                served.insert(name);
            }
        }
        Ok(People {
            tasks: TaskServiceClient::new(callers.channel(ServiceName::Supervision)?),
            roster: RosterServiceClient::new(callers.channel(ServiceName::Roster)?),
            instructions: InstructionServiceClient::new(callers.channel(ServiceName::Supervision)?),
            groups: GroupServiceClient::new(callers.channel(ServiceName::Workgroup)?),
            callers,
            clerks,
            leaders,
            supervisor,
            served,
            names,
        })
    }

    /// What people call a unit.
    pub(super) fn called<'a>(&'a self, unit: &'a str) -> &'a str {
        self.names.get(unit).map_or(unit, String::as_str)
    }

    /// The officials with a leader's account.
    pub(super) fn leaders(&self) -> Vec<String> {
        self.leaders.keys().cloned().collect()
    }

    /// The units somebody works for.
    pub(super) fn units(&self) -> Vec<String> {
        self.clerks.keys().cloned().collect()
    }

    /// Whoever does a unit's work.
    pub(super) fn clerk(&self, unit: &str) -> Option<&Principal> {
        self.clerks.get(unit)
    }

    /// A leader.
    pub(super) fn leader(&self, official: &str) -> Option<&Principal> {
        self.leaders.get(official)
    }

    /// The ledger, in its order.
    pub(super) async fn ledger(&self) -> anyhow::Result<Vec<supervision::Task>> {
        let mut tasks = Vec::new();
        let mut page_token = String::new();
        loop {
            let request =
                supervision::ListTasksRequest { page_size: WHOLE_PAGE, page_token, ..Default::default() };
            let mut client = self.tasks.clone();
            let page = self
                .callers
                .call(&self.supervisor, request, |request| async move { client.list_tasks(request).await })
                .await?;
            tasks.extend(page.tasks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                tasks.reverse();
                return Ok(tasks);
            }
        }
    }

    pub(super) async fn sign(&self, who: &Principal, name: &str) -> anyhow::Result<()> {
        let request = supervision::SignAssignmentRequest { name: name.to_owned(), ..Default::default() };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.sign_assignment(it).await }).await?;
        Ok(())
    }

    pub(super) async fn deploy(&self, who: &Principal, name: &str) -> anyhow::Result<()> {
        let plan = "明确责任科室和专人，按节点推进。".to_owned();
        let request =
            supervision::DeployAssignmentRequest { name: name.to_owned(), plan, ..Default::default() };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.deploy_assignment(it).await }).await?;
        Ok(())
    }

    pub(super) async fn report(&self, who: &Principal, name: &str) -> anyhow::Result<()> {
        let text = "按计划推进，问题正在协调解决。".to_owned();
        let request =
            supervision::ReportAssignmentRequest { name: name.to_owned(), text, ..Default::default() };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.report_assignment(it).await }).await?;
        Ok(())
    }

    pub(super) async fn submit(&self, who: &Principal, name: &str) -> anyhow::Result<()> {
        let text = "已按要求完成，申请办结。".to_owned();
        let request =
            supervision::SubmitAssignmentRequest { name: name.to_owned(), text, ..Default::default() };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.submit_assignment(it).await }).await?;
        Ok(())
    }

    /// Who verifies what a unit did: the supervisor, or where he serves in it the leader who answers for
    /// it; nobody when there is none.
    pub(super) async fn verifier(&self, unit: &str) -> anyhow::Result<Option<&Principal>> {
        if !self.served.contains(unit) {
            return Ok(Some(&self.supervisor));
        }
        let acting = self.answers_for(unit).await?.acting.unwrap_or_default().official;
        Ok(self.leader(&acting))
    }

    /// Accepts a submission, or sends it back.
    pub(super) async fn verify(&self, who: &Principal, name: &str, accept: bool) -> anyhow::Result<()> {
        let note =
            if accept { String::new() } else { "佐证材料不齐，请补充后再报。".to_owned() };
        let request = supervision::VerifyAssignmentRequest {
            name: name.to_owned(),
            accept,
            note,
            ..Default::default()
        };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.verify_assignment(it).await }).await?;
        Ok(())
    }

    /// A leader writes an instruction on a task, to one of its units, with a date.
    pub(super) async fn instruct(
        &self,
        who: &Principal,
        task: &str,
        unit: &str,
        due: Timestamp,
    ) -> anyhow::Result<()> {
        let request = supervision::CreateInstructionRequest {
            parent: task.to_owned(),
            text: "请抓紧办理，按期报结果。".to_owned(),
            units: vec![unit.to_owned()],
            due_time: Some(encode_time(due)),
            ..Default::default()
        };
        let mut client = self.instructions.clone();
        self.callers.call(who, request, |it| async move { client.create_instruction(it).await }).await?;
        Ok(())
    }

    pub(super) async fn ask(&self, who: &Principal, name: &str, until: Timestamp) -> anyhow::Result<()> {
        let request = supervision::RequestExtensionRequest {
            name: name.to_owned(),
            until: Some(encode_time(until)),
            reason: "前期手续办理时间较长，需延期完成。".to_owned(),
            ..Default::default()
        };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.request_extension(it).await }).await?;
        Ok(())
    }

    pub(super) async fn decide(&self, who: &Principal, name: &str, grant: bool) -> anyhow::Result<()> {
        let note = if grant { String::new() } else { "时限不变，请抓紧办理。".to_owned() };
        let request =
            supervision::DecideExtensionRequest { name: name.to_owned(), grant, note, ..Default::default() };
        let mut client = self.tasks.clone();
        self.callers.call(who, request, |it| async move { client.decide_extension(it).await }).await?;
        Ok(())
    }

    /// Who answers for a unit now.
    pub(super) async fn answers_for(&self, unit: &str) -> anyhow::Result<roster::ResolveResponse> {
        let request = roster::ResolveRequest { unit: unit.to_owned(), ..Default::default() };
        let mut client = self.roster.clone();
        self.callers.call(&self.supervisor, request, |it| async move { client.resolve(it).await }).await
    }

    /// The divisions of work.
    pub(super) async fn divisions(&self) -> anyhow::Result<Vec<roster::Division>> {
        let request = roster::ListDivisionsRequest { page_size: WHOLE_PAGE, ..Default::default() };
        let mut client = self.roster.clone();
        let listed =
            self.callers.call(&self.supervisor, request, |it| async move { client.list_divisions(it).await });
        Ok(listed.await?.divisions)
    }

    /// Registers an absence; false when it is refused, because another leader is away then.
    pub(super) async fn away(&self, absence: roster::Absence) -> anyhow::Result<bool> {
        let what = format!("{absence:?}");
        let request = roster::CreateAbsenceRequest { absence: Some(absence), ..Default::default() };
        let mut client = self.roster.clone();
        let answer = self
            .callers
            .attempt(&Callers::administrator(), request, |it| async move { client.create_absence(it).await })
            .await?;
        match answer {
            Ok(_) => Ok(true),
            Err(status) if refuses(&status) => Ok(false),
            Err(status) => anyhow::bail!("{}: {what}", status.message()),
        }
    }

    /// The groups, by name.
    pub(super) async fn groups(&self) -> anyhow::Result<Vec<String>> {
        let request = workgroup::ListGroupsRequest { page_size: WHOLE_PAGE, ..Default::default() };
        let mut client = self.groups.clone();
        let listed =
            self.callers.call(&self.supervisor, request, |it| async move { client.list_groups(it).await });
        Ok(listed.await?.groups.into_iter().map(|group| group.name).collect())
    }

    /// A group meets, decides something of a unit, and hands it to supervision.
    pub(super) async fn escalate(
        &self,
        group: &str,
        meeting: workgroup::Meeting,
        decision: workgroup::Decision,
    ) -> anyhow::Result<()> {
        let (parent, meeting) = (group.to_owned(), Some(meeting));
        let request = workgroup::CreateMeetingRequest { parent, meeting, ..Default::default() };
        let mut client = self.groups.clone();
        let held = self
            .callers
            .call(&self.supervisor, request, |it| async move { client.create_meeting(it).await })
            .await?;
        let (parent, decision) = (held.name, Some(decision));
        let request = workgroup::CreateDecisionRequest { parent, decision, ..Default::default() };
        let mut client = self.groups.clone();
        let decided = self
            .callers
            .call(&self.supervisor, request, |it| async move { client.create_decision(it).await })
            .await?;
        let request = workgroup::EscalateDecisionRequest { name: decided.name, ..Default::default() };
        let mut client = self.groups.clone();
        self.callers
            .call(&self.supervisor, request, |it| async move { client.escalate_decision(it).await })
            .await?;
        Ok(())
    }
}

/// The roster's own refusals, which say that somebody else is away at the time.
fn refuses(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition
}

/// As the gateway would make it of the account. The roles of a sample hold without end.
fn principal(account: &roster::Account) -> Principal {
    let held = account.roles.iter().filter(|role| role.start_time.is_none() && role.end_time.is_none());
    let grants = held
        .filter_map(|binding| {
            let units = binding.units.iter().cloned().collect();
            let groups = binding.groups.iter().cloned().collect();
            Some(Grant { role: Role::from_proto(binding.role())?, units, groups })
        })
        .collect();
    let official = Some(account.official.clone()).filter(|official| !official.is_empty());
    Principal::account(account.subject.clone(), official, grants)
}
