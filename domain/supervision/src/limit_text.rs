//! How a time limit is written, on papers, in tables and in notices: the one place that says it.
//!
//! A limit is exclusive. One at midnight, Asia/Shanghai, is the end of the day before and is written
//! as that day, or as its 24时; any other is written to the minute, seconds left out, and never as
//! its whole day: that would be up to a day more than the unit has.

use domain_calendar::Timestamp;

use crate::paper::chinese_day;

/// As tables and papers write it: 2023年6月8日, or 2023年6月16日3时05分.
pub fn limit_day(limit: Timestamp) -> String {
    match last_whole_day(limit) {
        Some(last) => chinese_day(last),
        None => to_the_minute(limit),
    }
}

/// As an instant: 2023年6月8日24时, or 2023年6月16日3时05分.
pub fn limit_moment(limit: Timestamp) -> String {
    match last_whole_day(limit) {
        Some(last) => format!("{}24时", chinese_day(last)),
        None => to_the_minute(limit),
    }
}

/// As a demand: 2023年6月8日24时前, or 2023年6月16日3时05分前.
pub fn limit_before(limit: Timestamp) -> String {
    format!("{}前", limit_moment(limit))
}

/// The day that a limit is the end of, if it is the end of one.
pub fn last_whole_day(limit: Timestamp) -> Option<time::Date> {
    limit.day().previous_day().filter(|_| limit == Timestamp::start_of_day(limit.day()))
}

fn to_the_minute(at: Timestamp) -> String {
    let (day, time) = (chinese_day(at.day()), at.time_of_day());
    match time.minute() {
        0 => format!("{day}{}时", time.hour()),
        minute => format!("{day}{}时{minute:02}分", time.hour()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_day_at_midnight_alone() {
        for (limit, day, moment) in [
            ("2023-06-09T00:00+08:00", "2023年6月8日", "2023年6月8日24时"),
            ("2023-06-16T03:00+08:00", "2023年6月16日3时", "2023年6月16日3时"),
            ("2023-06-16T03:05:59+08:00", "2023年6月16日3时05分", "2023年6月16日3时05分"),
            ("2023-06-16T00:00:20+08:00", "2023年6月16日0时", "2023年6月16日0时"),
            ("2024-01-01T00:00+08:00", "2023年12月31日", "2023年12月31日24时"),
        ] {
            let limit = Timestamp::parse(limit).unwrap();
            assert_eq!((limit_day(limit).as_str(), limit_moment(limit).as_str()), (day, moment));
            assert_eq!(limit_before(limit), format!("{moment}前"));
        }
    }
}
