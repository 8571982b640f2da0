//! [`not_before`]: whether a message also goes out on a channel, and from when on.

use domain_calendar::{Calendar, Timestamp};
use domain_notification::{Channel, Delivery, Preference, Stakes};

/// From when on a message that enters the inbox at an instant goes out on a channel; none when it
/// does not.
///
/// What is summed up in the inbox goes out as that summary and not by itself. Nothing goes out at
/// night or on a rest day but what is urgent: an inbox waits to be looked at, a telephone does not.
pub fn not_before(
    preference: &Preference,
    stakes: Stakes,
    channel: Channel,
    in_the_inbox: Delivery,
    at: Timestamp,
    calendar: &Calendar,
) -> Option<Timestamp> {
    match in_the_inbox {
        Delivery::Later(_) => return None,
        Delivery::AtOnce | Delivery::Muted => {}
    }
    match preference.delivery(stakes, channel, at, calendar) {
        Delivery::Muted => None,
        Delivery::Later(due) => Some(due),
        Delivery::AtOnce if stakes.urgent => Some(at),
        Delivery::AtOnce => Some(calendar.next_working_moment(at)),
    }
}

#[cfg(test)]
mod tests {
    use domain_notification::{NoticeKind, QuietHours};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn of(kind: NoticeKind, urgent: bool) -> Stakes {
        Stakes { kind, requires_acknowledgement: false, urgent }
    }

    fn sent(preference: &Preference, stakes: Stakes, inbox: Delivery, now: &str) -> Option<Timestamp> {
        not_before(preference, stakes, Channel::Email, inbox, at(now), &Calendar::built_in())
    }

    #[test]
    fn nothing_but_what_is_urgent_goes_out_at_night_or_on_a_rest_day() {
        let anything = Preference::default();
        for (now, told) in [
            ("2023-06-05T10:00+08:00", "2023-06-05T10:00+08:00"),
            ("2023-06-05T23:00+08:00", "2023-06-06T08:00+08:00"),
            ("2023-06-10T10:00+08:00", "2023-06-12T08:00+08:00"),
        ] {
            for kind in NoticeKind::ALL {
                let plain = sent(&anything, of(kind, false), Delivery::AtOnce, now);
                assert_eq!(plain, Some(at(told)), "{kind} at {now}");
                let urgent = sent(&anything, of(kind, true), Delivery::AtOnce, now);
                assert_eq!(urgent, Some(at(now)), "{kind} at {now}");
            }
        }
    }

    #[test]
    fn what_is_turned_off_does_not_go_out_and_what_is_summed_up_does_not_go_out_by_itself() {
        let off =
            Preference { muted: [(NoticeKind::Progress, Channel::Email)].into(), ..Preference::default() };
        let now = "2023-06-05T10:00+08:00";
        let progress = of(NoticeKind::Progress, false);
        assert_eq!(sent(&off, progress, Delivery::AtOnce, now), None);
        assert_eq!(sent(&off, of(NoticeKind::Light, false), Delivery::AtOnce, now), Some(at(now)));
        let later = Delivery::Later(at("2023-06-05T16:00+08:00"));
        assert_eq!(sent(&Preference::default(), progress, later, now), None);
        // Turned off in the inbox is not turned off elsewhere.
        assert_eq!(sent(&Preference::default(), progress, Delivery::Muted, now), Some(at(now)));
    }

    #[test]
    fn quiet_hours_of_ones_own_hold_on_a_channel_where_the_inbox_is_turned_off() {
        let noon =
            QuietHours { from: "12:00".parse().unwrap(), until: "14:30".parse().unwrap(), rest_days: false };
        let quiet = Preference { quiet: Some(noon), ..Preference::default() };
        let told = sent(&quiet, of(NoticeKind::Progress, false), Delivery::Muted, "2023-06-05T13:00+08:00");
        assert_eq!(told, Some(at("2023-06-05T14:30+08:00")));
    }

    proptest! {
        #[test]
        fn whatever_goes_out_goes_out_at_a_working_moment_or_is_urgent(
            minutes in 0_i64..527_040,
            kind in 0_usize..11,
            urgent: bool,
            signed: bool,
        ) {
            let calendar = Calendar::built_in();
            let now = Timestamp::from_micros(at("2023-01-01T00:00+08:00").as_micros() + minutes * 60_000_000);
            let stakes = Stakes { kind: NoticeKind::ALL[kind], requires_acknowledgement: signed, urgent };
            let told = not_before(&Preference::default(), stakes, Channel::Message, Delivery::AtOnce, now, &calendar);
            let told = told.expect("nothing is turned off");
            prop_assert!(told >= now);
            let at_work = calendar.next_working_moment(told);
            prop_assert_eq!(told, if urgent { now } else { at_work });
        }
    }
}
