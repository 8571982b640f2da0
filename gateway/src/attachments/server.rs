//! Files over gRPC.

use std::pin::Pin;

use async_trait::async_trait;
use domain_attachment::Attachment;
use futures_util::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};
use xietong_mesh::authorize::Resource;
use xietong_mesh::call::Call;
use xietong_mesh::{Code, Error};
use xietong_proto::common;
use xietong_proto::gateway as proto;
use xietong_proto::gateway::attachment_service_server::AttachmentService;
use xietong_proto::google::api::HttpBody;

use super::{Attachments, SILENCE};

/// Serves [`Attachments`] over gRPC.
pub(crate) struct AttachmentServer {
    attachments: Attachments,
}

impl AttachmentServer {
    /// Serves these.
    pub(crate) fn new(attachments: Attachments) -> Self {
        AttachmentServer { attachments }
    }

    async fn take(
        &self,
        pieces: &mut Streaming<proto::UploadAttachmentRequest>,
    ) -> Result<Attachment, Error> {
        let mut piece = next(pieces).await?;
        let mut file = piece.file.take().unwrap_or_default();
        let begun = self.attachments.store().begin(&piece.display_name, &file.content_type, None).await;
        let mut upload = begun.map_err(Error::from)?;
        loop {
            upload.write(file.data.into()).await.map_err(Error::from)?;
            if piece.finished {
                return upload.finish().await.map_err(Error::from);
            }
            piece = next(pieces).await?;
            file = piece.file.take().unwrap_or_default();
        }
    }
}

/// The next piece; there must be one until one says that it is the last.
async fn next(
    pieces: &mut Streaming<proto::UploadAttachmentRequest>,
) -> Result<proto::UploadAttachmentRequest, Error> {
    let piece = tokio::time::timeout(SILENCE, pieces.message()).await.map_err(|_| too_slow())?;
    piece.map_err(|status| Error::from_status(&status))?.ok_or_else(broken_off)
}

fn broken_off() -> Error {
    Error::invalid("finished", "the file ended too early", "文件不完整")
}

/// A client said nothing for too long.
fn too_slow() -> Error {
    Error::new(Code::DeadlineExceeded, "BODY_TOO_SLOW", "the file did not arrive in time", "文件接收超时")
}

#[async_trait]
impl AttachmentService for AttachmentServer {
    type DownloadAttachmentStream = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

    async fn upload_attachment(
        &self,
        request: Request<Streaming<proto::UploadAttachmentRequest>>,
    ) -> Result<Response<common::Attachment>, Status> {
        let call = Call::of(&request)?.clone();
        call.authorize(&Resource::new())?;
        let file = self.take(&mut request.into_inner()).await?;
        Ok(Response::new(self.attachments.received(&file, &call.principal)?))
    }

    async fn download_attachment(
        &self,
        request: Request<proto::DownloadAttachmentRequest>,
    ) -> Result<Response<Self::DownloadAttachmentStream>, Status> {
        let call = Call::of(&request)?.clone();
        call.authorize(&Resource::new())?;
        let proto::DownloadAttachmentRequest { name, grant } = request.into_inner();
        let file = self.attachments.granted(&name, &grant, &call.principal)?;
        let bytes = self.attachments.store().open(&file, 0..file.size).await?;
        // The first piece says what it is, the others are bytes alone.
        let first = HttpBody { content_type: file.media_type, ..HttpBody::default() };
        let pieces = bytes.map(|piece| match piece {
            Ok(data) => Ok(HttpBody { data: data.to_vec(), ..HttpBody::default() }),
            Err(error) => Err(error.into()),
        });
        Ok(Response::new(stream::iter([Ok(first)]).chain(pieces).boxed()))
    }
}
