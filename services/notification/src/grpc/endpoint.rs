//! Endpoints of webhooks.

use std::sync::Arc;
use std::time::Duration;

use domain_webhook::Meaning;
use tonic::{Request, Response, Status, async_trait};
use xietong_mesh::page::Paging;
use xietong_mesh::{Attempt, Call, Error, Foundation, Resource, Scope, Transaction, Transactions, retried};
use xietong_proto::notification as proto;
use xietong_proto::notification::endpoint_service_server::EndpointService;

use super::convert_endpoint::{
    ATTEMPTS, ChangedFields, changed_fields, delivery_position, encode, encode_attempt, encode_delivery,
    endpoint_id, overlap, range, state_filter, wish, with_secret,
};
use crate::app::{
    Message, Webhooks, change, disable, enable, register, remove, replay_one, replay_range, rotate_secret,
    to_change,
};
use crate::store::{
    Replay, StoredEndpoint, deliveries_before, endpoint, endpoints_after, feed_head, last_attempts,
    positions_within,
};

pub(crate) struct EndpointServer {
    transactions: Transactions,
    webhooks: Arc<Webhooks>,
}

/// What permission depends on.
fn resource(owner: &str) -> Resource {
    Resource::new().created_by(owner)
}

impl EndpointServer {
    pub(crate) fn new(foundation: &Foundation, webhooks: Arc<Webhooks>) -> Self {
        EndpointServer { transactions: foundation.transactions.clone(), webhooks }
    }

    /// An endpoint that the caller may do this with.
    async fn own(&self, scope: &Scope, name: &str) -> Result<StoredEndpoint, Error> {
        let id = endpoint_id("name", name)?;
        let found = endpoint(self.webhooks.db.reader(), &id).await?;
        let found = found.ok_or_else(|| scope.missing(name))?;
        scope.authorize(&resource(&found.owner))?;
        Ok(found)
    }

    /// One change of an endpoint, in the version that the caller has in mind.
    async fn changing<M: prost::Name>(
        &self,
        call: &Call,
        (request, request_id): (&M, &str),
        (name, etag): (&str, &str),
        step: Step,
    ) -> Result<proto::Endpoint, Error> {
        let id = self.own(&call.scope()?, name).await?.id;
        let attempt = async || {
            let transaction = match self.transactions.begin(call, request, request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let endpoint = to_change(&transaction, &id, etag).await?;
            let answer = self.carry_out(&transaction, endpoint, &step).await?;
            transaction.commit(answer).await
        };
        let answer = retried(etag, attempt).await?;
        self.webhooks.to_make_out.poke();
        self.webhooks.to_send.poke();
        Ok(answer)
    }

    async fn carry_out(
        &self,
        transaction: &Transaction,
        before: StoredEndpoint,
        step: &Step,
    ) -> Result<proto::Endpoint, Error> {
        let settings = &self.webhooks.settings;
        match step {
            Step::Change(fields, asked) => {
                let wanted = wish(fields.over(&before, asked), &settings.policy)?;
                Ok(encode(change(transaction, before, wanted).await?))
            }
            Step::Rotate(overlap) => Ok(with_secret(rotate_secret(transaction, before, *overlap).await?)),
            Step::Enable => Ok(encode(enable(transaction, before, &settings.rules).await?)),
            Step::Disable => Ok(encode(disable(transaction, before, &settings.rules).await?)),
        }
    }
}

/// What is done with an endpoint.
enum Step {
    /// These fields are as asked for.
    Change(ChangedFields, Box<proto::Endpoint>),
    /// It has a new secret; the one before signs as well for so long.
    Rotate(Duration),
    /// It is sent to again.
    Enable,
    /// It is sent nothing.
    Disable,
}

#[async_trait]
impl EndpointService for EndpointServer {
    async fn create_endpoint(
        &self,
        request: Request<proto::CreateEndpointRequest>,
    ) -> Result<Response<proto::Endpoint>, Status> {
        let call = Call::of(&request)?.clone();
        call.authorize(&resource(&call.principal.subject))?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let asked = request.endpoint.clone().unwrap_or_default();
        let wanted = wish(asked, &self.webhooks.settings.policy)?;
        let head = feed_head(self.webhooks.db.reader()).await.map_err(Error::from)?;
        let after = match request.after {
            Some(after) if (0..=head).contains(&after) => after,
            Some(_) => {
                let english = "must be a position of the feed that there is";
                return Err(Error::invalid("after", english, "起始位置不在事件流范围内").into());
            }
            None => head,
        };
        let attempt = async || {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let owner = &call.principal.subject;
            let endpoint = register(&transaction, owner, wanted.clone(), after).await?;
            transaction.commit(with_secret(endpoint)).await
        };
        let answer = retried("", attempt).await?;
        self.webhooks.to_make_out.poke();
        Ok(Response::new(answer))
    }

