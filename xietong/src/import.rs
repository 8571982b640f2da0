//! `xietong import`: notices in; proposals out, or what they say entered at a server.
//!
//! The reader is `domain-notice`; here are the files, the directory, what is printed, and the
//! way from proposals to requests.

mod compare;
pub mod directory;
mod division;
mod entering;
mod group;
mod people;
mod proposal;
mod server;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, bail};
use domain_calendar::Timestamp;
use domain_notice::{LARGEST, Notice, NoticeError, Reader, Unresolved, resolve};
use serde::Serialize;

use crate::cli::ImportArgs;
use crate::sample;

use compare::key;
use directory::KnownUnits;
use entering::{How, Outcome, enter};
use proposal::{Making, Proposal};
use server::Server;

/// Reads the files and prints what they say; unless it is a dry run, enters it at a server.
/// Nothing is printed unless all of them are read.
///
/// # Errors
/// One line each: a file that cannot be read, or is no whole notice; something that is not
/// resolved and was not allowed to be; what the server refuses. Nothing is imported then, but
/// what was sent before a server failed in the midst of it.
pub fn run(arguments: &ImportArgs) -> anyhow::Result<()> {
    if arguments.dry_run {
        let known = known_units(arguments.directory.as_deref())?;
        return print(&found(arguments, &known, None)?, &BTreeMap::new(), arguments.json);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(import(arguments))
}

async fn import(arguments: &ImportArgs) -> anyhow::Result<()> {
    let (url, token) =
        server::address(arguments.server.as_deref(), arguments.token.as_deref(), &arguments.data)?;
    let mut server = Server::connect(&url, &token).await?;
    if arguments.token.is_none() {
        let subject = arguments.supervisor.as_deref();
        server = server.supervising_locally(&arguments.data, subject).await?;
    }
    let (known, now) = (server.known().await?, server.now().await?);
    let mut all = found(arguments, &known, Some((now, arguments.backfill)))?;
    for one in &mut all {
        one.note_passed(&server).await?;
    }
    let open: usize = all.iter().map(Found::open).sum();
    if open > 0 && !arguments.allow_unresolved {
        print(&all, &BTreeMap::new(), arguments.json)?;
        bail!(
            "nothing was imported: {open} points are not resolved (--allow-unresolved enters those items as drafts) \
             / 未导入：有{open}处未解决，可核对原文和单位名录，或加 --allow-unresolved 先登记为草稿"
        );
    }
    let proposals: Vec<Proposal> = all.iter_mut().filter_map(|one| one.proposal.take()).collect();
    let how = How {
        backfill: arguments.backfill,
        revise: arguments.revise,
        confirm_duplicates: arguments.confirm_duplicates,
    };
    let outcomes = enter(&server, &proposals, how).await?;
    print(&all, &outcomes.into_iter().collect(), arguments.json)
}

/// What the files say. With the server's time (and whether the work is under way) also what
/// is to be entered of it.
fn found(
    arguments: &ImportArgs,
    known: &KnownUnits,
    at_server: Option<(Timestamp, bool)>,
) -> anyhow::Result<Vec<Found>> {
    let reader = Reader::new()?;
    let mut found = Vec::new();
    for file in &arguments.files {
        for notice in read(&reader, file, known)? {
            let (now, backfill) = at_server.unwrap_or((Timestamp::MIN, false));
            let known = &as_of(known, &notice);
            let mut proposal = Making { known, now, backfill }.proposal(&notice);
            let unknown = std::mem::take(&mut proposal.problems);
            let proposal = at_server.map(|_| proposal);
            found.push(Found { file: file.display().to_string(), notice, unknown, proposal, backfill });
        }
    }
    Ok(found)
}

/// A notice means the units and the posts of its day.
fn as_of(known: &KnownUnits, notice: &Notice) -> KnownUnits {
    match notice.document.issue_date {
        Some(date) => known.clone().as_of(Timestamp::start_of_day(date)),
        None => known.clone(),
    }
}

/// A notice and where it was found, as JSON shows it.
#[derive(Serialize)]
struct Found {
    file: String,
    #[serde(flatten)]
    notice: Notice,
    /// People that nobody is known by, and dates that have passed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<Unresolved>,
    #[serde(skip)]
    proposal: Option<Proposal>,
    /// It is entered as work under way.
    #[serde(skip)]
    backfill: bool,
}

impl Found {
    /// Notes the items whose last day has passed and that are no tasks yet, unless they are
    /// entered as work under way.
    async fn note_passed(&mut self, server: &Server) -> anyhow::Result<()> {
        let passed = self.proposal.as_ref().map(|proposal| proposal.passed.clone()).unwrap_or_default();
        if passed.is_empty() || self.backfill {
            return Ok(());
        }
        let tasks = server.tasks_of(&self.notice.document.number).await?;
        let there: BTreeSet<_> = tasks.iter().filter_map(key).collect();
        let new = passed.into_iter().filter(|(key, _)| !there.contains(key));
        self.unknown.extend(new.map(|(_, problem)| problem));
        Ok(())
    }

    /// How much of it a person has to look at.
    fn open(&self) -> usize {
        self.notice.unresolved.len() + self.unknown.len()
    }
}

/// A notice with what became of its document.
#[derive(Serialize)]
struct Imported<'a> {
    #[serde(flatten)]
    found: &'a Found,
    outcome: &'a Outcome,
}

