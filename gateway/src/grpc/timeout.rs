//! How long a call may take.

use std::time::Duration;

use http::HeaderValue;
use http::uri::PathAndQuery;
use xietong_mesh::grpc_timeout::parse;

/// A unary call takes no longer than this, whatever its client asks; the opening of a
/// stream as well.
pub(crate) const UNARY_TIMEOUT: Duration = Duration::from_secs(10);

/// Moving the clock fires every timer on the way, which takes as long as it takes.
const LONGER: [(&str, Duration); 1] =
    [("/xietong.gateway.v1.ClockService/AdvanceClock", Duration::from_secs(600))];

/// A unary call's timeout: what its client asks, if that is shorter than the method's own.
pub(crate) fn unary(path: &PathAndQuery, asked: Option<&HeaderValue>) -> Duration {
    let longer = LONGER.iter().find(|(method, _)| *method == path.path());
    let limit = longer.map_or(UNARY_TIMEOUT, |(_, limit)| *limit);
    asked.and_then(parse).map_or(limit, |asked| asked.min(limit))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;
    use http::uri::PathAndQuery;

    use super::{UNARY_TIMEOUT, unary};

    #[test]
    fn a_client_can_only_shorten_a_unary_call() {
        let path = PathAndQuery::from_static("/x.Y/Z");
        let asked = |text: &'static str| unary(&path, Some(&HeaderValue::from_static(text)));
        assert_eq!(unary(&path, None), UNARY_TIMEOUT);
        assert_eq!(asked("1S"), Duration::from_secs(1));
        assert_eq!(asked("1H"), UNARY_TIMEOUT);
        assert_eq!(asked("soon"), UNARY_TIMEOUT);
    }

    #[test]
    fn moving_the_clock_may_take_longer() {
        let path = PathAndQuery::from_static("/xietong.gateway.v1.ClockService/AdvanceClock");
        assert_eq!(unary(&path, None), Duration::from_secs(600));
    }
}