    async fn list_endpoints(
        &self,
        request: Request<proto::ListEndpointsRequest>,
    ) -> Result<Response<proto::ListEndpointsResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let proto::ListEndpointsRequest { page_size, page_token } = request.into_inner();
        let owner = (!scope.all).then_some(scope.subject.as_str());
        let query = ["ListEndpoints", owner.unwrap_or_default()];
        let paging = Paging::<(i64, String)>::new(&query, page_size, &page_token)?;
        let reader = self.webhooks.db.reader();
        let found =
            endpoints_after(reader, owner, paging.after(), paging.limit()).await.map_err(Error::from)?;
        let key = |one: &StoredEndpoint| (one.created_at.as_micros(), one.id.clone());
        let (endpoints, next_page_token) = paging.page(found, key, |one| Ok(encode(one)))?;
        Ok(Response::new(proto::ListEndpointsResponse { endpoints, next_page_token }))
    }

    async fn get_endpoint(
        &self,
        request: Request<proto::GetEndpointRequest>,
    ) -> Result<Response<proto::Endpoint>, Status> {
        let scope = Call::of(&request)?.scope()?;
        Ok(Response::new(encode(self.own(&scope, &request.get_ref().name).await?)))
    }

    async fn update_endpoint(
        &self,
        request: Request<proto::UpdateEndpointRequest>,
    ) -> Result<Response<proto::Endpoint>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let asked = request.endpoint.clone().unwrap_or_default();
        let fields = changed_fields(request.update_mask.as_ref())?;
        let (name, etag) = (asked.name.clone(), asked.etag.clone());
        let step = Step::Change(fields, Box::new(asked));
        let answer = self.changing(&call, (&request, &request_id), (&name, &etag), step).await?;
        Ok(Response::new(answer))
    }

    async fn delete_endpoint(
        &self,
        request: Request<proto::DeleteEndpointRequest>,
    ) -> Result<Response<proto::DeleteEndpointResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = endpoint_id("name", &request.name)?;
        let found = endpoint(self.webhooks.db.reader(), &id).await.map_err(Error::from)?;
        let scope = call.scope()?;
        // A repeated request finds it gone, and is answered as the first one was.
        match &found {
            Some(found) => scope.authorize(&resource(&found.owner))?,
            None if request_id.is_empty() => return Err(scope.missing(&request.name).into()),
            None => {}
        }
        let attempt = async || {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            if found.is_none() {
                return Err(scope.missing(&request.name));
            }
            let endpoint = to_change(&transaction, &id, &request.etag).await?;
            remove(&transaction, endpoint).await?;
            transaction.commit(proto::DeleteEndpointResponse {}).await
        };
        Ok(Response::new(retried(&request.etag, attempt).await?))
    }

    async fn rotate_secret(
        &self,
        request: Request<proto::RotateSecretRequest>,
    ) -> Result<Response<proto::Endpoint>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let overlap = overlap(request.overlap_seconds)?;
        let named = (request.name.as_str(), request.etag.as_str());
        Ok(Response::new(self.changing(&call, (&request, &request_id), named, Step::Rotate(overlap)).await?))
    }

    async fn enable_endpoint(
        &self,
        request: Request<proto::EnableEndpointRequest>,
    ) -> Result<Response<proto::Endpoint>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let named = (request.name.as_str(), request.etag.as_str());
        Ok(Response::new(self.changing(&call, (&request, &request_id), named, Step::Enable).await?))
    }

    async fn disable_endpoint(
        &self,
        request: Request<proto::DisableEndpointRequest>,
    ) -> Result<Response<proto::Endpoint>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let named = (request.name.as_str(), request.etag.as_str());
        Ok(Response::new(self.changing(&call, (&request, &request_id), named, Step::Disable).await?))
    }

    async fn test_endpoint(
        &self,
        request: Request<proto::TestEndpointRequest>,
    ) -> Result<Response<proto::TestEndpointResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let endpoint = self.own(&scope, &request.get_ref().name).await?;
        let message = Message::test(&endpoint, self.webhooks.clock.now(), self.webhooks.machine);
        let tried = self.webhooks.attempt(&endpoint, &message).await;
        let delivered = tried.meaning == Meaning::Delivered;
        let attempt = Some(encode_attempt(tried.attempt(1)));
        Ok(Response::new(proto::TestEndpointResponse { delivered, attempt }))
    }

    async fn list_deliveries(
        &self,
        request: Request<proto::ListDeliveriesRequest>,
    ) -> Result<Response<proto::ListDeliveriesResponse>, Status> {
        let scope = Call::of(&request)?.scope()?;
        let proto::ListDeliveriesRequest { parent, state, page_size, page_token } = request.into_inner();
        let endpoint = self.own(&scope, &parent).await?;
        let state = state_filter(state)?;
        let query = ["ListDeliveries", endpoint.id.as_str(), state.unwrap_or_default()];
        let paging = Paging::<i64>::new(&query, page_size, &page_token)?;
        let before = paging.after().copied().unwrap_or(i64::MAX);
        let reader = self.webhooks.db.reader();
        let found = deliveries_before(reader, &endpoint.id, state, before, paging.limit())
            .await
            .map_err(Error::from)?;
        let positions: Vec<i64> = found.iter().map(|one| one.position).collect();
        let mut attempts =
            last_attempts(reader, &endpoint.id, &positions, ATTEMPTS).await.map_err(Error::from)?;
        let name = endpoint.name();
        let encode = |one| Ok(encode_delivery(&name, one, &mut attempts));
        let (deliveries, next_page_token) = paging.page(found, |one| one.position, encode)?;
        Ok(Response::new(proto::ListDeliveriesResponse { deliveries, next_page_token }))
    }

    async fn replay_deliveries(
        &self,
        request: Request<proto::ReplayDeliveriesRequest>,
    ) -> Result<Response<proto::ReplayDeliveriesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        let id = self.own(&call.scope()?, &request.name).await?.id;
        let one = delivery_position(&id, &request)?;
        let reader = self.webhooks.db.reader();
        let head = feed_head(reader).await.map_err(Error::from)?;
        let range = range(&request, head)?;
        let within = match (range.from, range.until) {
            (None, None) => None,
            (from, until) => {
                let from = from.unwrap_or(domain_calendar::Timestamp::MIN);
                let until = until.unwrap_or(domain_calendar::Timestamp::MAX);
                let within = positions_within(reader, from, until).await.map_err(Error::from)?;
                Some(within.unwrap_or((head, head)))
            }
        };
        let after = within.map_or(range.after, |(first, _)| first.max(range.after));
        let up_to = within.map_or(range.up_to, |(_, last)| last.min(range.up_to)).max(after);
        let attempt = async || {
            let transaction = match self.transactions.begin(&call, &request, &request_id).await? {
                Attempt::Repeat(answer) => return Ok(answer),
                Attempt::First(transaction) => transaction,
            };
            let endpoint = to_change(&transaction, &id, "").await?;
            let answer = match one {
                Some(position) => {
                    replay_one(&transaction, &endpoint, position).await?;
                    proto::ReplayDeliveriesResponse { after: position - 1, up_to: position }
                }
                None => {
                    let replay = Replay {
                        id: self.webhooks.machine.new_id().to_string(),
                        endpoint: id.clone(),
                        position: after,
                        up_to,
                        from: range.from,
                        until: range.until,
                    };
                    if after < up_to {
                        replay_range(&transaction, &replay).await?;
                    }
                    proto::ReplayDeliveriesResponse { after, up_to }
                }
            };
            transaction.commit(answer).await
        };
        let answer = retried("", attempt).await?;
        self.webhooks.to_make_out.poke();
        self.webhooks.to_send.poke();
        Ok(Response::new(answer))
    }
}
