//! Duplicate asks are refused unless they are meant; the same ask of other leads is proposed as one
//! matter.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;
use tonic::Code;
use xietong_mesh::Error;
use xietong_proto::supervision as proto;
use xietong_proto::supervision::AssignmentRole::{Cooperating, Lead};
use xietong_store::statement;

use crate::city::{City, Store, refusal, supervisor, task};
use crate::on_both;

on_both!(
    a_task_that_asks_the_same_of_the_same_unit_is_refused_unless_it_is_meant,
    what_is_over_or_asked_of_others_is_no_duplicate,
    items_of_one_document_are_not_held_against_one_another,
    each_of_a_batch_is_looked_at_and_named,
    a_revised_task_is_compared_by_what_it_says_now,
    what_different_leads_are_asked_alike_is_proposed_as_one_matter,
    a_dismissed_proposal_does_not_come_back,
    a_wording_that_stands_in_many_tasks_is_still_found,
    a_second_ask_of_a_unit_is_not_crowded_out_by_those_of_others,
    tasks_entered_before_are_looked_up_by_keys_that_are_made_otherwise,
);

fn ask(title: &str, unit: &str) -> proto::Task {
    proto::Task {
        text: format!("入汛前完成{title}，并报送结果。"),
        ..task(title, &[(unit, Lead), ("yaodu", Cooperating)])
    }
}

fn of_document(number: &str, item_number: i32, task: proto::Task) -> proto::Task {
    let document_number = number.to_owned();
    let source = Some(proto::Source { document_number, item_number, ..Default::default() });
    proto::Task { source, ..task }
}

fn request(task: proto::Task, confirm_duplicates: bool) -> proto::CreateTaskRequest {
    proto::CreateTaskRequest { task: Some(task), issue: true, confirm_duplicates, ..Default::default() }
}

async fn create(city: &City, task: proto::Task) -> Result<proto::Task, (Code, Error)> {
    let answer = city.supervisor().create_task(request(task, false)).await;
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => Err(refusal(Err::<tonic::Response<()>, _>(status))),
    }
}

async fn proposals(city: &City) -> Vec<(Vec<i64>, i32, String)> {
    let all = proto::ListMatterProposalsRequest::default();
    let found = city.matters(&supervisor()).list_matter_proposals(all).await.unwrap().into_inner();
    let proposals = found.proposals.into_iter().map(|one| {
        let tasks = one.tasks.iter().map(|task| task.ledger_number).collect();
        (tasks, one.similarity_percent, one.shared_name)
    });
    proposals.collect()
}

async fn a_task_that_asks_the_same_of_the_same_unit_is_refused_unless_it_is_meant(store: Store) {
    let city = City::start(store).await;
    let first = create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
    let again = ask("城区三处内涝点整治工作", "water");
    let (code, error) = create(&city, again.clone()).await.unwrap_err();
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "DUPLICATE_ASK"));
    let candidates: serde_json::Value = serde_json::from_str(&error.metadata()["candidates"]).unwrap();
    assert_eq!(candidates[0]["task"], first.name);
    assert_eq!(candidates[0]["ledgerNumber"], 1);
    assert_eq!(candidates[0]["title"], "城区三处内涝点整治");
    assert!(candidates[0]["similarityPercent"].as_i64().unwrap() >= 60, "{candidates}");
    assert!(error.chinese().contains("台账第1号《城区三处内涝点整治》"), "{}", error.chinese());
    assert!(error.message().contains(&first.name), "{}", error.message());
    assert_eq!(error.violations()[0].field, "task");
    assert_eq!(city.list(proto::ListTasksRequest::default()).await.len(), 1);

    let meant = city.supervisor().create_task(request(again, true)).await.unwrap().into_inner();
    let entered = &city.timeline(&meant.name).await[0];
    assert_eq!(entered.text, "登记任务：城区三处内涝点整治工作（已知与台账第1号相近，确认另行登记）");
    // What is meant to be two may still be one matter.
    assert_eq!(proposals(&city).await.len(), 1);
}

async fn what_is_over_or_asked_of_others_is_no_duplicate(store: Store) {
    let city = City::start(store).await;
    let first = create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
    create(&city, ask("城区三处内涝点整治", "energy")).await.unwrap();
    create(&city, ask("旱厕改造", "water")).await.unwrap();
    // A unit that only cooperates in both is not asked to settle either.
    assert!(create(&city, ask("城区三处内涝点整治", "water")).await.is_err());
    let withdraw = proto::WithdrawTaskRequest {
        name: first.name,
        ground: "已并入年度计划".to_owned(),
        ..Default::default()
    };
    city.supervisor().withdraw_task(withdraw).await.unwrap();
    create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
}

async fn items_of_one_document_are_not_held_against_one_another(store: Store) {
    let city = City::start(store).await;
    let item = |number: i32| of_document("临政办发〔2023〕8号", number, ask("推进管网改造", "water"));
    let tasks = vec![item(1), item(2)];
    let batch = proto::BatchCreateTasksRequest { tasks, issue: true, ..Default::default() };
    city.supervisor().batch_create_tasks(batch).await.unwrap();
    create(&city, item(3)).await.unwrap();
    let other = of_document("临政办发〔2023〕14号", 1, ask("推进管网改造", "water"));
    let (code, error) = create(&city, other).await.unwrap_err();
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "DUPLICATE_ASK"));
}

