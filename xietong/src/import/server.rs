//! [`Server`]: a running mesh, through its front door.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use domain_calendar::Timestamp;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};
use xietong_mesh::convert::decode_time;
use xietong_mesh::{Code, Error};
use xietong_proto::gateway::GetClockRequest;
use xietong_proto::gateway::clock_service_client::ClockServiceClient;
use xietong_proto::roster::directory_service_client::DirectoryServiceClient;
use xietong_proto::roster::roster_service_client::RosterServiceClient;
use xietong_proto::supervision::task_service_client::TaskServiceClient;
use xietong_proto::workgroup::group_service_client::GroupServiceClient;
use xietong_proto::{roster, supervision, workgroup};

use super::directory::KnownUnits;
use crate::token;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A batch of a thousand tasks is one call.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// A batch is answered whole.
const LARGEST_ANSWER: usize = 256 * 1024 * 1024;
const PAGE: i32 = 1_000;

/// How long a token lives that an import makes for itself.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);

/// A running mesh, and whose tokens it is called with.
pub(super) struct Server {
    channel: Channel,
    authorization: MetadataValue<Ascii>,
    /// Of whoever enters tasks.
    supervision: MetadataValue<Ascii>,
}

impl Server {
    /// Connects to a gateway, for example `http://127.0.0.1:8080`.
    pub(super) async fn connect(url: &str, token: &str) -> anyhow::Result<Self> {
        let authorization = bearer(token)?;
        let endpoint =
            Endpoint::from_shared(url.to_owned()).with_context(|| format!("{url} is no address"))?;
        let mut endpoint = endpoint.connect_timeout(CONNECT_WITHIN).timeout(ANSWER_WITHIN);
        if url.starts_with("https://") {
            // Whom the machine trusts: an intranet has an authority of its own.
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
        }
        let channel = endpoint
            .connect()
            .await
            .with_context(|| format!("no server answers at {url} / {url}没有服务响应"))?;
        let supervision = authorization.clone();
        Ok(Server { channel, authorization, supervision })
    }

