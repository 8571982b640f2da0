//! `xietong.supervision.v1.CommentService`: decode, ask `app/`, encode.

use std::mem::take;

use domain_supervision::Comment;
use tonic::{Request, Response, Status};
use xietong_mesh::convert::encode_time;
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, retried};
use xietong_proto::supervision as proto;
use xietong_proto::supervision::comment_service_server::CommentService;

use super::check::{Check, parent_task};
use super::instructions::words;
use super::{Tasks, decode, list};
use crate::store::Portion;

#[tonic::async_trait]
impl CommentService for Tasks {
    async fn create_comment(
        &self,
        request: Request<proto::CreateCommentRequest>,
    ) -> Result<Response<proto::Comment>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = take(&mut request.request_id);
        parent_task(&request.parent)?;
        let text = words("text", &request.text)?;
        let mut check = Check::default();
        decode::list(&mut check, "units", &request.units);
        for (at, unit) in request.units.iter().take(decode::MOST).enumerate() {
            check.name(format!("units[{at}]"), unit, "units");
        }
        check.finish()?;
        self.app.prepare_change(&call).await;
        let attempt = || async {
            let mut transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let asked = (request.parent.as_str(), text.as_str(), request.units.as_slice());
            let made = self.app.comment(&mut transaction, &call, asked).await?;
            transaction.commit(encode(&made)).await
        };
        Ok(Response::new(retried("", attempt).await?))
    }

    async fn list_comments(
        &self,
        request: Request<proto::ListCommentsRequest>,
    ) -> Result<Response<proto::ListCommentsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let proto::ListCommentsRequest { parent, page_size, page_token } = request.into_inner();
        parent_task(&parent)?;
        let asked = ["ListComments", &parent];
        let paging = Paging::new(&asked, page_size, &page_token)?;
        let encode = |(_, comment): (i64, Comment)| Ok(encode(&comment));
        let read = |before, limit| self.app.comments(&call, &parent, Portion { before, limit });
        let (comments, next_page_token) = list::page(paging, |(at, _)| *at, encode, read).await?;
        Ok(Response::new(proto::ListCommentsResponse { comments, next_page_token }))
    }
}

fn encode(comment: &Comment) -> proto::Comment {
    proto::Comment {
        name: comment.name.clone(),
        text: comment.text.clone(),
        units: comment.units.clone(),
        author: comment.author.clone(),
        create_time: Some(encode_time(comment.made_at)),
    }
}
