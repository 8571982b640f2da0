//! Files in tasks and reports: who may put one in, and who is given it.

use tonic::{Code, Status};
use xietong_mesh::attachments::granted;
use xietong_mesh::{Principal, ServiceName};
use xietong_proto::common::attachment_holding_service_client::AttachmentHoldingServiceClient;
use xietong_proto::common::{Attachment, FilterHeldRequest, Visibility};
use xietong_proto::supervision as proto;

use crate::city::{City, Client, Store, clerk, list_all, refusal, supervisor, task_of};
use crate::on_both;

on_both!(
    a_source_with_its_scan_is_shown_with_a_grant_to_whoever_may_read_it,
    evidence_is_shown_with_the_report_and_in_the_timeline,
    a_revision_keeps_adds_and_takes_out_files,
    a_file_that_the_caller_did_not_upload_is_refused,
    a_repeated_request_gets_its_answer_however_old_its_receipt_is,
    what_records_refer_to_is_held,
    what_was_refused_or_only_tried_is_not_held,
    only_services_ask_what_is_held,
);

fn names(files: &[Attachment]) -> Vec<&str> {
    files.iter().map(|file| file.display_name.as_str()).collect()
}

/// Takes an assignment to where it can be reported.
async fn deployed(client: &mut Client, name: &str) {
    let request = proto::SignAssignmentRequest { name: name.to_owned(), ..Default::default() };
    client.sign_assignment(request).await.unwrap();
    let request = proto::DeployAssignmentRequest { name: name.to_owned(), ..Default::default() };
    client.deploy_assignment(request).await.unwrap();
}

async fn report(
    client: &mut Client,
    name: &str,
    files: Vec<Attachment>,
) -> Result<proto::Assignment, Status> {
    let request = proto::ReportAssignmentRequest {
        name: name.to_owned(),
        text: "两处已完工".to_owned(),
        attachments: files,
        ..Default::default()
    };
    Ok(client.report_assignment(request).await?.into_inner())
}

async fn read(client: &mut Client, name: &str) -> Result<proto::Task, Status> {
    Ok(client.get_task(proto::GetTaskRequest { name: name.to_owned() }).await?.into_inner())
}

async fn a_source_with_its_scan_is_shown_with_a_grant_to_whoever_may_read_it(store: Store) {
    let city = City::start(store).await;
    let mut task = task_of("energy");
    task.visibility = Visibility::Restricted.into();
    task.restricted_units = vec!["units/energy".to_owned()];
    task.attachments = vec![city.uploaded(&supervisor(), 1, "批示.pdf")];
    let issued = city.issued(task).await;
    let shown = &issued.attachments[0];
    assert_eq!(
        (shown.display_name.as_str(), shown.size, shown.media_type.as_str()),
        ("批示.pdf", 3, "application/pdf")
    );
    assert_eq!(shown.name, format!("attachments/{}", "01".repeat(32)));
    assert_eq!(
        (shown.receipt.as_str(), shown.grant.as_str()),
        ("", ""),
        "an answer that is kept has no grant"
    );
    let listed = list_all(&mut city.supervisor(), proto::ListTasksRequest::default()).await;
    assert_eq!(listed[0].attachments, issued.attachments);

    let of_clerk = read(&mut city.clerk("energy"), &issued.name).await.unwrap().attachments;
    let file = granted(city.verifier(), &of_clerk[0].grant, "clerk-energy").unwrap();
    assert_eq!(file.name(), shown.name);
    let foreign = granted(city.verifier(), &of_clerk[0].grant, "supervisor").unwrap_err();
    assert_eq!(foreign.reason(), "GRANT_OF_ANOTHER");
    for mut reader in [city.clerk("water"), city.leader("first")] {
        assert_eq!(read(&mut reader, &issued.name).await.unwrap_err().code(), Code::PermissionDenied);
    }
}

