//! The ledger as a whole: its summary counts what lists show, its table holds every assignment.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, DataType, Reader, Xlsx};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sea_orm::ConnectionTrait;
use tonic::Code;
use xietong_mesh::ServiceName;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead, Responsible};
use xietong_proto::supervision::Light;

use crate::city::{City, Store, account, clerk, leader, list_all, refusal, task};
use crate::on_both;
use crate::roster::UNITS;

on_both!(
    a_summary_counts_what_a_list_shows,
    leaders_are_seen_by_the_mayor_and_themselves_and_never_ranked,
    what_groups_escalated_is_summed_up_by_group,
    a_tag_is_found_as_it_is_now,
    tags_of_tasks_entered_before_are_found,
    the_workbook_holds_every_assignment_as_it_stands,
    the_table_as_csv_holds_the_same,
    a_table_shows_no_more_than_may_be_listed,
    a_table_is_kept_as_what_it_is_and_of_which_day,
    what_is_no_grouping_and_no_format_is_refused,
);

/// Tasks of all kinds, some of which have come to an end, at an instant at which some are late.
async fn busy(store: Store, count: usize) -> City {
    let city = City::start(store).await;
    let mut runner = TestRunner::deterministic();
    let role = || proptest::sample::select(vec![Lead, Cooperating, Responsible]);
    let units = proptest::collection::btree_map(
        proptest::sample::select(UNITS.map(|(slug, _)| slug).to_vec()),
        role(),
        1..4,
    );
    let kind = (units, 0..3_usize, 0..3_usize, 0..6_usize, 0..7_usize);
    let kinds = proptest::collection::vec(kind, count).new_tree(&mut runner).unwrap().current();
    let mut tasks = Vec::new();
    for (number, (mut units, document, visibility, tags, _)) in kinds.iter().cloned().enumerate() {
        if units.values().all(|role| *role == Cooperating) {
            units.values_mut().for_each(|role| *role = Responsible);
        }
        let mut task = task(&format!("事项{number}"), &units.into_iter().collect::<Vec<_>>());
        if document > 0 {
            task.source = Some(proto::Source {
                document_number: format!("临政办发〔2023〕{document}号"),
                item_number: i32::try_from(number).unwrap() + 1,
                ..Default::default()
            });
        }
        task.visibility =
            [Visibility::Public, Visibility::Internal, Visibility::Restricted][visibility].into();
        if task.visibility() == Visibility::Restricted {
            task.restricted_units = vec!["units/water".to_owned()];
        }
        task.tags = ["民生实事", "防汛", "民生实事"].into_iter().take(tags % 4).map(str::to_owned).collect();
        if number % 4 == 0 {
            task.due_time =
                Some(xietong_mesh::convert::encode_time(crate::city::at("2023-06-03T00:00:00+08:00")));
        }
        tasks.push(task);
    }
    let mut supervisor = city.supervisor();
    let request =
        proto::BatchCreateTasksRequest { confirm_duplicates: true, tasks, issue: true, ..Default::default() };
    let created = supervisor.batch_create_tasks(request).await.unwrap().into_inner().tasks;
    let draft = task("草稿", &[("energy", Lead)]);
    let draft =
        proto::CreateTaskRequest { task: Some(draft), confirm_duplicates: true, ..Default::default() };
    supervisor.create_task(draft).await.unwrap();
    for (task, (.., fate)) in created.iter().zip(kinds) {
        match fate {
            0 => withdraw(&city, &task.name).await,
            1 | 2 => {
                for one in &task.assignments {
                    settle(&city, one).await;
                }
            }
            _ => {}
        }
    }
    city.wait_until("2023-06-05T10:00:00+08:00").await;
    city
}

async fn withdraw(city: &City, name: &str) {
    let request = proto::WithdrawTaskRequest {
        name: name.to_owned(),
        ground: "不再需要".to_owned(),
        ..Default::default()
    };
    city.supervisor().withdraw_task(request).await.unwrap();
}

