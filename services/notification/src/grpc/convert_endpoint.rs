//! Endpoints of webhooks between protos and the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain_calendar::Timestamp;
use domain_webhook::{
    AddressPolicy, DeliveryState, DisabledBy, EndpointState, EventFilter, Moment, Outage, Target,
};
use prost_types::Timestamp as ProtoTimestamp;
use uuid::Uuid;
use xietong_mesh::Error;
use xietong_mesh::convert::{decode_optional_time, encode_time};
use xietong_mesh::input::{required, text};
use xietong_proto::notification as proto;

use super::convert_feed::position;
use crate::error::{event_filter_refusal, target_refusal};
use crate::store::{DELIVERY_STATES, EndpointWish, StoredAttempt, StoredDelivery, StoredEndpoint};

/// Attempts that a list shows of each delivery.
pub(super) const ATTEMPTS: i64 = 20;
/// Requests under way at once, unless something else is said.
const CONCURRENCY: u32 = 4;
const MOST_CONCURRENCY: u32 = 64;
/// Characters of a description.
const DESCRIPTION: usize = 2_000;
/// How long a secret that was replaced signs, unless something else is said.
const OVERLAP: Duration = Duration::from_secs(24 * 3_600);
const LONGEST_OVERLAP: Duration = Duration::from_secs(7 * 24 * 3_600);

const FIELDS: [&str; 7] =
    ["url", "display_name", "description", "event_filters", "ordered", "concurrency", "sm3_signature"];

/// The id in `endpoints/{id}`.
pub(super) fn endpoint_id(field: &str, name: &str) -> Result<String, Error> {
    name.strip_prefix("endpoints/")
        .and_then(|id| Uuid::parse_str(id).ok())
        .map(|id| id.to_string())
        .ok_or_else(|| Error::invalid(field, "must be endpoints/{id}", "名称须为 endpoints/{编号} 的形式"))
}

/// What is said of an endpoint.
pub(super) fn wish(asked: proto::Endpoint, policy: &AddressPolicy) -> Result<EndpointWish, Error> {
    let target = Target::parse(&asked.url, policy).map_err(target_refusal)?;
    let concurrency = match u32::try_from(asked.concurrency) {
        Ok(0) => CONCURRENCY,
        Ok(given) if given <= MOST_CONCURRENCY => given,
        Ok(_) | Err(_) => {
            let english = format!("must be from 1 to {MOST_CONCURRENCY}");
            return Err(Error::invalid("concurrency", english, format!("并发数须为1至{MOST_CONCURRENCY}")));
        }
    };
    Ok(EndpointWish {
        url: target.as_str().to_owned(),
        display_name: required("display_name", asked.display_name)?,
        description: text("description", asked.description, DESCRIPTION)?,
        filter: EventFilter::parse(&asked.event_filters).map_err(event_filter_refusal)?,
        ordered: asked.ordered,
        concurrency,
        sm3: asked.sm3_signature,
    })
}

/// The fields that a change is about.
pub(super) struct ChangedFields(BTreeSet<&'static str>);

/// The fields of a mask, or all.
pub(super) fn changed_fields(mask: Option<&prost_types::FieldMask>) -> Result<ChangedFields, Error> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.is_empty() {
        return Ok(ChangedFields(BTreeSet::from(FIELDS)));
    }
    let field = |path: &String| {
        FIELDS.into_iter().find(|field| field == path).ok_or_else(|| {
            Error::invalid("update_mask", format!("{path} cannot be changed"), format!("{path}不能修改"))
        })
    };
    Ok(ChangedFields(paths.iter().map(field).collect::<Result<_, _>>()?))
}

impl ChangedFields {
    /// The endpoint as it is to be: what is asked for where it is about that, else as before.
    pub(super) fn over(&self, before: &StoredEndpoint, asked: &proto::Endpoint) -> proto::Endpoint {
        let mut after = encode(before.clone());
        for field in &self.0 {
            match *field {
                "url" => after.url.clone_from(&asked.url),
                "display_name" => after.display_name.clone_from(&asked.display_name),
                "description" => after.description.clone_from(&asked.description),
                "event_filters" => after.event_filters.clone_from(&asked.event_filters),
                "ordered" => after.ordered = asked.ordered,
                "concurrency" => after.concurrency = asked.concurrency,
                _ => after.sm3_signature = asked.sm3_signature,
            }
        }
        after
    }
}

/// How long the secret before signs as well.
pub(super) fn overlap(seconds: Option<i32>) -> Result<Duration, Error> {
    let Some(seconds) = seconds else { return Ok(OVERLAP) };
    let overlap = u64::try_from(seconds).ok().map(Duration::from_secs);
    overlap.filter(|overlap| *overlap <= LONGEST_OVERLAP).ok_or_else(|| {
        let chinese = "旧密钥继续有效的时间须为0至604800秒（7天）";
        Error::invalid("overlap_seconds", "must be from 0 to 604800", chinese)
    })
}

