//! Full-text search: the same answers on both stores, and never more than may be seen.

use domain_supervision::{SearchTerms, searchable};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tonic::Code;
use xietong_mesh::convert::encode_time;
use xietong_proto::common::Visibility;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::Lead;
use xietong_proto::supervision::instruction_service_client::InstructionServiceClient;

use crate::city::{City, START, Store, at, clerk, leader, list_all, refusal, supervisor, task};
use crate::on_both;
use crate::roster::UNITS;

on_both!(
    what_is_looked_for_is_found_wherever_it_stands,
    a_search_finds_exactly_what_contains_its_terms_and_may_be_read,
    a_search_says_until_when_it_looked,
    a_task_is_found_by_its_number_its_units_and_what_leaders_wrote,
    the_ledger_is_summed_up_and_exported_by_what_is_looked_for,
    a_query_that_is_too_long_or_of_another_page_is_refused,
);

async fn numbers(city: &City, q: &str) -> Vec<i64> {
    let request = proto::ListTasksRequest { q: q.to_owned(), ..Default::default() };
    city.list(request).await.iter().map(|task| task.ledger_number).collect()
}

async fn what_is_looked_for_is_found_wherever_it_stands(store: Store) {
    let city = City::start(store).await;
    let mut water = task("实施“一泓清水入黄河”工程", &[("water", Lead)]);
    water.text = "十大类、百余个项目，投资 200\n余亿元。".to_owned();
    water.source = Some(proto::Source {
        document_number: "临政办发〔2023〕8号".to_owned(),
        part: "生态环境".to_owned(),
        item_number: 148,
        ..Default::default()
    });
    water.tags = vec!["省政府12件民生实事".to_owned()];
    let water = city.issued(water).await;
    let gas = city.issued(task("推进ＬＮＧ调峰站100%达产", &[("energy", Lead)])).await;
    city.issued(task("清洁取暖改造", &[("energy", Lead)])).await;
    city.run().await;
    for (q, expected) in [
        ("水", vec![1]),
        ("清", vec![3, 1]),
        ("一泓清水入黄河", vec![1]),
        ("清水 工程", vec![1]),
        ("工程　清水", vec![1]),
        ("清水工程", vec![]),
        ("临政办发[2023]8号", vec![1]),
        ("（2023）", vec![1]),
        ("〔2023〕8", vec![1]),
        ("200余亿", vec![1]),
        ("百余 个项目", vec![1]),
        ("生态环境", vec![1]),
        ("民生实事", vec![1]),
        ("lng", vec![2]),
        ("LNG调峰", vec![2]),
        ("100%", vec![2]),
        ("%", vec![2]),
        ("_", vec![]),
        ("工程十大", vec![]),
        ("火星", vec![]),
        ("清 火星", vec![]),
        ("\"清\" OR", vec![]),
        ("  ", vec![3, 2, 1]),
    ] {
        assert_eq!(numbers(&city, q).await, expected, "{q}");
    }

    let name = gas.assignments[0].name.clone();
    let mut energy = city.clerk("energy");
    let sign = proto::SignAssignmentRequest { name: name.clone(), ..Default::default() };
    energy.sign_assignment(sign).await.unwrap();
    let deploy = proto::DeployAssignmentRequest { name: name.clone(), ..Default::default() };
    energy.deploy_assignment(deploy).await.unwrap();
    for text in ["储罐基础已浇筑。", "管廊已贯通。"] {
        let report = proto::ReportAssignmentRequest {
            name: name.clone(),
            text: text.to_owned(),
            ..Default::default()
        };
        energy.report_assignment(report).await.unwrap();
    }
    let submit = proto::SubmitAssignmentRequest {
        name,
        text: "全面达产，验收合格。".to_owned(),
        ..Default::default()
    };
    energy.submit_assignment(submit).await.unwrap();
    let revised = proto::Task {
        name: water.name,
        title: "实施“一泓清水入黄河”工程（一期）".to_owned(),
        text: "投资300亿元。".to_owned(),
        ..Default::default()
    };
    let paths = vec!["title".to_owned(), "text".to_owned()];
    let update = proto::UpdateTaskRequest {
        task: Some(revised),
        update_mask: Some(prost_types::FieldMask { paths }),
        ground: "调整".to_owned(),
        ..Default::default()
    };
    city.supervisor().update_task(update).await.unwrap();
    city.run().await;
    for (q, expected) in [
        ("储罐", vec![2]),
        ("管廊 储罐 验收合格", vec![2]),
        ("贯通储罐", vec![]),
        ("200余亿", vec![]),
        ("300亿元 [2023]8号", vec![1]),
        ("(一期)", vec![1]),
    ] {
        assert_eq!(numbers(&city, q).await, expected, "{q}");
    }
}