/// Settles an assignment, unless its task is settled without it.
async fn settle(city: &City, one: &proto::Assignment) {
    let (name, mut clerk) = (one.name.clone(), city.clerk(one.unit.trim_start_matches("units/")));
    let sign = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
    if clerk.sign_assignment(sign).await.is_err() {
        return;
    }
    let deploy = proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() };
    clerk.deploy_assignment(deploy).await.unwrap();
    let submit = proto::SubmitAssignmentRequest {
        name: name.clone(),
        text: "=已办结".to_owned(),
        ..Default::default()
    };
    clerk.submit_assignment(submit).await.unwrap();
    let verify = proto::VerifyAssignmentRequest { name, accept: true, ..Default::default() };
    city.supervisor().verify_assignment(verify).await.unwrap();
}

fn supervisor() -> Principal {
    account("supervisor", Grant::of(Role::Supervisor))
}

/// What is counted under a key: each light, as in `LedgerCounts`.
type Counted = BTreeMap<String, [i64; 5]>;

fn place(light: Light) -> usize {
    match light {
        Light::Green => 0,
        Light::Yellow => 1,
        Light::Red => 2,
        Light::Blue => 3,
        Light::Grey => 4,
        Light::Unspecified => panic!("a draft is not on the ledger"),
    }
}

fn counted(counts: &proto::LedgerCounts) -> [i64; 5] {
    let lights = [counts.green, counts.yellow, counts.red, counts.blue, counts.grey];
    assert_eq!(counts.total, lights.iter().sum::<i64>());
    lights
}

fn word(light: Light) -> String {
    light.as_str_name().trim_start_matches("LIGHT_").to_lowercase()
}

/// The summary, recomputed from the tasks of a list.
fn expected(tasks: &[proto::Task], group_by: &str, led: impl Fn(&proto::Task) -> Vec<String>) -> Counted {
    let mut found = Counted::new();
    for task in tasks {
        let mut keys: Vec<(String, Light)> = match group_by {
            "light" => vec![(word(task.light()), task.light())],
            "unit" => task.assignments.iter().map(|one| (one.unit.clone(), one.light())).collect(),
            "document" => {
                vec![(task.source.clone().unwrap_or_default().document_number, task.light())]
            }
            "tag" => task.tags.iter().map(|tag| (tag.clone(), task.light())).collect(),
            "leader" => led(task).into_iter().map(|leader| (leader, task.light())).collect(),
            _ => panic!("{group_by}"),
        };
        keys.sort();
        keys.dedup();
        for (key, light) in keys {
            found.entry(key).or_default()[place(light)] += 1;
        }
    }
    found
}

async fn a_summary_counts_what_a_list_shows(store: Store) {
    let city = busy(store, 60).await;
    let mut seen = [0; 5];
    for reader in [supervisor(), clerk("energy"), clerk("water"), leader("first"), leader("mayor")] {
        let mut lists = city.client(&reader);
        let all = list_all(&mut lists, proto::ListTasksRequest::default()).await;
        let all: Vec<_> = all.into_iter().filter(|task| task.state() != proto::TaskState::Draft).collect();
        for group_by in ["light", "unit", "document", "tag"] {
            let request =
                proto::SummarizeLedgerRequest { group_by: group_by.to_owned(), ..Default::default() };
            let summary = city.ledger(&reader).summarize_ledger(request).await.unwrap().into_inner();
            let rows: Counted =
                summary.rows.iter().map(|row| (row.key.clone(), counted(&row.counts.unwrap()))).collect();
            let naive = expected(&all, group_by, |_| vec![]);
            assert_eq!(rows, naive, "{group_by} of {}", reader.subject);
            assert_eq!(summary.row_count as usize, summary.rows.len());
            let total: i64 = summary.total.unwrap().total;
            assert_eq!(total as usize, all.len());
            assert!(summary.rows.is_sorted_by_key(|row| -row.counts.unwrap().red));
            assert_eq!(summary.roster_as_of.is_some(), reader.official.is_some());
            for row in &summary.rows {
                let oldest = row.oldest_red.as_ref();
                assert_eq!(oldest.is_some(), row.counts.unwrap().red > 0, "{}", row.key);
                if let Some(oldest) = oldest {
                    let task = all.iter().find(|task| task.name == oldest.task).unwrap();
                    assert_eq!((task.ledger_number, &task.title), (oldest.ledger_number, &oldest.title));
                    assert!(oldest.since.unwrap().seconds < summary.as_of.unwrap().seconds);
                }
            }
            let lights = counted(&summary.total.unwrap());
            seen.iter_mut().zip(lights).for_each(|(seen, count)| *seen += count);
        }
        let filtered = proto::SummarizeLedgerRequest {
            light: Light::Red.into(),
            unit: "units/energy".to_owned(),
            tag: "防汛".to_owned(),
            ..Default::default()
        };
        let red = city.ledger(&reader).summarize_ledger(filtered).await.unwrap().into_inner();
        let is_meant = |task: &&proto::Task| {
            task.light() == Light::Red
                && task.tags.iter().any(|tag| tag == "防汛")
                && task.assignments.iter().any(|one| one.unit == "units/energy")
        };
        assert_eq!(red.total.unwrap().total as usize, all.iter().filter(is_meant).count());
    }
    assert!(seen[1..].iter().all(|count| *count > 0), "nothing was compared: {seen:?}");
}

