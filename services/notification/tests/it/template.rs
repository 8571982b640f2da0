//! The words of notices: versions, previews, and what happens when they fail.

use tonic::transport::Channel;
use tonic::{Code, Status};
use xietong_mesh::principal::{Grant, Role};
use xietong_mesh::{Error, Principal};
use xietong_proto::notification as proto;
use xietong_proto::notification::template_service_client::TemplateServiceClient;

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    what_is_listed_says_what_a_template_may_use,
    a_version_words_from_then_on_in_every_replica_and_is_gone_back_from,
    a_request_is_done_once_and_for_the_version_it_was_made_for,
    a_template_that_fails_is_told_in_the_built_in_words_with_one_alarm,
    what_cannot_be_told_is_refused,
    only_administrators_write_and_overseers_read,
    a_preview_shows_samples_or_ones_own_message,
);

const ASSIGNMENT: &str = "templates/assignment";
const WHO: &str = "water-liaison";

/// The task that [`Matter`] enters, as notices call it.
const TASK: &str = "第147号《推进绿色能源输配管网建设》";

async fn client(city: &City) -> TemplateServiceClient<Channel> {
    TemplateServiceClient::new(city.channel().await)
}

fn of(role: Role) -> Principal {
    Principal::account("somebody", None, vec![Grant::of(role)])
}

fn administrator() -> Principal {
    Principal::account("root", None, vec![Grant::of(Role::Administrator)])
}

fn worded(title: &str, body: &str) -> proto::CreateTemplateVersionRequest {
    proto::CreateTemplateVersionRequest {
        parent: ASSIGNMENT.into(),
        title: title.into(),
        body: body.into(),
        ground: "统一全市通知口径".into(),
        ..Default::default()
    }
}

async fn add(city: &City, request: proto::CreateTemplateVersionRequest) -> Result<i64, Status> {
    let answer = client(city).await.create_template_version(city.signed(administrator(), request)).await?;
    Ok(answer.into_inner().version.unwrap().version)
}

fn back_to(version: i64) -> proto::RevertTemplateRequest {
    proto::RevertTemplateRequest {
        name: ASSIGNMENT.into(),
        version: Some(version),
        ground: "恢复原有口径".into(),
        ..Default::default()
    }
}

async fn revert(city: &City, version: i64) -> proto::TemplateVersion {
    let request = city.signed(administrator(), back_to(version));
    client(city).await.revert_template(request).await.unwrap().into_inner()
}

async fn template(city: &City) -> proto::Template {
    let request = city.signed(of(Role::Auditor), proto::GetTemplateRequest { name: ASSIGNMENT.into() });
    client(city).await.get_template(request).await.unwrap().into_inner()
}

/// The titles in the liaison's inbox, in order of number.
async fn titles(city: &City) -> Vec<String> {
    city.inbox(WHO).await.into_iter().map(|(_, _, title)| title).collect()
}

async fn history(city: &City) -> Vec<String> {
    let events = city.service.log.of_aggregate(ASSIGNMENT).await.unwrap();
    xietong_events::verify_chain(&events).unwrap();
    events.into_iter().map(|event| event.event_type).collect()
}