    /// Enters tasks as the supervisor of the local installation, to whom its data folder's key
    /// gives a token: its administrator supervises nothing. Of several, one must be named.
    /// Without any the server says what is missing.
    pub(super) async fn supervising_locally(
        mut self,
        data: &Path,
        named: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut client = DirectoryServiceClient::new(self.channel.clone());
        let (mut subjects, mut page_token) = (Vec::new(), String::new());
        loop {
            let asked = roster::ListAccountsRequest { page_size: PAGE, page_token };
            let page = client.list_accounts(self.request(asked)).await.map_err(refusal)?.into_inner();
            let supervises = |account: &roster::Account| {
                !account.disabled && account.roles.iter().any(|role| role.role() == roster::Role::Supervisor)
            };
            subjects.extend(page.accounts.into_iter().filter(supervises).map(|account| account.subject));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let subject = match (named, subjects.as_slice()) {
            (Some(named), _) => named,
            (None, [only]) => only,
            (None, []) => return Ok(self),
            (None, _) => bail!(
                "several accounts supervise ({0}): name one with --as / 有多个督查账号（{0}），请用 --as 指定一个",
                subjects.join("、")
            ),
        };
        self.supervision = bearer(&token::local(data, subject, TOKEN_LIFETIME)?)?;
        Ok(self)
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }

    fn of_supervision<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.supervision.clone());
        request
    }

    fn tasks(&self) -> TaskServiceClient<Channel> {
        TaskServiceClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// Business time there.
    pub(super) async fn now(&self) -> anyhow::Result<Timestamp> {
        let mut clock = ClockServiceClient::new(self.channel.clone());
        let answer = clock.get_clock(self.request(GetClockRequest {})).await.map_err(refusal)?.into_inner();
        let now = answer.now.context("the server's clock says nothing")?;
        Ok(decode_time("now", &now)?)
    }

    /// Its whole directory.
    pub(super) async fn known(&self) -> anyhow::Result<KnownUnits> {
        let mut client = DirectoryServiceClient::new(self.channel.clone());
        let (mut units, mut collectives, mut officials) = (Vec::new(), Vec::new(), Vec::new());
        let mut page_token = String::new();
        loop {
            let asked = roster::ListUnitsRequest { page_size: PAGE, page_token, ..Default::default() };
            let page = client.list_units(self.request(asked)).await.map_err(refusal)?.into_inner();
            units.extend(page.units);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        loop {
            let asked = roster::ListCollectivesRequest { page_size: PAGE, page_token, ..Default::default() };
            let page = client.list_collectives(self.request(asked)).await.map_err(refusal)?.into_inner();
            collectives.extend(page.collectives);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        loop {
            let asked = roster::ListOfficialsRequest { page_size: PAGE, page_token, ..Default::default() };
            let page = client.list_officials(self.request(asked)).await.map_err(refusal)?.into_inner();
            officials.extend(page.officials);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        KnownUnits::new(&units, &collectives, &officials)
    }

    /// The tasks of a document that the caller may see.
    pub(super) async fn tasks_of(&self, document_number: &str) -> anyhow::Result<Vec<supervision::Task>> {
        let (mut client, mut tasks, mut page_token) = (self.tasks(), Vec::new(), String::new());
        loop {
            let document_number = document_number.to_owned();
            let asked = supervision::ListTasksRequest {
                page_size: PAGE,
                page_token,
                document_number,
                ..Default::default()
            };
            let page = client.list_tasks(self.of_supervision(asked)).await.map_err(refusal)?.into_inner();
            tasks.extend(page.tasks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(tasks);
            }
        }
    }

    /// Enters tasks, all or none.
    pub(super) async fn create_tasks(
        &self,
        request: supervision::BatchCreateTasksRequest,
    ) -> anyhow::Result<Vec<supervision::Task>> {
        let answer = self.tasks().batch_create_tasks(self.of_supervision(request)).await;
        Ok(answer.map_err(refusal)?.into_inner().tasks)
    }

    /// Revises a task.
    pub(super) async fn update_task(
        &self,
        request: supervision::UpdateTaskRequest,
    ) -> anyhow::Result<supervision::Task> {
        Ok(self.tasks().update_task(self.of_supervision(request)).await.map_err(refusal)?.into_inner())
    }

    /// The divisions of a document; of every document when the number is empty.
    pub(super) async fn divisions_of(&self, document_number: &str) -> anyhow::Result<Vec<roster::Division>> {
        let mut client = RosterServiceClient::new(self.channel.clone());
        let (mut divisions, mut page_token) = (Vec::new(), String::new());
        loop {
            let document_number = document_number.to_owned();
            let asked = roster::ListDivisionsRequest { page_size: PAGE, page_token, document_number };
            let page = client.list_divisions(self.request(asked)).await.map_err(refusal)?.into_inner();
            divisions.extend(page.divisions);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(divisions);
            }
        }
    }

    /// Creates a division, or says what it would change.
    pub(super) async fn create_division(
        &self,
        request: roster::CreateDivisionRequest,
    ) -> anyhow::Result<roster::CreateDivisionResponse> {
        let mut client = RosterServiceClient::new(self.channel.clone());
        Ok(client.create_division(self.request(request)).await.map_err(refusal)?.into_inner())
    }

    /// The groups that a document founded.
    pub(super) async fn groups_of(&self, document_number: &str) -> anyhow::Result<Vec<workgroup::Group>> {
        let mut client = GroupServiceClient::new(self.channel.clone());
        let (mut groups, mut page_token) = (Vec::new(), String::new());
        loop {
            let founding_document = document_number.to_owned();
            let asked = workgroup::ListGroupsRequest { page_size: PAGE, page_token, founding_document };
            let page = client.list_groups(self.request(asked)).await.map_err(refusal)?.into_inner();
            groups.extend(page.groups);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(groups);
            }
        }
    }

    /// Founds a group, or says what it would be.
    pub(super) async fn create_group(
        &self,
        request: workgroup::CreateGroupRequest,
    ) -> anyhow::Result<workgroup::Group> {
        let mut client = GroupServiceClient::new(self.channel.clone());
        Ok(client.create_group(self.request(request)).await.map_err(refusal)?.into_inner())
    }
}

fn bearer(token: &str) -> anyhow::Result<MetadataValue<Ascii>> {
    let mut bearer: MetadataValue<Ascii> =
        format!("Bearer {}", token.trim()).parse().context("the token is no bearer token")?;
    bearer.set_sensitive(true);
    Ok(bearer)
}

/// What the server said, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{} / {}", .0.message(), .0.chinese())]
struct Refused(Error);

fn refusal(status: Status) -> anyhow::Error {
    Refused(Error::from_status(&status)).into()
}

/// Whether a server refused to enter what it has already.
pub(super) fn is_there_already(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.0.code() == Code::AlreadyExists)
}

/// Where the server is and with what token it is called: as stated, else of the local data
/// folder.
pub(super) fn address(
    server: Option<&str>,
    token: Option<&str>,
    data: &Path,
) -> anyhow::Result<(String, String)> {
    let local = |file: &str| {
        let file = data.join(file);
        std::fs::read_to_string(&file).with_context(|| {
            format!(
                "no --server and --token, and {} cannot be read: is `xietong up` running? / 未指定服务器，本机数据目录也不可用",
                file.display()
            )
        })
    };
    let url = match server {
        Some(url) => url.to_owned(),
        None => local(crate::up::ADDRESS_FILE)?.trim().to_owned(),
    };
    let token = match (token, server) {
        (Some(token), _) => token.to_owned(),
        (None, None) => local(crate::up::DEV_TOKEN)?,
        // A local token is for the local server alone.
        (None, Some(_)) => bail!("a token is needed for {url}: --token or XIETONG_TOKEN / 请提供访问令牌"),
    };
    Ok((url, token))
}