async fn leaders_are_seen_by_the_mayor_and_themselves_and_never_ranked(store: Store) {
    let city = busy(store, 60).await;
    let by_leader = || proto::SummarizeLedgerRequest { group_by: "leader".to_owned(), ..Default::default() };
    for reader in [supervisor(), clerk("energy"), account("auditor", Grant::of(Role::Auditor))] {
        let refused = city.ledger(&reader).summarize_ledger(by_leader()).await;
        assert_eq!(refusal(refused).0, Code::PermissionDenied, "{}", reader.subject);
    }
    for (reader, seen) in [
        (leader("mayor"), vec!["officials/first", "officials/mayor", "officials/second"]),
        (leader("first"), vec!["officials/first"]),
    ] {
        let mut lists = city.client(&reader);
        let all = list_all(&mut lists, proto::ListTasksRequest::default()).await;
        let all: Vec<_> = all.into_iter().filter(|task| task.state() != proto::TaskState::Draft).collect();
        let mut led: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for official in &seen {
            let request = proto::ListTasksRequest { leader: (*official).to_owned(), ..Default::default() };
            for task in list_all(&mut lists, request).await {
                led.entry(task.name).or_default().push((*official).to_owned());
            }
        }
        let summary = city.ledger(&reader).summarize_ledger(by_leader()).await.unwrap().into_inner();
        let rows: Counted =
            summary.rows.iter().map(|row| (row.key.clone(), counted(&row.counts.unwrap()))).collect();
        assert_eq!(rows, expected(&all, "leader", |task| led.get(&task.name).cloned().unwrap_or_default()));
        let keys: Vec<&str> = summary.rows.iter().map(|row| row.key.as_str()).collect();
        assert!(keys.is_sorted() && keys.iter().all(|key| seen.contains(key)), "{keys:?}");
        assert!(summary.roster_as_of.is_some());
    }
}

async fn what_groups_escalated_is_summed_up_by_group(store: Store) {
    let city = City::start(store).await;
    let mut workgroup = city.client(&Principal::system(ServiceName::Workgroup));
    for (title, origin) in [
        ("用地手续", "groups/pipeline/meetings/1/decisions/1"),
        ("资金拨付", "groups/pipeline/meetings/2/decisions/1"),
        ("河道清淤", "groups/water/meetings/1/decisions/1"),
    ] {
        let request = proto::CreateTaskRequest {
            task: Some(task(title, &[("energy", Lead)])),
            issue: true,
            origin: origin.to_owned(),
            ..Default::default()
        };
        workgroup.create_task(request).await.unwrap();
    }
    city.issued(task("清洁取暖", &[("energy", Lead)])).await;
    let request = proto::SummarizeLedgerRequest { group_by: "group".to_owned(), ..Default::default() };
    let summary = city.ledger(&supervisor()).summarize_ledger(request).await.unwrap().into_inner();
    let rows: Vec<_> = summary.rows.iter().map(|row| (row.key.as_str(), row.counts.unwrap().green)).collect();
    assert_eq!(rows, [("groups/pipeline", 2), ("groups/water", 1)]);
    assert_eq!(summary.total.unwrap().total, 4);
}

