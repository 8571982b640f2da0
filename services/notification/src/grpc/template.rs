//! The words of notices.

use domain_notification::{CompiledTemplate, NoticeData, TemplateKind, TemplateText};
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Foundation, Resource, Transactions, retried};
use xietong_proto::notification as proto;
use xietong_proto::notification::template_service_server::TemplateService;
use xietong_store::{Db, StoreError};

use super::convert_template::{
    encode_fields, encode_template, encode_version, given, ground, rendering, template_kind, text_of,
};
use super::inbox::own_message_named;
use crate::app::{WantedVersion, add_version};
use crate::error::{revert_refusal, template_refusal};
use crate::store::{StoredVersion, template_version, template_versions_before, versions_in_use, words_of};

pub(crate) struct TemplateServer {
    db: Db,
    transactions: Transactions,
}

impl TemplateServer {
    pub(crate) fn new(foundation: &Foundation) -> Self {
        TemplateServer { db: foundation.db.clone(), transactions: foundation.transactions.clone() }
    }

    /// The version that is used; none: the built-in one, which nobody ever replaced.
    async fn in_use(&self, template: TemplateKind) -> Result<Option<StoredVersion>, Error> {
        let reader = self.db.reader();
        match versions_in_use(reader).await?.get(&template) {
            Some(version) => Ok(template_version(reader, template, *version).await?),
            None => Ok(None),
        }
    }

    /// What the caller's own message tells.
    async fn told(&self, call: &Call, template: TemplateKind, name: &str) -> Result<NoticeData, Error> {
        let message = own_message_named(call, self.db.reader(), name).await?;
        let stored = words_of(self.db.reader(), &message.id).await?;
        let stored = stored.ok_or_else(|| {
            let english = "the message was not told by a template";
            Error::failed_precondition(
                "NOT_TOLD_BY_TEMPLATE",
                english,
                "该通知不是按模板发出的，不能用于预览",
            )
        })?;
        let data: NoticeData = serde_json::from_str(&stored)
            .map_err(|error| StoreError::corrupt("words of a message", error))?;
        if data.kind() != template {
            let english = format!("the message was told by templates/{}", data.kind());
            let chinese = format!("该通知使用的是“{}”模板", data.kind().chinese());
            return Err(Error::invalid("message", english, chinese));
        }
        Ok(data)
    }

    /// Adds a version in the transaction of a request, and answers with it.
    async fn add<M: prost::Name, R: prost::Message + Default>(
        &self,
        call: &Call,
        (request, request_id): (&M, &str),
        (wanted, etag): (WantedVersion, &str),
        answer: impl Fn(proto::TemplateVersion) -> R + Send + Sync,
    ) -> Result<R, Error> {
        let template = wanted.template;
        let attempt = async || {
            let mut transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let added = add_version(&mut transaction, wanted.clone(), etag).await?;
            transaction.commit(answer(encode_version(template, added.as_ref()))).await
        };
        retried(etag, attempt).await
    }
}

/// What every sample reads like.
fn try_samples(template: TemplateKind, text: &TemplateText) -> Result<Vec<proto::Rendering>, Error> {
    let worded = CompiledTemplate::check(template, text).map_err(|error| template_refusal(&error))?;
    let samples = NoticeData::samples(template);
    let renderings = worded.into_iter().zip(&samples);
    Ok(renderings.map(|((sample, words), (_, data))| rendering(Some(sample), words, data)).collect())
}

/// Whether the caller may see in which words people are told, or change them.
fn permitted(call: &Call) -> Result<(), Error> {
    call.authorize(&Resource::new())
}

#[async_trait]
impl TemplateService for TemplateServer {
    async fn list_templates(
        &self,
        request: Request<proto::ListTemplatesRequest>,
    ) -> Result<Response<proto::ListTemplatesResponse>, Status> {
        permitted(Call::of(&request)?)?;
        let proto::ListTemplatesRequest { page_size, page_token } = request.into_inner();
        let paging = Paging::<usize>::new(&["ListTemplates"], page_size, &page_token)?;
        let after = paging.after().map_or(0, |last| last.saturating_add(1));
        let reader = self.db.reader();
        let in_use = versions_in_use(reader).await.map_err(Error::from)?;
        let mut found = Vec::new();
        for (place, template) in TemplateKind::ALL.into_iter().enumerate().skip(after) {
            let version = match in_use.get(&template) {
                Some(version) => template_version(reader, template, *version).await.map_err(Error::from)?,
                None => None,
            };
            found.push((place, encode_template(template, version.as_ref())));
        }
        let (templates, next_page_token) =
            paging.page(found, |(place, _)| *place, |(_, template)| Ok(template))?;
        Ok(Response::new(proto::ListTemplatesResponse { templates, next_page_token }))
    }