/// The one delivery that is to be sent again, unless a range is.
pub(super) fn delivery_position(
    endpoint: &str,
    request: &proto::ReplayDeliveriesRequest,
) -> Result<Option<i64>, Error> {
    if request.delivery.is_empty() {
        return Ok(None);
    }
    let has_range = request.after.is_some() || request.up_to.is_some();
    if has_range || request.start_time.is_some() || request.end_time.is_some() {
        let english = "name one delivery or give a range, not both";
        return Err(Error::invalid("delivery", english, "补推单条与补推区间只能选其一"));
    }
    let position = request
        .delivery
        .strip_prefix(&format!("endpoints/{endpoint}/deliveries/"))
        .and_then(|position| position.parse::<i64>().ok())
        .filter(|position| *position > 0);
    let malformed = || {
        let english = "must be a delivery of this endpoint, endpoints/{e}/deliveries/{position}";
        Error::invalid("delivery", english, "须为本推送地址的推送记录名称")
    };
    position.map(Some).ok_or_else(malformed)
}

/// A range of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) after: i64,
    pub(super) up_to: i64,
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

/// The range that is asked for, within a feed that ends at `head`.
pub(super) fn range(request: &proto::ReplayDeliveriesRequest, head: i64) -> Result<Range, Error> {
    let range = Range {
        after: position("after", request.after.unwrap_or(0))?,
        up_to: position("up_to", request.up_to.unwrap_or(head))?.min(head),
        from: decode_optional_time("start_time", request.start_time.as_ref())?,
        until: decode_optional_time("end_time", request.end_time.as_ref())?,
    };
    let bounded = request.after.is_some() || request.up_to.is_some();
    if request.delivery.is_empty() && !bounded && range.from.is_none() && range.until.is_none() {
        let english = "name one delivery or give a range";
        return Err(Error::invalid("delivery", english, "请指定一条推送记录，或者给出补推区间"));
    }
    if range.from.zip(range.until).is_some_and(|(from, until)| from >= until) {
        return Err(Error::invalid("end_time", "must be after start_time", "截止时间须晚于起始时间"));
    }
    Ok(range)
}

/// The state that is asked for, as it is stored.
pub(super) fn state_filter(state: i32) -> Result<Option<&'static str>, Error> {
    let [waiting, held, delivered, dead_letter] = DELIVERY_STATES;
    match proto::DeliveryState::try_from(state) {
        Ok(proto::DeliveryState::Unspecified) => Ok(None),
        Ok(proto::DeliveryState::Waiting) => Ok(Some(waiting)),
        Ok(proto::DeliveryState::Held) => Ok(Some(held)),
        Ok(proto::DeliveryState::Delivered) => Ok(Some(delivered)),
        Ok(proto::DeliveryState::DeadLetter) => Ok(Some(dead_letter)),
        Err(_) => Err(Error::invalid("state", "must be a state of deliveries", "推送状态不存在")),
    }
}

fn instant(moment: Moment) -> ProtoTimestamp {
    encode_time(Timestamp::from_micros(moment.as_micros()))
}

/// An endpoint, without its secret.
pub(super) fn encode(endpoint: StoredEndpoint) -> proto::Endpoint {
    let failures = |outage: Outage| i32::try_from(outage.failures).unwrap_or(i32::MAX);
    let (state, failures) = match endpoint.state {
        EndpointState::Enabled { outage } => (proto::EndpointState::Enabled, outage.map_or(0, failures)),
        EndpointState::Slowed { outage, .. } => (proto::EndpointState::Slowed, failures(outage)),
        EndpointState::Failing { outage, .. } => (proto::EndpointState::Failing, failures(outage)),
        EndpointState::Disabled { .. } => (proto::EndpointState::Disabled, 0),
    };
    let reason = match endpoint.state {
        EndpointState::Disabled { by: DisabledBy::Owner, .. } => proto::EndpointDisabledReason::Owner,
        EndpointState::Disabled { by: DisabledBy::Gone, .. } => proto::EndpointDisabledReason::Gone,
        EndpointState::Disabled { by: DisabledBy::Failing, .. } => proto::EndpointDisabledReason::Failing,
        EndpointState::Enabled { .. } | EndpointState::Slowed { .. } | EndpointState::Failing { .. } => {
            proto::EndpointDisabledReason::Unspecified
        }
    };
    proto::Endpoint {
        name: endpoint.name(),
        state: state.into(),
        disabled_reason: reason.into(),
        paused_until: endpoint.state.paused_until().map(instant),
        failures,
        position: endpoint.position,
        secret: String::new(),
        etag: endpoint.version.to_string(),
        create_time: Some(encode_time(endpoint.created_at)),
        update_time: Some(encode_time(endpoint.updated_at)),
        owner: endpoint.owner,
        url: endpoint.wanted.url,
        display_name: endpoint.wanted.display_name,
        description: endpoint.wanted.description,
        event_filters: endpoint.wanted.filter.patterns().to_vec(),
        ordered: endpoint.wanted.ordered,
        concurrency: i32::try_from(endpoint.wanted.concurrency).unwrap_or(i32::MAX),
        sm3_signature: endpoint.wanted.sm3,
    }
}