async fn a_tag_is_found_as_it_is_now(store: Store) {
    let city = City::start(store).await;
    let mut tagged = task("一号", &[("energy", Lead)]);
    tagged.tags = vec!["防汛".to_owned(), "防汛".to_owned(), "民生实事".to_owned()];
    let created = city.issued(tagged).await;
    city.issued(task("二号", &[("energy", Lead)])).await;
    let found = async |tag: &str| {
        let request = proto::ListTasksRequest { tag: tag.to_owned(), ..Default::default() };
        city.list(request).await.len()
    };
    assert_eq!((found("防汛").await, found("民生实事").await, found("民生").await), (1, 1, 0));
    let request = proto::UpdateTaskRequest {
        task: Some(proto::Task { name: created.name, tags: vec!["供暖".to_owned()], ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["tags".to_owned()] }),
        ground: "标签有误".to_owned(),
        ..Default::default()
    };
    city.supervisor().update_task(request).await.unwrap();
    assert_eq!((found("防汛").await, found("民生实事").await, found("供暖").await), (0, 0, 1));
}

async fn tags_of_tasks_entered_before_are_found(store: Store) {
    let mut city = City::start(store).await;
    for tags in [vec![], vec!["防汛", "防汛", "一"], vec!["防汛"]] {
        let mut task = task("一号", &[("energy", Lead)]);
        task.tags = tags.into_iter().map(str::to_owned).collect();
        city.issued(task).await;
    }
    let writer = city.service.db.writer();
    for sql in
        ["DROP TABLE task_tags", "DELETE FROM seaql_migrations WHERE version = 'supervision_0008_ledger'"]
    {
        writer.execute_unprepared(sql).await.unwrap();
    }
    city.restart().await;
    for (tag, expected) in [("防汛", vec![3, 2]), ("一", vec![2])] {
        let request = proto::ListTasksRequest { tag: tag.to_owned(), ..Default::default() };
        let found: Vec<i64> = city.list(request).await.iter().map(|task| task.ledger_number).collect();
        assert_eq!(found, expected, "{tag}");
    }
}

async fn export(city: &City, reader: &Principal, format: &str) -> (String, Vec<u8>) {
    let request = proto::ExportLedgerRequest { format: format.to_owned(), ..Default::default() };
    let mut stream = city.ledger(reader).export_ledger(request).await.unwrap().into_inner();
    let (mut content_type, mut bytes) = (String::new(), Vec::new());
    while let Some(piece) = stream.message().await.unwrap() {
        content_type = piece.content_type;
        bytes.extend(piece.data);
    }
    (content_type, bytes)
}

/// The assignments of what somebody may list, as (ledger number, unit's name).
async fn assignments(city: &City, reader: &Principal) -> Vec<(i64, String)> {
    let tasks = list_all(&mut city.client(reader), proto::ListTasksRequest::default()).await;
    let issued = tasks.iter().rev().filter(|task| task.state() != proto::TaskState::Draft);
    let called =
        |unit: &str| UNITS.iter().find(|(slug, _)| unit == format!("units/{slug}")).unwrap().1.to_owned();
    issued
        .flat_map(|task| task.assignments.iter().map(|one| (task.ledger_number, called(&one.unit))))
        .collect()
}

/// The date and time of a cell, to the minute.
fn shown(cell: &Data) -> (u16, u8, u8, u8, u8) {
    let Data::DateTime(at) = cell else { panic!("{cell:?} is no date") };
    let (year, month, day, hour, minute, ..) = at.to_ymd_hms_milli();
    (year, month, day, hour, minute)
}

