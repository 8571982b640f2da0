//! Importing a long notice while the importer or the server is killed: [`sweep`].
//!
//! The kills are spread over the time an import takes. After each the same import is made
//! again, and then every item is one task and every unit has one notice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use xietong_mesh::ServiceName;
use xietong_store::statement;
use xietong_testkit::databases::Databases;

use crate::notice::task_list;

const NUMBER: &str = "临政办发〔2023〕88号";
const ITEMS: usize = 195;
const READY_WITHIN: Duration = Duration::from_secs(60);
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// Where the services keep their data.
const SERVICES: [ServiceName; 4] =
    [ServiceName::Roster, ServiceName::Supervision, ServiceName::Workgroup, ServiceName::Notification];

/// What a sweep came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How often the importer was killed.
    pub importer_kills: usize,
    /// How often the server was.
    pub server_kills: usize,
    /// How many of the killed imports had entered nothing.
    pub nothing_entered: usize,
    /// How many had entered everything.
    pub everything_entered: usize,
    /// How long an import takes that nobody disturbs, in milliseconds.
    pub undisturbed_millis: u128,
}

/// A server in one process, on a folder of its own.
struct Server {
    process: Child,
    folder: PathBuf,
}

impl Server {
    async fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            .args(["up", "--http", "127.0.0.1:0", "--sample", "directory", "--data"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let stdout = process.stdout.take().context("the server's output")?;
        let ready = async {
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("ready ") {
                    return Ok(());
                }
            }
            bail!("the server ended before it was ready")
        };
        tokio::time::timeout(READY_WITHIN, ready).await.context("the server is not ready in time")??;
        Ok(Server { process, folder: folder.to_owned() })
    }

    /// `kill -9`.
    async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().await.context("killing the server")
    }

    async fn databases(&self) -> anyhow::Result<Databases> {
        let url = |service: ServiceName| format!("sqlite://{}/{service}.db", self.folder.display());
        Databases::open(&SERVICES.into_iter().map(|service| (service, url(service))).collect()).await
    }
}

/// Kills so many imports of a notice of 195 items, at moments spread evenly over the time one
/// takes: the importer and the server in turn.
///
/// # Errors
/// When an item is not exactly one task afterwards, or a unit has not exactly one notice.
pub async fn sweep(program: &Path, kills: usize) -> anyhow::Result<Swept> {
    let scratch = tempfile::tempdir()?;
    let (units, file) = notice(&scratch)?;
    let prepared = scratch.path().join("prepared");
    let mut server = Server::start(program, &prepared).await?;
    server.kill().await?;

    let undisturbed = {
        let folder = copy(&prepared, &scratch.path().join("undisturbed"))?;
        let server = Server::start(program, &folder).await?;
        let started = Instant::now();
        let status = import(program, &folder, &file)?.wait().await?;
        ensure!(status.success(), "the undisturbed import failed: {status}");
        let took = started.elapsed();
        check(&server, &units).await?;
        took
    };
    let mut swept = Swept {
        importer_kills: 0,
        server_kills: 0,
        nothing_entered: 0,
        everything_entered: 0,
        undisturbed_millis: undisturbed.as_millis(),
    };
    for number in 0..kills {
        let moment = undisturbed.mul_f64((number + 1) as f64 / (kills + 1) as f64);
        let folder = copy(&prepared, &scratch.path().join(format!("kill-{number}")))?;
        let mut server = Server::start(program, &folder).await?;
        let mut importer = import(program, &folder, &file)?;
        tokio::time::sleep(moment).await;
        if number % 2 == 0 {
            importer.kill().await?;
            swept.importer_kills += 1;
        } else {
            server.kill().await?;
            importer.wait().await?;
            swept.server_kills += 1;
            server = Server::start(program, &folder).await?;
        }
        match tasks(&server).await?.len() {
            0 => swept.nothing_entered += 1,
            ITEMS => swept.everything_entered += 1,
            some => bail!("{some} of {ITEMS} tasks are there after kill {number}: half an import"),
        }
        let status = import(program, &folder, &file)?.wait().await?;
        ensure!(status.success(), "the import after kill {number} failed: {status}");
        check(&server, &units).await.with_context(|| format!("after kill {number}, {moment:?} in"))?;
        server.kill().await?;
        fs::remove_dir_all(&folder)?;
    }
    Ok(swept)
}