async fn each_of_a_batch_is_looked_at_and_named(store: Store) {
    let city = City::start(store).await;
    create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
    let tasks = vec![
        ask("旱厕改造", "water"),
        ask("城区三处内涝点整治", "water"),
        ask("加装电梯", "energy"),
        ask("加装电梯", "energy"),
    ];
    let batch = proto::BatchCreateTasksRequest { tasks, validate_only: true, ..Default::default() };
    let (code, error) = refusal(city.supervisor().batch_create_tasks(batch.clone()).await);
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "DUPLICATE_ASK"));
    let places: Vec<&str> = error.violations().iter().map(|one| one.field.as_str()).collect();
    assert_eq!(places, ["tasks[1]", "tasks[3]"]);
    assert!(error.violations()[1].chinese.contains("本次提交的tasks[2]"), "{error:?}");
    let meant = proto::BatchCreateTasksRequest { confirm_duplicates: true, validate_only: false, ..batch };
    let entered = city.supervisor().batch_create_tasks(meant).await.unwrap().into_inner().tasks;
    assert_eq!(entered.len(), 4);
    let last = &city.timeline(&entered[3].name).await[0].text;
    let number = entered[2].ledger_number;
    assert_eq!(*last, format!("登记任务：加装电梯（已知与台账第{number}号相近，确认另行登记）"));
}

async fn a_revised_task_is_compared_by_what_it_says_now(store: Store) {
    let city = City::start(store).await;
    let first = create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
    let revised = proto::Task {
        name: first.name,
        title: "农村饮水工程维修".to_owned(),
        text: "年底前完成农村饮水工程维修养护。".to_owned(),
        ..Default::default()
    };
    let paths = vec!["title".to_owned(), "text".to_owned()];
    let update = proto::UpdateTaskRequest {
        task: Some(revised.clone()),
        update_mask: Some(prost_types::FieldMask { paths }),
        ground: "改正".to_owned(),
        ..Default::default()
    };
    city.supervisor().update_task(update).await.unwrap();
    create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
    let same = proto::Task { text: revised.text, ..task(&revised.title, &[("water", Lead)]) };
    assert!(create(&city, same).await.is_err());
}

async fn what_different_leads_are_asked_alike_is_proposed_as_one_matter(store: Store) {
    let city = City::start(store).await;
    let number = "临政办发〔2023〕8号";
    let name = "创建国家级城市名片";
    let clean = |title: &str| proto::Task { text: title.to_owned(), ..task(title, &[("health", Lead)]) };
    let tasks = vec![
        of_document(number, 7, ask(name, "water")),
        of_document(number, 18, ask(name, "energy")),
        of_document(number, 28, ask("管控建设用地土壤风险", "industry")),
        of_document(number, 148, clean("实施“一泓清水入黄河”工程")),
    ];
    let batch = proto::BatchCreateTasksRequest { tasks, issue: true, ..Default::default() };
    let entered = city.supervisor().batch_create_tasks(batch).await.unwrap().into_inner().tasks;
    assert_eq!(proposals(&city).await, [(vec![1, 2], 100, String::new())]);
    let third = create(&city, ask(name, "industry")).await.unwrap();
    let plan = clean("率先完成“一泓清水入黄河”十大类治理项目并形成示范");
    let plan = create(&city, plan).await.unwrap();
    let name = "一泓清水入黄河".to_owned();
    let found = proposals(&city).await;
    assert_eq!((found[0].0.clone(), found[0].2.clone()), (vec![4, plan.ledger_number], name));
    assert_eq!(found[1], (vec![1, 2, third.ledger_number], 100, String::new()));

    let mut matters = city.matters(&supervisor());
    let accept = proto::CreateMatterRequest {
        title: "城市名片".to_owned(),
        tasks: vec![entered[0].name.clone(), entered[1].name.clone()],
        ground: "文字相同".to_owned(),
        ..Default::default()
    };
    let accepted = matters.create_matter(accept).await.unwrap().into_inner();
    let all = proto::ListMatterProposalsRequest { page_size: 1, ..Default::default() };
    let page = matters.list_matter_proposals(all.clone()).await.unwrap().into_inner();
    let next = proto::ListMatterProposalsRequest { page_token: page.next_page_token, ..all };
    let page = matters.list_matter_proposals(next).await.unwrap().into_inner();
    assert_eq!(page.next_page_token, "");
    assert_eq!(page.proposals[0].matter, accepted.name, "the third may be linked to it");
    let link = proto::LinkTasksRequest {
        name: accepted.name,
        tasks: vec![third.name],
        ground: "文字相同".to_owned(),
        ..Default::default()
    };
    matters.link_tasks(link).await.unwrap();
    assert_eq!(proposals(&city).await.len(), 1);
}

