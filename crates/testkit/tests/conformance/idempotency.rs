//! One effect and one answer for a request that is sent more than once.

use std::sync::Arc;

use tokio::task::JoinSet;
use xietong_mesh::{Attempt, Call, Code, Error, Principal, Transactions};
use xietong_proto::supervision::{CreateTaskRequest, IssueTaskRequest, Task};
use xietong_timers::{Clock, Poke};

use crate::bed::{Bed, note, on_both};

on_both!(
    a_hundred_concurrent_calls_have_one_effect_and_one_answer,
    another_body_under_the_same_id_is_refused,
    a_failed_request_may_be_tried_again,
    other_principals_and_methods_do_not_share_ids,
    an_id_that_is_no_id_is_refused,
);

async fn transactions(bed: &Bed) -> Transactions {
    Transactions::new(bed.db.clone(), bed.log("test").await, Clock::real(), Poke::new())
}

fn call(subject: &str) -> Call {
    let principal = Principal::account(subject, None, Vec::new());
    Call::new(Arc::new(principal), "supervision.tasks.create", "token")
}

fn request(title: &str) -> CreateTaskRequest {
    CreateTaskRequest {
        task: Some(Task { title: title.into(), ..Task::default() }),
        ..CreateTaskRequest::default()
    }
}

/// A command that notes its title and answers with a name nobody else gets.
async fn create(
    transactions: &Transactions,
    call: &Call,
    request: &CreateTaskRequest,
    id: &str,
) -> Result<Task, Error> {
    let transaction = match transactions.begin::<_, Task>(call, request, id).await? {
        Attempt::Repeat(answer) => return Ok(answer),
        Attempt::First(transaction) => transaction,
    };
    let title = request.task.as_ref().map(|task| task.title.clone()).unwrap_or_default();
    if title.is_empty() {
        return Err(Error::invalid("task.title", "must not be empty", "标题不能为空"));
    }
    note(transaction.tx(), &title).await;
    let name = format!("tasks/{}", xietong_timers::MachineClock::system().new_id());
    transaction.commit(Task { name, title, ..Task::default() }).await
}

async fn a_hundred_concurrent_calls_have_one_effect_and_one_answer(bed: Bed) {
    let transactions = Arc::new(transactions(&bed).await);
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let transactions = transactions.clone();
        calls.spawn(async move { create(&transactions, &call("a"), &request("once"), "id-1").await });
    }
    let mut names = std::collections::HashSet::new();
    while let Some(answer) = calls.join_next().await {
        names.insert(answer.unwrap().unwrap().name);
    }
    assert_eq!(names.len(), 1);
    assert_eq!(bed.effects().await, ["once"]);
}

async fn another_body_under_the_same_id_is_refused(bed: Bed) {
    let transactions = transactions(&bed).await;
    create(&transactions, &call("a"), &request("one"), "id-1").await.unwrap();
    let error = create(&transactions, &call("a"), &request("other"), "id-1").await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::FailedPrecondition, "REQUEST_ID_REUSED"));
    assert_eq!(bed.effects().await, ["one"]);
}

async fn a_failed_request_may_be_tried_again(bed: Bed) {
    let transactions = transactions(&bed).await;
    for _ in 0..2 {
        create(&transactions, &call("a"), &request(""), "id-1").await.unwrap_err();
    }
    create(&transactions, &call("a"), &request("better"), "id-1").await.unwrap();
    assert_eq!(bed.effects().await, ["better"]);
}

async fn other_principals_and_methods_do_not_share_ids(bed: Bed) {
    let transactions = transactions(&bed).await;
    for subject in ["a", "b"] {
        create(&transactions, &call(subject), &request(subject), "id-1").await.unwrap();
    }
    let other_method =
        transactions.begin::<_, Task>(&call("a"), &IssueTaskRequest::default(), "id-1").await.unwrap();
    assert!(matches!(other_method, Attempt::First(_)));
    assert_eq!(bed.effects().await, ["a", "b"]);
}

async fn an_id_that_is_no_id_is_refused(bed: Bed) {
    let transactions = transactions(&bed).await;
    for id in ["has space", "编号", "\0", &"x".repeat(129)] {
        let error = create(&transactions, &call("a"), &request("x"), id).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{id:?}");
    }
    assert_eq!(bed.effects().await, Vec::<String>::new());
}