/// The notice, and the units it names with how many items each has.
fn notice(scratch: &TempDir) -> anyhow::Result<(BTreeMap<String, usize>, PathBuf)> {
    let directory: serde_json::Value =
        serde_json::from_str(include_str!("../../sample/linfen/directory.json"))?;
    let units = directory["units"].as_array().context("units")?;
    let departments = units.iter().filter(|unit| unit["unit"]["kind"] == "UNIT_KIND_DEPARTMENT");
    let departments: Vec<(String, String)> = departments
        .filter_map(|unit| {
            let name = unit["unit"]["displayName"].as_str()?.to_owned();
            Some((format!("units/{}", unit["unitId"].as_str()?), name))
        })
        .take(30)
        .collect();
    let names: Vec<String> = departments.iter().map(|(_, name)| name.clone()).collect();
    let file = scratch.path().join("notice.txt");
    fs::write(&file, task_list(NUMBER, &names, ITEMS))?;
    let each = ITEMS.div_ceil(departments.len());
    let mut left = ITEMS;
    let mut units = BTreeMap::new();
    for (unit, _) in departments {
        let items = each.min(left);
        left -= items;
        if items > 0 {
            units.insert(unit, items);
        }
    }
    Ok((units, file))
}

fn import(program: &Path, folder: &Path, file: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.arg("import").arg("--data").arg(folder).arg(file);
    command.env_remove("XIETONG_SERVER").env_remove("XIETONG_TOKEN");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().context("starting the importer")
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        // The folder of attachments is empty: nobody has attached anything.
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(to.to_owned())
}

/// The identity of every task there is.
async fn tasks(server: &Server) -> anyhow::Result<Vec<String>> {
    let databases = server.databases().await?;
    let reader = databases.of(ServiceName::Supervision)?.reader();
    let sql = "SELECT item FROM task_sources JOIN tasks ON tasks.name = task_sources.task ORDER BY item";
    let rows = reader.query_all_raw(statement(reader, sql, [])).await?;
    rows.iter().map(|row| Ok(row.try_get_by("item")?)).collect()
}

/// Every item is one task, and every unit has one notice of all its items.
async fn check(server: &Server, units: &BTreeMap<String, usize>) -> anyhow::Result<()> {
    let databases = server.databases().await?;
    databases.settle(SETTLES_WITHIN).await?;
    let mut items: Vec<usize> = Vec::new();
    for item in tasks(server).await? {
        items.push(item.parse()?);
    }
    items.sort_unstable();
    ensure!(items == (1..=ITEMS).collect::<Vec<_>>(), "items {items:?}");
    let reader = databases.of(ServiceName::Supervision)?.reader();
    let count = "SELECT COUNT(*) AS value FROM tasks";
    let row = reader.query_one_raw(statement(reader, count, [])).await?.context("no count")?;
    ensure!(row.try_get_by::<i64, _>("value")? == ITEMS as i64, "there are other tasks");

    let reader = databases.of(ServiceName::Notification)?.reader();
    let sql = "SELECT unit, title, COUNT(*) AS value FROM ladders WHERE subject = $1 GROUP BY unit, title";
    let subject = format!("documents/{NUMBER}");
    let mut told = BTreeMap::new();
    for row in reader.query_all_raw(statement(reader, sql, [subject.as_str().into()])).await? {
        let (unit, title): (String, String) = (row.try_get_by("unit")?, row.try_get_by("title")?);
        ensure!(row.try_get_by::<i64, _>("value")? == 1, "{unit} was told more than once");
        told.insert(unit, title);
    }
    let expected: BTreeMap<String, String> =
        units.iter().map(|(unit, items)| (unit.clone(), format!("交办：{NUMBER}，共{items}项"))).collect();
    ensure!(told == expected, "told {told:?}, and not {expected:?}");
    // Somebody may be the liaison of several units, and has a notice of each.
    let sql = "SELECT ladder FROM ladder_messages JOIN messages ON message = id WHERE subject = $1
               GROUP BY ladder, recipient HAVING COUNT(*) > 1";
    let doubled = reader.query_all_raw(statement(reader, sql, [subject.as_str().into()])).await?;
    ensure!(doubled.is_empty(), "{} notices are in an inbox twice", doubled.len());
    Ok(())
}