fn any_task() -> impl Strategy<Value = proto::Task> {
    let visibility = proptest::sample::select(vec![
        Visibility::Public,
        Visibility::Internal,
        Visibility::Internal,
        Visibility::Restricted,
    ]);
    let units = proptest::sample::select(vec!["water", "energy", "health", "industry"]);
    ("[水利治理清洁能源]{2,8}", "[水利治理清洁能源 ，A-C〔〕]{0,20}", units, visibility).prop_map(
        |(title, text, unit, visibility)| {
            let mut task = proto::Task { text, ..task(&title, &[(unit, Lead)]) };
            task.visibility = visibility.into();
            if visibility == Visibility::Restricted {
                task.restricted_units = vec!["units/health".to_owned()];
            }
            task
        },
    )
}

async fn a_search_finds_exactly_what_contains_its_terms_and_may_be_read(store: Store) {
    let city = City::start(store).await;
    let mut runner = TestRunner::deterministic();
    let tasks = proptest::collection::vec(any_task(), 60).new_tree(&mut runner).unwrap().current();
    let request =
        proto::BatchCreateTasksRequest { tasks, issue: true, confirm_duplicates: true, ..Default::default() };
    let created = city.supervisor().batch_create_tasks(request).await.unwrap().into_inner().tasks;
    city.run().await;
    let queries = "[水利治理清洁能源AB〔]{1,3}( [水利治理清洁能源C）]{1,2})?";
    let queries = proptest::collection::vec(queries, 40).new_tree(&mut runner).unwrap().current();
    let mut found = 0;
    for reader in [supervisor(), clerk("water"), clerk("health"), leader("first")] {
        let mut client = city.client(&reader);
        let mut readable = Vec::new();
        for task in created.iter().rev() {
            match client.get_task(proto::GetTaskRequest { name: task.name.clone() }).await {
                Ok(_) => readable.push(task),
                Err(status) => assert_eq!(status.code(), Code::PermissionDenied),
            }
        }
        for q in &queries {
            let terms = SearchTerms::of(q).unwrap();
            let contains = |task: &&&proto::Task| {
                let unit = unit_called(&task.assignments[0].unit);
                terms.occur_in(&searchable([task.title.as_str(), task.text.as_str(), unit], 1_000))
            };
            let expected: Vec<i64> =
                readable.iter().filter(contains).map(|task| task.ledger_number).collect();
            let request = proto::ListTasksRequest { q: q.clone(), page_size: 7, ..Default::default() };
            let listed = list_all(&mut client, request).await;
            let listed: Vec<i64> = listed.iter().map(|task| task.ledger_number).collect();
            assert_eq!(listed, expected, "{q} by {reader:?}");
            found += listed.len();
        }
    }
    assert!(found > 100, "{found}");
}

/// What people call a unit.
fn unit_called(name: &str) -> &'static str {
    let slug = name.trim_start_matches("units/");
    UNITS.iter().find(|(one, _)| *one == slug).unwrap().1
}

async fn a_task_is_found_by_its_number_its_units_and_what_leaders_wrote(store: Store) {
    let city = City::start(store).await;
    let water = city.issued(task("河道清淤", &[("water", Lead)])).await;
    city.issued(task("调峰站3号罐", &[("energy", Lead)])).await;
    city.issued(task("清洁取暖改造", &[("energy", Lead)])).await;
    let (channel, bearer) = city.as_caller(&leader("mayor"));
    let asked = proto::CreateInstructionRequest {
        parent: water.name.clone(),
        text: "务必赶在汛期之前".to_owned(),
        units: vec!["units/water".to_owned()],
        ..Default::default()
    };
    InstructionServiceClient::with_interceptor(channel, bearer).create_instruction(asked).await.unwrap();
    city.run().await;
    for (q, expected) in [
        ("1", vec![1]),
        ("第2号", vec![2]),
        ("台账3号", vec![3]),
        ("台账第３号", vec![3]),
        // What says the number in words is found, too.
        ("3", vec![3, 2]),
        ("第9号", vec![]),
        ("市能源局", vec![3, 2]),
        ("市水利局 清淤", vec![1]),
        ("汛期之前", vec![1]),
    ] {
        assert_eq!(numbers(&city, q).await, expected, "{q}");
    }
}

