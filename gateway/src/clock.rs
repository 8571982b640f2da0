//! The city's clock, served by the gateway itself.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain_calendar::Timestamp;
use tonic::{Request, Response, Status};
use xietong_mesh::Error;
use xietong_mesh::authorize::Resource;
use xietong_mesh::call::Call;
use xietong_mesh::convert::encode_time;
use xietong_mesh::input;
use xietong_proto::gateway as proto;
use xietong_proto::gateway::clock_service_server::ClockService;

/// The furthest a clock is moved in one call: 31 days.
const FURTHEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// Business time as whoever runs the process gives it to the gateway.
#[async_trait]
pub trait ClockControl: Send + Sync + 'static {
    /// The business time.
    fn now(&self) -> Timestamp;

    /// Whether it is simulated, so that it can be advanced.
    fn simulated(&self) -> bool;

    /// Moves a simulated clock forward by more than zero and at most 31 days, firing every
    /// timer on the way in order and letting every consequence settle. Asked again with the
    /// same key it moves no further: it completes what was interrupted, or answers as before.
    ///
    /// # Errors
    /// FAILED_PRECONDITION on a real clock, or for a key that came with another duration; else
    /// what went wrong on the way.
    async fn advance(&self, duration: Duration, key: Option<RequestKey>) -> Result<Advanced, Error>;
}

/// Whose request it is: a subject and what it calls the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller.
    pub subject: String,
    /// Its `request_id`.
    pub request_id: String,
}

/// What advancing the clock came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advanced {
    /// Where the clock stands now.
    pub now: Timestamp,
    /// How many timers fired on the way.
    pub timers_fired: u64,
}

/// Serves [`ClockControl`] over gRPC.
pub(crate) struct ClockServer {
    control: Arc<dyn ClockControl>,
}

impl ClockServer {
    /// Serves this clock.
    pub(crate) fn new(control: Arc<dyn ClockControl>) -> Self {
        ClockServer { control }
    }
}

#[async_trait]
impl ClockService for ClockServer {
    async fn get_clock(
        &self,
        request: Request<proto::GetClockRequest>,
    ) -> Result<Response<proto::Clock>, Status> {
        Call::of(&request)?.authorize(&Resource::new())?;
        let now = Some(encode_time(self.control.now()));
        Ok(Response::new(proto::Clock { now, simulated: self.control.simulated() }))
    }

    async fn advance_clock(
        &self,
        request: Request<proto::AdvanceClockRequest>,
    ) -> Result<Response<proto::AdvanceClockResponse>, Status> {
        let call = Call::of(&request)?.clone();
        call.authorize(&Resource::new())?;
        if !self.control.simulated() {
            return Err(real_clock().into());
        }
        let request = request.into_inner();
        let duration = distance(request.duration.as_ref())?;
        input::request_id(&request.request_id)?;
        let key = (!request.request_id.is_empty())
            .then(|| RequestKey { subject: call.principal.subject.clone(), request_id: request.request_id });
        // On a task of its own: a client that goes away must not stop the clock half-way.
        let control = Arc::clone(&self.control);
        let advance = tokio::spawn(async move { control.advance(duration, key).await });
        let advanced = advance.await.map_err(Error::internal)??;
        Ok(Response::new(proto::AdvanceClockResponse {
            now: Some(encode_time(advanced.now)),
            timers_fired: i64::try_from(advanced.timers_fired).unwrap_or(i64::MAX),
        }))
    }
}

/// The refusal to advance a clock that is not simulated.
pub fn real_clock() -> Error {
    Error::failed_precondition(
        "CLOCK_IS_REAL",
        "the clock is real and cannot be advanced",
        "系统使用真实时钟，不可推进",
    )
}

fn distance(duration: Option<&prost_types::Duration>) -> Result<Duration, Error> {
    duration
        .and_then(|asked| {
            let seconds = u64::try_from(asked.seconds).ok()?;
            let nanos = u32::try_from(asked.nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND)?;
            Some(Duration::new(seconds, nanos))
        })
        .filter(|duration| !duration.is_zero() && *duration <= FURTHEST)
        .ok_or_else(|| {
            Error::invalid("duration", "must be more than zero and at most 31 days", "必须大于零且不超过31天")
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::distance;

    #[test]
    fn a_clock_moves_forward_and_at_most_31_days() {
        let asked = |seconds, nanos| distance(Some(&prost_types::Duration { seconds, nanos }));
        assert_eq!(asked(0, 1_000), Ok(Duration::from_micros(1)));
        assert_eq!(asked(31 * 86_400, 0), Ok(Duration::from_secs(31 * 86_400)));
        for (seconds, nanos) in [(0, 0), (-1, 0), (31 * 86_400, 1), (i64::MAX, 0), (i64::MIN, i32::MIN)] {
            assert!(asked(seconds, nanos).is_err(), "{seconds} {nanos}");
        }
        assert!(distance(None).is_err());
    }
}