async fn the_workbook_holds_every_assignment_as_it_stands(store: Store) {
    // More than one portion of tasks.
    let city = busy(store, 230).await;
    let (content_type, bytes) = export(&city, &supervisor(), "XLSX").await;
    assert_eq!(content_type, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range("台账").unwrap();
    let headings: Vec<String> = sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(headings[..5], ["台账编号", "文号", "项号", "事项", "单位"]);
    assert_eq!((headings[12].as_str(), headings[14].as_str()), ("办结时限", "灯"));
    let rows: Vec<&[Data]> = sheet.rows().skip(1).collect();
    let found: Vec<(i64, String)> =
        rows.iter().map(|row| (row[0].as_i64().unwrap(), row[4].to_string())).collect();
    assert_eq!(found, assignments(&city, &supervisor()).await);

    let (mut late, mut formulas) = (0, 0);
    for row in rows {
        assert_eq!(shown(&row[6]), (2023, 6, 1, 9, 0), "clocks in Shanghai show it");
        let due = shown(&row[12]);
        assert!([(2023, 6, 2, 0, 0), (2023, 6, 8, 0, 0)].contains(&due), "{due:?}");
        if row[14] == "红" {
            assert_eq!(row[16].as_i64(), Some(3), "2 June is three days ago");
            late += 1;
        } else {
            assert!(row[16].is_empty(), "{:?}", row[16]);
        }
        if row[15] == "=已办结" {
            assert_eq!(row[13].to_string(), "已销号");
            formulas += 1;
        }
    }
    assert!(late > 0 && formulas > 0);
    assert!(book.worksheet_formula("台账").unwrap().used_cells().next().is_none(), "nothing is a formula");
}

async fn the_table_as_csv_holds_the_same(store: Store) {
    let city = busy(store, 30).await;
    let (content_type, bytes) = export(&city, &supervisor(), "csv").await;
    assert_eq!(content_type, "text/csv; charset=utf-8");
    let text = String::from_utf8(bytes).unwrap();
    let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    assert_eq!(reader.headers().unwrap().len(), 18);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let found: Vec<(i64, String)> =
        rows.iter().map(|row| (row[0].parse().unwrap(), row[4].to_owned())).collect();
    assert_eq!(found, assignments(&city, &supervisor()).await);
    assert!(rows.iter().all(|row| &row[6] == "2023-06-01 09:00"));
    assert!(rows.iter().any(|row| &row[15] == "'=已办结"), "kept from being a formula");
}

async fn a_table_shows_no_more_than_may_be_listed(store: Store) {
    let city = busy(store, 40).await;
    let everything = assignments(&city, &supervisor()).await;
    for reader in [clerk("energy"), clerk("water"), leader("first")] {
        let (_, bytes) = export(&city, &reader, "csv").await;
        let text = String::from_utf8(bytes).unwrap();
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let found: Vec<(i64, String)> = rows
            .records()
            .map(Result::unwrap)
            .map(|row| (row[0].parse().unwrap(), row[4].to_owned()))
            .collect();
        assert_eq!(found, assignments(&city, &reader).await, "{}", reader.subject);
        assert!(!found.is_empty() && found.len() < everything.len());
    }
}

async fn a_table_is_kept_as_what_it_is_and_of_which_day(store: Store) {
    let city = City::start(store).await;
    for format in ["xlsx", "csv"] {
        let request = proto::ExportLedgerRequest { format: format.to_owned(), ..Default::default() };
        let answer = city.ledger(&supervisor()).export_ledger(request).await.unwrap();
        let name = xietong_mesh::file_name::read(answer.metadata());
        assert_eq!(name, Some(format!("督办台账2023年6月1日.{format}")));
    }
}

async fn what_is_no_grouping_and_no_format_is_refused(store: Store) {
    let city = City::start(store).await;
    let mut ledger = city.ledger(&supervisor());
    let request = proto::SummarizeLedgerRequest { group_by: "leaders".to_owned(), ..Default::default() };
    let (code, error) = refusal(ledger.summarize_ledger(request).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "group_by"));
    let request = proto::ExportLedgerRequest { format: "pdf".to_owned(), ..Default::default() };
    let refused = ledger.export_ledger(request).await.map(|_| tonic::Response::new(()));
    assert_eq!(refusal(refused).0, Code::InvalidArgument);
    let request =
        proto::ExportLedgerRequest { format: "csv".to_owned(), tag: "长".repeat(501), ..Default::default() };
    let refused = ledger.export_ledger(request).await.map(|_| tonic::Response::new(()));
    assert_eq!(refusal(refused).0, Code::InvalidArgument);
    let stranger = account("stranger", Grant::of(Role::GroupOffice).in_group("groups/1"));
    let refused = city.ledger(&stranger).summarize_ledger(proto::SummarizeLedgerRequest::default()).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
}