async fn evidence_is_shown_with_the_report_and_in_the_timeline(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut unit = city.clerk("energy");
    deployed(&mut unit, &name).await;
    let files: Vec<Attachment> =
        (1..=4).map(|number| city.uploaded(&clerk("energy"), number, &format!("照片{number}.jpg"))).collect();
    let reported = report(&mut unit, &name, files).await.unwrap();
    assert_eq!(names(&reported.last_attachments), ["照片1.jpg", "照片2.jpg", "照片3.jpg"]);

    let task = city.get(&issued.name).await;
    let file =
        granted(city.verifier(), &task.assignments[0].last_attachments[2].grant, "supervisor").unwrap();
    assert_eq!(file.display_name, "照片3.jpg");
    let timeline = city.timeline(&issued.name).await;
    let entry = timeline.last().unwrap();
    assert_eq!(entry.text, "市能源局反馈进展：两处已完工（附件4个）");
    assert_eq!(names(&entry.attachments), ["照片1.jpg", "照片2.jpg", "照片3.jpg", "照片4.jpg"]);
    assert!(granted(city.verifier(), &entry.attachments[3].grant, "supervisor").is_ok());
    assert!(timeline[..timeline.len() - 1].iter().all(|entry| entry.attachments.is_empty()));

    let request = proto::SubmitAssignmentRequest {
        name: name.clone(),
        text: "已完成".to_owned(),
        attachments: vec![city.uploaded(&clerk("energy"), 9, "验收报告.pdf")],
        ..Default::default()
    };
    let submitted = unit.submit_assignment(request).await.unwrap().into_inner();
    assert_eq!(names(&submitted.last_attachments), ["验收报告.pdf"]);
}

async fn a_revision_keeps_adds_and_takes_out_files(store: Store) {
    let city = City::start(store).await;
    let mut task = task_of("energy");
    task.attachments =
        vec![city.uploaded(&supervisor(), 1, "一.pdf"), city.uploaded(&supervisor(), 2, "二.pdf")];
    let issued = city.issued(task).await;
    let update = |attachments: Vec<Attachment>| proto::UpdateTaskRequest {
        task: Some(proto::Task { name: issued.name.clone(), attachments, ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["attachments".to_owned()] }),
        ground: "补充附件".to_owned(),
        ..Default::default()
    };
    let mut client = city.supervisor();
    // As it was shown: without receipts.
    let kept = issued.attachments[1].clone();
    let changed = client.update_task(update(vec![kept, city.uploaded(&supervisor(), 3, "三.pdf")])).await;
    assert_eq!(names(&changed.unwrap().into_inner().attachments), ["二.pdf", "三.pdf"]);

    let gone = issued.attachments[0].clone();
    let (code, error) = refusal(client.update_task(update(vec![gone])).await);
    assert_eq!(
        (code, error.violations()[0].field.as_str()),
        (Code::InvalidArgument, "task.attachments[0].receipt")
    );
    assert_eq!(names(&city.get(&issued.name).await.attachments), ["二.pdf", "三.pdf"]);
    let timeline = city.timeline(&issued.name).await;
    assert_eq!(names(&timeline[0].attachments), ["一.pdf", "二.pdf"], "what was said stays on record");
}