async fn what_is_listed_says_what_a_template_may_use(backend: Backend) {
    let city = City::new(backend).await;
    let mut client = client(&city).await;
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = proto::ListTemplatesRequest { page_size: 7, page_token };
        let page =
            client.list_templates(city.signed(of(Role::Supervisor), request)).await.unwrap().into_inner();
        names.extend(page.templates.into_iter().map(|one| one.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 16);
    assert_eq!(names[0], ASSIGNMENT);
    let template = template(&city).await;
    assert_eq!((template.version, template.built_in, template.etag.as_str()), (0, true, "0"));
    assert_eq!(template.title, "交办：{{ task }}");
    assert_eq!(template.kind(), proto::MessageKind::Assignment);
    let field = |name: &str| template.fields.iter().find(|field| field.name == name).unwrap();
    assert_eq!(field("unit").example, "市水利局");
    assert!(field("title").optional && !field("limits.step").optional);
}

async fn a_version_words_from_then_on_in_every_replica_and_is_gone_back_from(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.settle().await;
    assert_eq!(add(&city, worded("新任务：{{ task }}", "{{ unit }}：请签收。")).await.unwrap(), 1);
    assert_eq!(
        add(&city, worded("新任务：{{ task }}", "{{ unit }}：请签收。")).await.unwrap(),
        1,
        "the same"
    );
    Matter::issued(&city, "2", &["water"]).await;
    city.settle().await;
    let replica = city.served_replica().await;
    let request = city.signed(administrator(), worded("任务单：{{ task }}", "请签收。"));
    let elsewhere =
        TemplateServiceClient::new(replica.channel().await).create_template_version(request).await;
    assert_eq!(elsewhere.unwrap().into_inner().version.unwrap().version, 2);
    Matter::issued(&city, "3", &["water"]).await;
    city.settle().await;
    Matter::issued(&city, "4", &["water"]).await;
    city.settle().await;
    let reverted = revert(&city, 1).await;
    assert_eq!((reverted.version, reverted.reverts_to, reverted.built_in), (3, Some(1), false));
    Matter::issued(&city, "5", &["water"]).await;
    city.settle().await;
    let reverted = revert(&city, 0).await;
    assert_eq!((reverted.version, reverted.built_in, reverted.author.as_str()), (4, true, "root"));
    Matter::issued(&city, "6", &["water"]).await;
    city.settle().await;
    let expected = ["交办", "新任务", "任务单", "任务单", "新任务", "交办"];
    assert_eq!(titles(&city).await, expected.map(|what| format!("{what}：{TASK}")));

    assert_eq!(history(&city).await, ["notification.template.worded"; 4]);
    let events = city.service.log.of_aggregate(ASSIGNMENT).await.unwrap();
    assert_eq!((events[3].actor.as_str(), events[3].ground.as_deref()), ("root", Some("恢复原有口径")));
    let mut client = client(&city).await;
    let (mut numbers, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            proto::ListTemplateVersionsRequest { parent: ASSIGNMENT.into(), page_size: 2, page_token };
        let page = client.list_template_versions(city.signed(of(Role::Auditor), request)).await.unwrap();
        let page = page.into_inner();
        numbers.extend(page.versions.into_iter().map(|one| (one.version, one.built_in)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(numbers, [(4, true), (3, false), (2, false), (1, false), (0, true)]);
}

async fn a_request_is_done_once_and_for_the_version_it_was_made_for(backend: Backend) {
    let city = City::new(backend).await;
    let once = proto::CreateTemplateVersionRequest {
        request_id: "wording-1".into(),
        etag: "0".into(),
        ..worded("任务单：{{ task }}", "请签收。")
    };
    assert_eq!(add(&city, once.clone()).await.unwrap(), 1);
    assert_eq!(add(&city, once.clone()).await.unwrap(), 1);
    let other = proto::CreateTemplateVersionRequest { body: "请尽快签收。".into(), ..once };
    assert_eq!(add(&city, other).await.unwrap_err().code(), Code::FailedPrecondition, "the id was used");
    let stale =
        proto::CreateTemplateVersionRequest { etag: "0".into(), ..worded("{{ task }}", "请签收。") };
    assert_eq!(add(&city, stale).await.unwrap_err().code(), Code::Aborted);
    let tried = proto::CreateTemplateVersionRequest {
        validate_only: true,
        ..worded("甲：{{ task }}", "乙\r\n{{ unit }}")
    };
    let tried =
        client(&city).await.create_template_version(city.signed(administrator(), tried)).await.unwrap();
    let tried = tried.into_inner();
    assert_eq!(tried.version.unwrap().version, 2);
    assert_eq!(tried.renderings[0].body, "乙\n市水利局");
    assert_eq!(template(&city).await.version, 1, "nothing was added");
    assert_eq!(history(&city).await.len(), 1);
}

async fn a_template_that_fails_is_told_in_the_built_in_words_with_one_alarm(backend: Backend) {
    let city = City::new(backend).await;
    // Whatever no sample shows.
    let body = "{% if title == '推进绿色能源输配管网建设' %}{{ title.length.of }}{% endif %}请签收。";
    add(&city, worded("任务单：{{ task }}", body)).await.unwrap();
    for id in ["1", "2", "3"] {
        Matter::issued(&city, id, &["water", "industry"]).await;
        city.settle().await;
    }
    assert_eq!(titles(&city).await, [(); 3].map(|()| format!("交办：{TASK}")));
    let alarms = ["notification.template.worded", "notification.template.failed"];
    assert_eq!(history(&city).await, alarms, "once a version");
    assert!(template(&city).await.fail_time.is_some());

    add(&city, worded("任务单：{{ task }}", "请签收。")).await.unwrap();
    assert_eq!(template(&city).await.fail_time, None);
    Matter::issued(&city, "5", &["water"]).await;
    city.settle().await;
    assert_eq!(titles(&city).await.last().unwrap(), &format!("任务单：{TASK}"));
    assert_eq!(history(&city).await.len(), 3);
}

async fn what_cannot_be_told_is_refused(backend: Backend) {
    let city = City::new(backend).await;
    let long = "字".repeat(8_001);
    for (title, body, field, chinese) in [
        ("{{ task }}", "{{ secret }}", "body", "正文用到了没有的字段“secret”，可用字段见模板说明"),
        (
            "{{ task }}",
            "{% for i in range(1000000000) %}{{ i }}{% endfor %}",
            "body",
            "正文用到了没有的字段“range”，可用字段见模板说明",
        ),
        ("{{ task }}", &long, "body", "正文过长，最长8000个字"),
        ("交办\n{{ task }}", "请签收。", "title", "标题只能有一行，不能换行"),
        (
            "{{ title }}",
            "请签收。",
            "title",
            "标题（示例：可缺的内容都缺）第1行用到的内容在这种情况下没有，请用 if 语句判断后再使用",
        ),
        ("", "请签收。", "title", "标题不能为空"),
    ] {
        let refused = add(&city, worded(title, body)).await.unwrap_err();
        let refused = Error::from_status(&refused);
        assert_eq!(refused.code().as_str(), "INVALID_ARGUMENT", "{title} {body}");
        assert_eq!((refused.violations()[0].field.as_str(), refused.chinese()), (field, chinese));
        let preview = proto::PreviewTemplateRequest {
            name: ASSIGNMENT.into(),
            title: Some(title.into()),
            body: Some(body.into()),
            message: String::new(),
        };
        let preview = client(&city).await.preview_template(city.signed(administrator(), preview)).await;
        assert_eq!(preview.unwrap_err().code(), Code::InvalidArgument);
    }
    let without =
        proto::CreateTemplateVersionRequest { ground: " ".into(), ..worded("{{ task }}", "请签收。") };
    assert_eq!(add(&city, without).await.unwrap_err().code(), Code::InvalidArgument);
    let nowhere =
        proto::CreateTemplateVersionRequest { parent: "templates/teatime".into(), ..worded("甲", "乙") };
    assert_eq!(add(&city, nowhere).await.unwrap_err().code(), Code::NotFound);
    for (request, code) in [
        (back_to(7), Code::NotFound),
        (proto::RevertTemplateRequest { version: None, ..back_to(0) }, Code::InvalidArgument),
    ] {
        let refused = client(&city).await.revert_template(city.signed(administrator(), request)).await;
        assert_eq!(refused.unwrap_err().code(), code);
    }
    assert_eq!(history(&city).await.len(), 0);
}

async fn only_administrators_write_and_overseers_read(backend: Backend) {
    let city = City::new(backend).await;
    let mut client = client(&city).await;
    for (role, reads) in
        [(Role::Supervisor, true), (Role::Auditor, true), (Role::UnitClerk, false), (Role::Leader, false)]
    {
        let denied = |status: Status| assert_eq!(status.code(), Code::PermissionDenied, "{role:?}");
        let list = client.list_templates(city.signed(of(role), proto::ListTemplatesRequest::default())).await;
        let named = proto::GetTemplateRequest { name: "templates/teatime".into() };
        let get = client.get_template(city.signed(of(role), named)).await.unwrap_err();
        let preview = proto::PreviewTemplateRequest { name: ASSIGNMENT.into(), ..Default::default() };
        let preview = client.preview_template(city.signed(of(role), preview)).await;
        if reads {
            assert!(list.is_ok() && preview.is_ok() && get.code() == Code::NotFound, "{role:?}");
        } else {
            denied(list.unwrap_err());
            denied(get);
            denied(preview.unwrap_err());
        }
        let request = worded("{{ secret }}", "请签收。");
        denied(client.create_template_version(city.signed(of(role), request)).await.unwrap_err());
        denied(client.revert_template(city.signed(of(role), back_to(0))).await.unwrap_err());
    }
}

async fn a_preview_shows_samples_or_ones_own_message(backend: Backend) {
    let city = City::new(backend).await;
    Matter::issued(&city, "1", &["water"]).await;
    city.remarks(1).await;
    city.settle().await;
    let listed = city.client().await.list_messages(city.by(WHO, proto::ListMessagesRequest::default())).await;
    let [remark, told] = listed.unwrap().into_inner().messages.try_into().unwrap();

    let his = || {
        let official = Some(format!("officials/{WHO}"));
        Principal::account("root", official, vec![Grant::of(Role::Administrator)])
    };
    let mut client = client(&city).await;
    let preview = |template: &str, message: &str| proto::PreviewTemplateRequest {
        name: template.into(),
        title: Some("任务单：{{ task }}".into()),
        body: None,
        message: message.into(),
    };
    let shown = client.preview_template(city.signed(his(), preview(ASSIGNMENT, ""))).await.unwrap();
    let shown = shown.into_inner().renderings;
    let samples: Vec<_> = shown.iter().map(|one| one.sample()).collect();
    let all = [proto::TemplateSample::Short, proto::TemplateSample::Long, proto::TemplateSample::Bare];
    assert_eq!(samples, all);
    assert_eq!(shown[0].title, "任务单：第147号《汾河流域堤防加固》");

    let shown = client.preview_template(city.signed(his(), preview(ASSIGNMENT, &told.name))).await.unwrap();
    let [shown] = shown.into_inner().renderings.try_into().unwrap();
    assert_eq!((shown.title, shown.built_in_title), (format!("任务单：{TASK}"), told.title.clone()));
    assert_eq!((shown.body, shown.built_in_body), (told.body.clone(), told.body));
    for (principal, request, code) in [
        (administrator(), preview(ASSIGNMENT, &told.name), Code::NotFound),
        (his(), preview("templates/reminder", &told.name), Code::InvalidArgument),
        (his(), preview(ASSIGNMENT, &remark.name), Code::FailedPrecondition),
        (his(), preview(ASSIGNMENT, "inbox/messages/1"), Code::InvalidArgument),
    ] {
        let refused = client.preview_template(city.signed(principal, request)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
}