/// Prints what was found and what became of it. Whoever reads it may stop reading: what was
/// entered is entered.
fn print(all: &[Found], outcomes: &BTreeMap<String, Outcome>, json: bool) -> anyhow::Result<()> {
    match print_to(&mut io::stdout().lock(), all, outcomes, json) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => Ok(printed?),
    }
}

fn print_to(
    to: &mut impl Write,
    all: &[Found],
    outcomes: &BTreeMap<String, Outcome>,
    json: bool,
) -> io::Result<()> {
    for one in all {
        let outcome = outcomes.get(&one.notice.document.number);
        if json {
            let line = match outcome {
                Some(outcome) => serde_json::to_string(&Imported { found: one, outcome })?,
                None => serde_json::to_string(one)?,
            };
            writeln!(to, "{line}")?;
        } else {
            write!(to, "{}\n{}", one.file, show::plain(&one.notice, &one.unknown))?;
        }
    }
    if !json {
        for (number, outcome) in outcomes {
            write!(to, "{}", show::outcome(number, outcome))?;
        }
    }
    to.flush()
}

fn known_units(file: Option<&Path>) -> anyhow::Result<KnownUnits> {
    let directory = match file {
        None => sample::directory()?,
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))?
        }
    };
    KnownUnits::of(&directory)
}

fn read(reader: &Reader, file: &Path, units: &KnownUnits) -> anyhow::Result<Vec<Notice>> {
    let shown = file.display();
    let size = fs::metadata(file).with_context(|| format!("reading {shown}"))?.len();
    if usize::try_from(size).map_or(true, |size| size > LARGEST) {
        return Err(refused(file, NoticeError::TooLong));
    }
    let bytes = fs::read(file).with_context(|| format!("reading {shown}"))?;
    let Ok(text) = String::from_utf8(bytes) else { bail!("{shown}: not UTF-8 / 不是UTF-8文本") };
    let mut notices = reader.read(&text).map_err(|error| refused(file, error))?;
    for notice in &mut notices {
        resolve(notice, &as_of(units, notice));
    }
    Ok(notices)
}