async fn a_dismissed_proposal_does_not_come_back(store: Store) {
    let city = City::start(store).await;
    let first = create(&city, ask("治理餐饮油烟", "water")).await.unwrap();
    let second = create(&city, ask("治理餐饮油烟", "energy")).await.unwrap();
    assert_eq!(proposals(&city).await.len(), 1);
    let mut matters = city.matters(&supervisor());
    let dismiss = proto::DismissMatterProposalRequest {
        tasks: vec![first.name.clone(), second.name.clone()],
        ground: "对象不同".to_owned(),
        ..Default::default()
    };
    for wrong in [
        proto::DismissMatterProposalRequest { ground: String::new(), ..dismiss.clone() },
        proto::DismissMatterProposalRequest { tasks: vec![first.name.clone(); 2], ..dismiss.clone() },
    ] {
        assert_eq!(refusal(matters.dismiss_matter_proposal(wrong).await).0, Code::InvalidArgument);
    }
    let missing = proto::DismissMatterProposalRequest {
        tasks: vec![first.name, "tasks/none".to_owned()],
        ..dismiss.clone()
    };
    assert_eq!(refusal(matters.dismiss_matter_proposal(missing).await).0, Code::NotFound);
    let answer = matters.dismiss_matter_proposal(dismiss.clone()).await.unwrap().into_inner();
    assert_eq!(answer.dismissed_pairs, 1);
    assert_eq!(proposals(&city).await, []);
    let again = matters.dismiss_matter_proposal(dismiss).await.unwrap().into_inner();
    assert_eq!(again.dismissed_pairs, 0);
    create(&city, ask("治理餐饮油烟", "industry")).await.unwrap();
    assert_eq!(proposals(&city).await, [(vec![1, 2, 3], 100, String::new())], "a further one is proposed");
}

async fn a_wording_that_stands_in_many_tasks_is_still_found(store: Store) {
    let city = City::start(store).await;
    let number = "临政办发〔2023〕8号";
    let tasks = (1..=200).map(|item| of_document(number, item, ask("办理群众来信", "water"))).collect();
    let batch = proto::BatchCreateTasksRequest { tasks, issue: true, ..Default::default() };
    city.supervisor().batch_create_tasks(batch).await.unwrap();
    let (code, error) = create(&city, ask("办理群众来信", "water")).await.unwrap_err();
    assert_eq!((code, error.reason()), (Code::FailedPrecondition, "DUPLICATE_ASK"));
    assert!(error.metadata()["candidates"].contains("\"ledgerNumber\":200"), "{error:?}");
}

async fn a_second_ask_of_a_unit_is_not_crowded_out_by_those_of_others(store: Store) {
    let city = City::start(store).await;
    create(&city, ask("办理群众来信", "water")).await.unwrap();
    let tasks = (1..=60).map(|item| of_document("临政发〔2023〕5号", item, ask("办理群众来信", "energy")));
    let batch = proto::BatchCreateTasksRequest { tasks: tasks.collect(), issue: true, ..Default::default() };
    city.supervisor().batch_create_tasks(batch).await.unwrap();
    let (_, error) = create(&city, ask("办理群众来信", "water")).await.unwrap_err();
    assert!(error.metadata()["candidates"].contains("\"ledgerNumber\":1,"), "{error:?}");
}

async fn tasks_entered_before_are_looked_up_by_keys_that_are_made_otherwise(store: Store) {
    let mut city = City::start(store).await;
    create(&city, ask("城区三处内涝点整治", "water")).await.unwrap();
    let over = create(&city, ask("修编防汛预案", "energy")).await.unwrap();
    let withdrawal =
        proto::WithdrawTaskRequest {
            name: over.name, ground: "重复下达".to_owned(), ..Default::default()
        };
    city.supervisor().withdraw_task(withdrawal).await.unwrap();
    let writer = city.service.db.writer();
    for sql in [
        "DROP TABLE task_likeness",
        "DROP TABLE likeness_refill",
        "DELETE FROM seaql_migrations WHERE version = 'supervision_0018_likeness_of_units'",
        "CREATE TABLE task_likeness (
            likeness BIGINT NOT NULL, ledger_number BIGINT NOT NULL, PRIMARY KEY (likeness, ledger_number)
        )",
    ] {
        writer.execute_unprepared(sql).await.unwrap();
    }
    city.restart().await;
    // Entered before the older ones have their keys.
    create(&city, ask("疏通护城河", "water")).await.unwrap();
    create(&city, ask("修编防汛预案", "energy")).await.unwrap();
    city.run().await;
    for (title, unit) in [("城区三处内涝点整治", "water"), ("疏通护城河", "water")] {
        let (_, error) = create(&city, ask(title, unit)).await.unwrap_err();
        assert_eq!(error.reason(), "DUPLICATE_ASK", "{title}");
    }
    let writer = city.service.db.writer();
    let numbers = statement(writer, "SELECT DISTINCT ledger_number FROM task_likeness", []);
    let rows = writer.query_all_raw(numbers).await.unwrap();
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row.try_get_by("ledger_number").unwrap()).collect();
    assert_eq!(numbers, BTreeSet::from([1, 3, 4]));
}
