//! [`answered`]: what the answer of a receiver by HTTP comes to.

use std::time::Duration;

use crate::sending::Verdict;

/// What a status comes to, where `sent` says which statuses the receiver takes a message with; 2xx
/// when it says nothing.
///
/// 408 asks for a later attempt and 429 for a rest, 401 says that the settings are wrong, and every
/// other 4xx refuses the message for good. A redirect, which is never followed, and whatever else is
/// answered is the channel's failure.
pub fn answered(status: u16, retry_after: Option<Duration>, sent: &[u16]) -> Verdict {
    let accepted = if sent.is_empty() { (200..=299).contains(&status) } else { sent.contains(&status) };
    if accepted {
        return Verdict::Accepted;
    }
    match status {
        408 => Verdict::Postponed { retry_after },
        // It is busy as a whole, or does not know us: nobody's message is given up for that.
        401 | 429 => Verdict::Failed { retry_after, may_have_arrived: false },
        400..=499 => Verdict::Refused,
        _ => Verdict::Failed { retry_after, may_have_arrived: false },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::answered;
    use crate::sending::Verdict;

    #[test]
    fn every_status_comes_to_one_verdict() {
        let wait = Some(Duration::from_secs(7));
        for status in 0..=u16::MAX {
            let expected = match status {
                200..=299 => Verdict::Accepted,
                408 => Verdict::Postponed { retry_after: wait },
                401 | 429 => Verdict::Failed { retry_after: wait, may_have_arrived: false },
                400..=499 => Verdict::Refused,
                _ => Verdict::Failed { retry_after: wait, may_have_arrived: false },
            };
            assert_eq!(answered(status, wait, &[]), expected, "{status}");
        }
    }

    #[test]
    fn a_receiver_says_which_statuses_it_takes_a_message_with() {
        assert_eq!(answered(409, None, &[200, 409]), Verdict::Accepted);
        assert_eq!(
            answered(202, None, &[200]),
            Verdict::Failed { retry_after: None, may_have_arrived: false }
        );
    }
}