    async fn get_template(
        &self,
        request: Request<proto::GetTemplateRequest>,
    ) -> Result<Response<proto::Template>, Status> {
        permitted(Call::of(&request)?)?;
        let template = template_kind(&request.get_ref().name)?;
        let version = self.in_use(template).await?;
        let fields = encode_fields(template);
        Ok(Response::new(proto::Template { fields, ..encode_template(template, version.as_ref()) }))
    }

    async fn list_template_versions(
        &self,
        request: Request<proto::ListTemplateVersionsRequest>,
    ) -> Result<Response<proto::ListTemplateVersionsResponse>, Status> {
        permitted(Call::of(&request)?)?;
        let proto::ListTemplateVersionsRequest { parent, page_size, page_token } = request.into_inner();
        let template = template_kind(&parent)?;
        let query = ["ListTemplateVersions", template.as_str()];
        let paging = Paging::<i64>::new(&query, page_size, &page_token)?;
        let before = paging.after().copied().unwrap_or(i64::MAX);
        let found = template_versions_before(self.db.reader(), template, before, paging.limit())
            .await
            .map_err(Error::from)?;
        let built_in = (before > 0).then_some(None);
        let found = found.into_iter().map(Some).chain(built_in);
        let number = |version: &Option<StoredVersion>| version.as_ref().map_or(0, |version| version.version);
        let (versions, next_page_token) =
            paging.page(found, number, |version| Ok(encode_version(template, version.as_ref())))?;
        Ok(Response::new(proto::ListTemplateVersionsResponse { versions, next_page_token }))
    }

    async fn create_template_version(
        &self,
        request: Request<proto::CreateTemplateVersionRequest>,
    ) -> Result<Response<proto::CreateTemplateVersionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        permitted(&call)?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let template = template_kind(&request.parent)?;
        let text = given(&request.title, &request.body);
        let renderings = try_samples(template, &text)?;
        let wanted = WantedVersion {
            template,
            text: Some(text),
            reverts_to: None,
            author: call.principal.subject.clone(),
            ground: ground(&request.ground)?,
        };
        if request.validate_only {
            let current = self.in_use(template).await?;
            let version = current.map_or(0, |current| current.version) + 1;
            let TemplateText { title, body } = given(&request.title, &request.body);
            let WantedVersion { author, ground, .. } = wanted;
            let name = format!("templates/{template}/versions/{version}");
            let version =
                proto::TemplateVersion { name, version, title, body, author, ground, ..Default::default() };
            let version = Some(version);
            return Ok(Response::new(proto::CreateTemplateVersionResponse { version, renderings }));
        }
        let answer =
            |version| proto::CreateTemplateVersionResponse { version: Some(version), renderings: Vec::new() };
        let added = self.add(&call, (&request, &request_id), (wanted, &request.etag), answer).await?;
        Ok(Response::new(added))
    }

    async fn preview_template(
        &self,
        request: Request<proto::PreviewTemplateRequest>,
    ) -> Result<Response<proto::PreviewTemplateResponse>, Status> {
        let call = Call::of(&request)?.clone();
        permitted(&call)?;
        let proto::PreviewTemplateRequest { name, title, body, message } = request.into_inner();
        let template = template_kind(&name)?;
        let current = text_of(template, self.in_use(template).await?.as_ref());
        let text = given(&title.unwrap_or(current.title), &body.unwrap_or(current.body));
        if message.is_empty() {
            let renderings = try_samples(template, &text)?;
            return Ok(Response::new(proto::PreviewTemplateResponse { renderings }));
        }
        let data = self.told(&call, template, &message).await?;
        let words = CompiledTemplate::compile(template, &text).and_then(|compiled| compiled.words(&data));
        let words = words.map_err(|error| template_refusal(&error))?;
        let renderings = vec![rendering(None, words, &data)];
        Ok(Response::new(proto::PreviewTemplateResponse { renderings }))
    }

    async fn revert_template(
        &self,
        request: Request<proto::RevertTemplateRequest>,
    ) -> Result<Response<proto::TemplateVersion>, Status> {
        let call = Call::of(&request)?.clone();
        permitted(&call)?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let template = template_kind(&request.name)?;
        let english = "must be given: 0 for the built-in version";
        let asked = request
            .version
            .ok_or_else(|| Error::invalid("version", english, "请指定要恢复的版本，内置版本为0"))?;
        let text = match asked {
            0 => None,
            number => {
                let found =
                    template_version(self.db.reader(), template, number).await.map_err(Error::from)?;
                let missing = || Error::not_found(format!("templates/{template}/versions/{number}"));
                found.ok_or_else(missing)?.text
            }
        };
        if let Some(text) = &text {
            CompiledTemplate::check(template, text).map_err(|error| revert_refusal(&error))?;
        }
        let wanted = WantedVersion {
            template,
            text,
            reverts_to: Some(asked),
            author: call.principal.subject.clone(),
            ground: ground(&request.ground)?,
        };
        let answer = |version| version;
        let added = self.add(&call, (&request, &request_id), (wanted, &request.etag), answer).await?;
        Ok(Response::new(added))
    }
}