async fn a_search_says_until_when_it_looked(store: Store) {
    let city = City::start(store).await;
    city.run().await;
    let later = "2023-06-01T10:00:00+08:00";
    let ask = proto::ListTasksRequest { q: "取暖".to_owned(), ..Default::default() };
    let mut client = city.supervisor();
    city.issued(task("清洁取暖改造", &[("energy", Lead)])).await;
    city.clock.set(at(later));
    let before = client.list_tasks(ask.clone()).await.unwrap().into_inner();
    assert_eq!((before.tasks.len(), before.search_as_of), (0, Some(encode_time(at(START)))));
    city.run().await;
    let after = client.list_tasks(ask).await.unwrap().into_inner();
    assert_eq!((after.tasks.len(), after.search_as_of), (1, Some(encode_time(at(later)))));
    let plain = client.list_tasks(proto::ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!((plain.tasks.len(), plain.search_as_of), (1, None));
}

async fn the_ledger_is_summed_up_and_exported_by_what_is_looked_for(store: Store) {
    let city = City::start(store).await;
    city.issued(task("河道清淤", &[("water", Lead)])).await;
    let gas = city.issued(task("调峰站建设", &[("energy", Lead)])).await;
    city.run().await;
    let mut ledger = city.ledger(&supervisor());
    let sum = proto::SummarizeLedgerRequest { q: "清淤".to_owned(), ..Default::default() };
    let summary = ledger.summarize_ledger(sum).await.unwrap().into_inner();
    assert_eq!(summary.total.unwrap().total, 1);
    assert_eq!(summary.search_as_of, Some(encode_time(at(START))));
    let all = ledger.summarize_ledger(proto::SummarizeLedgerRequest::default()).await.unwrap().into_inner();
    assert_eq!((all.total.unwrap().total, all.search_as_of), (2, None));

    let create = proto::CreateMatterRequest {
        title: "能源".to_owned(),
        tasks: vec![gas.name],
        ground: "同一工程".to_owned(),
        ..Default::default()
    };
    let matter = city.matters(&supervisor()).create_matter(create).await.unwrap().into_inner();
    for (q, matter, shown, hidden) in
        [("清淤", "", "河道清淤", "调峰站建设"), ("", matter.name.as_str(), "调峰站建设", "河道清淤")]
    {
        let export = proto::ExportLedgerRequest {
            format: "csv".to_owned(),
            q: q.to_owned(),
            matter: matter.to_owned(),
            ..Default::default()
        };
        let mut pieces = ledger.export_ledger(export).await.unwrap().into_inner();
        let mut file = Vec::new();
        while let Some(piece) = pieces.message().await.unwrap() {
            file.extend(piece.data);
        }
        let file = String::from_utf8(file).unwrap();
        assert!(file.contains(shown) && !file.contains(hidden), "{file}");
    }
}

async fn a_query_that_is_too_long_or_of_another_page_is_refused(store: Store) {
    let city = City::start(store).await;
    for title in ["河道清淤", "河道绿化", "河道巡查"] {
        city.issued(task(title, &[("water", Lead)])).await;
    }
    city.run().await;
    let mut client = city.supervisor();
    for q in ["水".repeat(201), "a\0b".to_owned()] {
        let request = proto::ListTasksRequest { q, ..Default::default() };
        let (code, error) = refusal(client.list_tasks(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "q"));
    }
    let page = proto::ListTasksRequest { q: "河道".to_owned(), page_size: 2, ..Default::default() };
    let first = client.list_tasks(page.clone()).await.unwrap().into_inner();
    assert_eq!(first.tasks.len(), 2);
    let next = proto::ListTasksRequest { page_token: first.next_page_token, ..page };
    let other = proto::ListTasksRequest { q: "河".to_owned(), ..next.clone() };
    assert_eq!(refusal(client.list_tasks(other).await).0, Code::InvalidArgument);
    assert_eq!(client.list_tasks(next).await.unwrap().into_inner().tasks.len(), 1);
    let wrong = proto::ListTasksRequest { matter: "事项".to_owned(), ..Default::default() };
    let (code, error) = refusal(client.list_tasks(wrong).await);
    assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, "matter"));
}