async fn a_file_that_the_caller_did_not_upload_is_refused(store: Store) {
    let city = City::start(store).await;
    let issued = city.issued(task_of("energy")).await;
    let name = issued.assignments[0].name.clone();
    let mut unit = city.clerk("energy");
    deployed(&mut unit, &name).await;
    let own = || city.uploaded(&clerk("energy"), 1, "照片.jpg");
    let mut forged = own();
    forged.receipt.pop();
    let mut swapped = own();
    swapped.name = format!("attachments/{}", "02".repeat(32));
    let before = city.get(&issued.name).await;
    for (files, field) in [
        (vec![city.uploaded(&clerk("water"), 1, "照片.jpg")], "attachments[0].receipt"),
        (vec![forged], "attachments[0].receipt"),
        (vec![swapped], "attachments[0].name"),
        (vec![Attachment { receipt: String::new(), ..own() }], "attachments[0].receipt"),
        (vec![Attachment { name: String::new(), receipt: String::new(), ..own() }], "attachments[0]"),
        (vec![own(), own()], "attachments"),
        (vec![own(); 21], "attachments"),
        (vec![Attachment { receipt: "x".repeat(100_000), ..own() }], "attachments[0].receipt"),
    ] {
        let refused = report(&mut unit, &name, files).await.map(tonic::Response::new);
        let (code, error) = refusal(refused);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    assert_eq!(city.get(&issued.name).await, before, "nothing has changed");
}

async fn a_repeated_request_gets_its_answer_however_old_its_receipt_is(store: Store) {
    let mut city = City::start(store).await;
    let mut task = task_of("energy");
    task.attachments = vec![city.uploaded(&supervisor(), 1, "批示.pdf")];
    let request =
        proto::CreateTaskRequest { task: Some(task), request_id: "once".to_owned(), ..Default::default() };
    let first = city.supervisor().create_task(request.clone()).await.unwrap().into_inner();
    // No receipt of before is good now.
    city.change_keys();
    city.restart().await;
    let again = city.supervisor().create_task(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, first);
    let anew = proto::CreateTaskRequest { request_id: "twice".to_owned(), ..request };
    let (code, error) = refusal(city.supervisor().create_task(anew).await);
    assert_eq!(
        (code, error.violations()[0].field.as_str()),
        (Code::InvalidArgument, "task.attachments[0].receipt")
    );
}

/// Which of the files 0 to 9 are held, as the gateway asks.
async fn held(city: &City) -> Vec<usize> {
    let digests: Vec<String> = (0..10_u8).map(|number| format!("{number:02x}").repeat(32)).collect();
    let (channel, bearer) = city.connection(&Principal::system(ServiceName::Workgroup));
    let mut client = AttachmentHoldingServiceClient::with_interceptor(channel, bearer);
    let request = FilterHeldRequest { digests: digests.clone() };
    let held = client.filter_held(request).await.unwrap().into_inner().held;
    held.iter().map(|digest| digests.iter().position(|asked| asked == digest).unwrap()).collect()
}

async fn what_records_refer_to_is_held(store: Store) {
    let city = City::start(store).await;
    let mut task = task_of("energy");
    task.attachments =
        vec![city.uploaded(&supervisor(), 1, "一.pdf"), city.uploaded(&supervisor(), 2, "二.pdf")];
    let issued = city.issued(task).await;
    let name = issued.assignments[0].name.clone();
    let mut unit = city.clerk("energy");
    deployed(&mut unit, &name).await;
    report(&mut unit, &name, vec![city.uploaded(&clerk("energy"), 3, "三.pdf")]).await.unwrap();
    assert_eq!(held(&city).await, [1, 2, 3]);
    // What a record had is on record for ever.
    let request = proto::UpdateTaskRequest {
        task: Some(proto::Task { name: issued.name.clone(), ..Default::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["attachments".to_owned()] }),
        ground: "撤下附件".to_owned(),
        ..Default::default()
    };
    city.supervisor().update_task(request).await.unwrap();
    assert!(city.get(&issued.name).await.attachments.is_empty());
    assert_eq!(held(&city).await, [1, 2, 3]);
}

async fn what_was_refused_or_only_tried_is_not_held(store: Store) {
    let city = City::start(store).await;
    let mut task = task_of("energy");
    task.attachments = vec![city.uploaded(&supervisor(), 1, "一.pdf")];
    let tried = proto::BatchCreateTasksRequest {
        tasks: vec![task.clone()],
        validate_only: true,
        ..Default::default()
    };
    city.supervisor().batch_create_tasks(tried).await.unwrap();
    task.assignments[0].unit = "units/moon".to_owned();
    let refused = proto::CreateTaskRequest { task: Some(task), ..Default::default() };
    assert_eq!(refusal(city.supervisor().create_task(refused).await).0, Code::InvalidArgument);
    assert!(held(&city).await.is_empty());
}

async fn only_services_ask_what_is_held(store: Store) {
    let city = City::start(store).await;
    let (channel, bearer) = city.connection(&supervisor());
    let mut client = AttachmentHoldingServiceClient::with_interceptor(channel, bearer);
    let refused = client.filter_held(FilterHeldRequest::default()).await;
    assert_eq!(refusal(refused).0, Code::PermissionDenied);
    let (channel, bearer) = city.connection(&Principal::system(ServiceName::Workgroup));
    let mut client = AttachmentHoldingServiceClient::with_interceptor(channel, bearer);
    for digests in [vec!["../..".to_owned()], vec!["0".repeat(64); 1_001]] {
        assert_eq!(refusal(client.filter_held(FilterHeldRequest { digests }).await).0, Code::InvalidArgument);
    }
}