/// An endpoint with its current secret: for the two answers that give one out.
pub(super) fn with_secret(endpoint: StoredEndpoint) -> proto::Endpoint {
    let secret = endpoint.keyring.current.reveal();
    proto::Endpoint { secret, ..encode(endpoint) }
}

/// A delivery of a named endpoint, with its attempts.
pub(super) fn encode_delivery(
    endpoint: &str,
    delivery: StoredDelivery,
    attempts: &mut BTreeMap<i64, Vec<StoredAttempt>>,
) -> proto::Delivery {
    let (state, due, end) = match delivery.state {
        DeliveryState::Waiting { due, .. } => (proto::DeliveryState::Waiting, Some(due), None),
        DeliveryState::Held => (proto::DeliveryState::Held, None, None),
        DeliveryState::Delivered { at } => (proto::DeliveryState::Delivered, None, Some(at)),
        DeliveryState::DeadLetter { at } => (proto::DeliveryState::DeadLetter, None, Some(at)),
    };
    let made = attempts.remove(&delivery.position).unwrap_or_default();
    proto::Delivery {
        name: format!("{endpoint}/deliveries/{}", delivery.position),
        position: delivery.position,
        event: delivery.event,
        event_type: delivery.event_type,
        subject: delivery.subject,
        state: state.into(),
        due_time: due.map(instant),
        end_time: end.map(instant),
        attempts: made.into_iter().map(encode_attempt).collect(),
        attempt_count: i32::try_from(delivery.tried).unwrap_or(i32::MAX),
    }
}

/// An attempt.
pub(super) fn encode_attempt(attempt: StoredAttempt) -> proto::Attempt {
    proto::Attempt {
        number: i32::try_from(attempt.number).unwrap_or(i32::MAX),
        start_time: Some(instant(attempt.began)),
        duration_milliseconds: attempt.took / 1_000,
        status: attempt.status.map(i32::from),
        outcome: attempt.outcome,
        excerpt: attempt.excerpt,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain_webhook::AddressPolicy;
    use xietong_proto::notification as proto;

    use super::{changed_fields, delivery_position, endpoint_id, overlap, range, state_filter, wish};

    const ID: &str = "0190a5c8-7f60-7cc3-98c4-dc0c0c07398f";

    fn endpoint() -> proto::Endpoint {
        proto::Endpoint {
            url: "https://oa.example/hook".into(),
            display_name: "办公系统".into(),
            ..proto::Endpoint::default()
        }
    }

    #[test]
    fn only_names_of_endpoints_are_read() {
        assert_eq!(endpoint_id("name", &format!("endpoints/{ID}")), Ok(ID.to_owned()));
        for name in ["", "endpoints/", "endpoints/1", ID, "endpoints/\0"] {
            assert!(endpoint_id("name", name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_cannot_be_registered_is_refused() {
        let policy = AddressPolicy::default();
        assert_eq!(wish(endpoint(), &policy).unwrap().concurrency, 4);
        for refused in [
            proto::Endpoint { url: "http://oa.example/".into(), ..endpoint() },
            proto::Endpoint { url: "https://10.0.0.1/".into(), ..endpoint() },
            proto::Endpoint { url: String::new(), ..endpoint() },
            proto::Endpoint { display_name: " ".into(), ..endpoint() },
            proto::Endpoint { concurrency: 65, ..endpoint() },
            proto::Endpoint { concurrency: -1, ..endpoint() },
            proto::Endpoint { event_filters: vec!["任务".into()], ..endpoint() },
            proto::Endpoint { description: "一".repeat(2_001), ..endpoint() },
        ] {
            assert!(wish(refused.clone(), &policy).is_err(), "{refused:?}");
        }
        let paths = vec!["owner".to_owned()];
        assert!(changed_fields(Some(&prost_types::FieldMask { paths })).is_err());
        assert_eq!(overlap(None), Ok(Duration::from_secs(86_400)));
        assert_eq!(overlap(Some(0)), Ok(Duration::ZERO));
        assert!(overlap(Some(-1)).is_err() && overlap(Some(604_801)).is_err());
        assert!(state_filter(9).is_err());
    }

    #[test]
    fn one_delivery_or_a_range_is_sent_again() {
        let request = || proto::ReplayDeliveriesRequest::default();
        assert!(range(&request(), 9).is_err(), "neither");
        let one =
            proto::ReplayDeliveriesRequest { delivery: format!("endpoints/{ID}/deliveries/7"), ..request() };
        assert_eq!(delivery_position(ID, &one), Ok(Some(7)));
        assert!(delivery_position("other", &one).is_err());
        let both = proto::ReplayDeliveriesRequest { after: Some(0), ..one };
        assert!(delivery_position(ID, &both).is_err());
        let all = range(&proto::ReplayDeliveriesRequest { after: Some(0), ..request() }, 9).unwrap();
        assert_eq!((all.after, all.up_to), (0, 9));
        assert!(range(&proto::ReplayDeliveriesRequest { after: Some(-1), ..request() }, 9).is_err());
    }
}