fn refused(file: &Path, error: NoticeError) -> anyhow::Error {
    anyhow::anyhow!("{}: {error} / {}", file.display(), error.chinese())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use domain_notice::{Holder, Kind, Notice, Reader, Relation};

    use super::{known_units, read};

    fn notices(start: &str) -> Vec<Notice> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/notices");
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let file = files.filter(|file| named(file).starts_with(start)).min().unwrap();
        read(&Reader::new().unwrap(), &file, &known_units(None).unwrap()).unwrap()
    }

    fn named(file: &Path) -> String {
        file.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn refusal(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("notice.txt");
        fs::write(&file, bytes).unwrap();
        let units = known_units(None).unwrap();
        let error = read(&Reader::new().unwrap(), &file, &units).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    }

    fn lead(notice: &Notice, no: u32) -> Vec<&str> {
        let item = notice.items.iter().find(|item| item.no == Some(no)).unwrap();
        item.lead.iter().map(|party| party.unit.as_deref().unwrap()).collect()
    }

    #[test]
    fn a_list_of_tasks_is_read_with_its_leads_dates_and_tags() {
        let [list] = notices("01").try_into().unwrap();
        assert_eq!((list.kind, list.items.len(), list.leaders.len()), (Kind::TaskList, 6, 2));
        assert_eq!(lead(&list, 1), ["units/zhujianju"]);
        assert_eq!(lead(&list, 3), ["units/chengguanju", "units/yaodu", "units/guihuaju"]);
        assert_eq!(list.items[1].tags, ["省政府12件民生实事"]);
        let due = |at: usize| list.items[at].due.unwrap().to_string();
        assert_eq!([due(0), due(2), due(3)], ["2024-10-31", "2024-11-30", "2024-12-31"]);
        assert!(list.items[3].milestones.is_empty(), "a start is not due");
        let responsible = list.items.iter().map(|item| item.responsible.len()).collect::<Vec<_>>();
        assert_eq!(responsible, [0, 0, 0, 0, 1, 1], "from item 5 on");
        assert_eq!(list.unresolved, []);
    }

    #[test]
    fn a_division_of_work_is_read_with_its_stand_ins() {
        let [division] = notices("02").try_into().unwrap();
        assert_eq!((division.kind, division.portfolios.len(), division.pairs.len()), (Kind::Division, 3, 2));
        let executive = &division.portfolios[1];
        assert!(executive.units.iter().any(|charge| {
            charge.relation == Relation::AssistsLiaising
                && charge.subject.unit.as_deref() == Some("units/shenjiju")
        }));
        let classes = division.portfolios.iter().flat_map(|one| &one.units).filter(|charge| charge.is_class);
        assert_eq!(classes.count(), 2);
        assert_eq!(division.unresolved, [], "classes are no units");
    }

    #[test]
    fn a_group_is_read_with_its_parts() {
        let [group] = notices("03").try_into().unwrap();
        assert_eq!((group.kind, group.mechanisms.len(), group.duties.len()), (Kind::Group, 2, 5));
        let in_part = group.seats.iter().filter(|seat| seat.body == "督导检查组").count();
        assert_eq!((group.seats.len(), in_part), (13, 3));
        assert!(group.seats.iter().any(|seat| matches!(&seat.holder,
            Holder::Post { post, unit: Some(unit) } if post == "市水利局主要负责人" && unit.unit.is_some())));
        assert_eq!(group.unresolved, []);
    }

    #[test]
    fn a_document_may_carry_several_plans_and_a_table() {
        let [water, rivers] = notices("04").try_into().unwrap();
        assert_eq!((water.items.len(), rivers.items.len()), (3, 3));
        assert_ne!(water.document.part, rivers.document.part);
        assert_eq!(water.items[0].no, None);
        assert_eq!(water.items[0].label, "(一)");
        assert_eq!(water.items[2].milestones[0].units, ["units/houma", "units/huozhou"]);
        assert_eq!(lead(&rivers, 1), ["units/shuiliju"]);
        assert_eq!(rivers.items[0].cooperating.len(), 2);
        let texts: Vec<_> = rivers.items[1].responsible.iter().map(|party| party.text.as_str()).collect();
        assert_eq!(texts, ["襄汾县", "洪洞县"]);
        assert_eq!(rivers.unresolved.len(), 1);
        assert_eq!(rivers.unresolved[0].text, "有关县市区");
    }

    #[test]
    fn a_headquarters_and_a_reply_are_read() {
        let [plan] = notices("05").try_into().unwrap();
        assert_eq!((plan.kind, plan.seats.len(), plan.duties.len()), (Kind::EmergencyPlan, 10, 4));
        let [reply] = notices("06").try_into().unwrap();
        assert_eq!((reply.kind, reply.items.len()), (Kind::Reply, 3));
        let last = reply.items.last().unwrap();
        let window = last.window.as_ref().unwrap();
        assert_eq!(
            (window.event.as_str(), window.earliest_months, window.latest_months),
            ("事故结案", 10, 12)
        );
        assert_eq!(last.due, None);
    }

    #[test]
    fn a_table_under_a_red_head_is_read_and_what_is_missing_in_it_told_of() {
        let [list] = notices("07").try_into().unwrap();
        assert_eq!(list.document.number, "临政办发〔2024〕16号");
        assert_eq!(list.document.title, "关于印发临汾市2024年公园绿地建设任务分解表的通知");
        assert_eq!(list.document.issue_date.unwrap().to_string(), "2024-03-18");
        assert_eq!(list.items.len(), 5);
        assert_eq!(lead(&list, 1), ["units/chengguanju"]);
        assert_eq!(list.items[0].title, "建设口袋公园20处");
        let due = |at: usize| list.items[at].due.unwrap().to_string();
        assert_eq!([due(0), due(1), due(3)], ["2024-10-31", "2024-11-30", "2024-12-31"]);
        let with =
            |at: usize| list.items[at].cooperating.iter().map(|one| one.text.as_str()).collect::<Vec<_>>();
        assert_eq!(with(1), ["尧都区", "襄汾县"]);
        assert_eq!(with(2), ["各县(市、区)人民政府"]);
        assert!(list.items[4].lead.is_empty(), "its row lacks a cell");
        let told: Vec<_> = list.unresolved.iter().map(|one| (one.line, one.why.as_str())).collect();
        assert_eq!(
            told,
            [(25, "时限不是具体日期，需要人工确定"), (28, "表格这一行缺少栏目，无法对应责任单位")]
        );
    }

    #[test]
    fn a_conference_with_seats_by_post_and_parts_is_read() {
        let [group] = notices("08").try_into().unwrap();
        assert_eq!((group.kind, group.seats.len(), group.duties.len()), (Kind::Group, 16, 4));
        let posts = group.seats.iter().filter_map(|seat| match &seat.holder {
            Holder::Post { post, unit } => Some((post.as_str(), unit.as_ref()?.unit.as_deref())),
            Holder::Person { .. } | Holder::Unit { .. } | Holder::OpenClass { .. } => None,
        });
        let posts: Vec<_> = posts.collect();
        assert!(posts.contains(&("市发展改革委副主任", Some("units/fagaiwei"))));
        assert!(posts.contains(&("市水利局分管负责同志", Some("units/shuiliju"))));
        let in_part = group.seats.iter().filter(|seat| seat.body == "农业节水组").count();
        assert_eq!((in_part, group.unresolved.len()), (3, 0));
    }

    #[test]
    fn points_of_work_have_their_clauses_in_many_forms() {
        let [plan] = notices("09").try_into().unwrap();
        assert_eq!((plan.kind, plan.items.len()), (Kind::Plan, 5));
        let due = plan.items.iter().map(|item| item.due.unwrap().to_string()).collect::<Vec<_>>();
        assert_eq!(due, ["2024-10-31", "2024-11-30", "2025-12-31", "2025-12-31", "2025-12-31"]);
        let counts =
            plan.items.iter().map(|item| (item.lead.len(), item.cooperating.len(), item.responsible.len()));
        assert_eq!(counts.collect::<Vec<_>>(), [(1, 0, 2), (1, 1, 0), (1, 1, 0), (1, 1, 0), (0, 0, 0)]);
        assert_eq!(lead(&plan, 4), ["units/caizhengju"]);
        assert_eq!(plan.items[2].milestones.len(), 2);
        let told: Vec<_> = plan.unresolved.iter().map(|one| (one.text.as_str(), one.why.as_str())).collect();
        assert_eq!(told, [("开展满意度调查", "未写明责任单位")]);
    }

    #[test]
    fn a_notice_that_breaks_off_is_told_of_and_a_second_one_is_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample/notices");
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let (plans, reply) = (text("04-行动计划.txt"), text("06-批复.txt"));
        let of = |text: &str| {
            let mut notices = Reader::new().unwrap().read(text).unwrap();
            let last = notices.pop().unwrap();
            (notices.len() + 1, last)
        };
        let half: String = plans.chars().take(plans.chars().count() / 2).collect();
        let (count, last) = of(&half);
        let why: Vec<&str> = last.unresolved.iter().map(|one| one.why.as_str()).collect();
        assert_eq!(count, 1);
        assert!(why.contains(&"通知中提到，正文中没有") && why.contains(&"原文可能在此中断"), "{why:?}");

        let (count, last) = of(&format!("{plans}{reply}"));
        assert_eq!((count, last.kind), (3, Kind::Reply));
        assert_eq!(last.document.number, "临政函〔2024〕6号");
    }

    #[test]
    fn bad_input_is_one_clear_line() {
        let head = "某市政府\n关于某事的通知\n某政发〔2024〕3号\n";
        for (bytes, said) in [
            ("购物清单\n1. 牛奶".as_bytes().to_vec(), "没有发文字号"),
            (format!("{head}1. 改造。（市甲局负责）").into_bytes(), "没有成文日期"),
            (b"\xff\xfe\x00".to_vec(), "不是UTF-8文本"),
            (vec![b'x'; domain_notice::LARGEST + 1], "超过4兆字节"),
        ] {
            let error = refusal(&bytes);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_renamed_unit_is_told_of_with_its_line_and_what_it_may_be() {
        let head = "某市政府\n关于某事的通知\n某政发〔2024〕3号\n";
        let text = format!("{head}一、任务\n1. 改造。（市水利水务局负责）\n某市政府\n2024年5月1日");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notice.txt");
        fs::write(&file, text).unwrap();
        let units = known_units(None).unwrap();
        let [notice] = read(&Reader::new().unwrap(), &file, &units).unwrap().try_into().unwrap();
        assert_eq!((notice.unresolved[0].line, notice.unresolved[0].text.as_str()), (5, "市水利水务局"));
        assert_eq!(notice.unresolved[0].candidates.first().map(String::as_str), Some("units/shuiliju"));
    }
}
