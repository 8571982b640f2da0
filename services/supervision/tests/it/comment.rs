//! Plain remarks on tasks, end to end.

use tonic::Code;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use xietong_mesh::principal::{Grant, Principal, Role};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::comment_service_client::CommentServiceClient;

use crate::city::{Bearer, City, Store, account, clerk, leader, refusal, supervisor, task_of};
use crate::on_both;

on_both!(a_remark_is_listed_and_changes_nothing, whoever_is_not_concerned_says_nothing);

fn comments(city: &City, who: &Principal) -> CommentServiceClient<InterceptedService<Channel, Bearer>> {
    let (channel, bearer) = city.as_caller(who);
    CommentServiceClient::with_interceptor(channel, bearer)
}

fn remark(task: &str, text: &str) -> proto::CreateCommentRequest {
    proto::CreateCommentRequest { parent: task.to_owned(), text: text.to_owned(), ..Default::default() }
}

fn of(task: &str) -> proto::ListCommentsRequest {
    proto::ListCommentsRequest { parent: task.to_owned(), ..Default::default() }
}

async fn a_remark_is_listed_and_changes_nothing(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    for (who, text) in [(supervisor(), "请留意"), (clerk("energy"), "收到"), (leader("first"), "好")] {
        comments(&city, &who).create_comment(remark(&task.name, text)).await.unwrap();
    }
    let once = proto::CreateCommentRequest {
        units: vec!["units/energy".to_owned()],
        request_id: "say".to_owned(),
        ..remark(&task.name, "请能源局补充")
    };
    let said = comments(&city, &supervisor()).create_comment(once.clone()).await.unwrap().into_inner();
    assert_eq!(comments(&city, &supervisor()).create_comment(once).await.unwrap().into_inner(), said);
    let page = proto::ListCommentsRequest { page_size: 3, ..of(&task.name) };
    let page = comments(&city, &clerk("energy")).list_comments(page).await.unwrap().into_inner();
    let texts: Vec<_> = page.comments.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["请能源局补充", "好", "收到"]);
    let rest =
        proto::ListCommentsRequest { page_size: 3, page_token: page.next_page_token, ..of(&task.name) };
    let rest = comments(&city, &clerk("energy")).list_comments(rest).await.unwrap().into_inner();
    assert_eq!((rest.comments.len(), rest.next_page_token.as_str()), (1, ""));
    assert_eq!(city.get(&task.name).await.etag, task.etag);
    assert_eq!(city.timeline(&task.name).await.len(), 2, "it is no part of the timeline");
}

async fn whoever_is_not_concerned_says_nothing(store: Store) {
    let city = City::start(store).await;
    let task = city.issued(task_of("energy")).await;
    let auditor = account("auditor", Grant::of(Role::Auditor));
    for who in [clerk("water"), leader("second"), auditor] {
        let denied = comments(&city, &who).create_comment(remark(&task.name, "路过")).await;
        assert_eq!(refusal(denied).0, Code::PermissionDenied, "{who}");
    }
    let denied = comments(&city, &clerk("water")).list_comments(of(&task.name)).await;
    assert_eq!(refusal(denied).0, Code::PermissionDenied);
    let stranger =
        proto::CreateCommentRequest { units: vec!["units/water".to_owned()], ..remark(&task.name, "请看") };
    for (request, field) in [
        (remark(&task.name, " "), "text"),
        (remark(&task.name, &"字".repeat(2_001)), "text"),
        (remark("groups/1", "请看"), "parent"),
        (stranger, "units"),
    ] {
        let (code, error) = refusal(comments(&city, &supervisor()).create_comment(request).await);
        assert_eq!((code, error.violations()[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let listed = comments(&city, &supervisor()).list_comments(of(&task.name)).await.unwrap().into_inner();
    assert_eq!(listed.comments, []);
}
