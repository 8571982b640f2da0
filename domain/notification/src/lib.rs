//! Who is told what, and when it climbs; pure.
//!
//! - [`of_task`], [`of_document`], [`of_handover`], [`of_bulletin`], [`of_workgroup`] and
//!   [`of_roster`] turn what happened into [`Notice`]s in plain Chinese, each with its [`Audience`]s.
//! - [`address`] resolves the audiences at the moment of sending and merges what one person
//!   would get twice into one [`Letter`].
//! - [`Receipt`] is the life of a message in an inbox: read, signed for.
//! - [`Ending`] says which notices are recalled when what they ask comes to its end.
//! - [`next_step`] and [`ClimbRule`] say how an unsigned message climbs.
//! - [`DigestEntry`] and [`digest`] make a leader's daily summary of what climbed.
//! - [`feed_entry`] sorts other services' events for the change feed, and [`FeedAudience`] says who
//!   sees a record's.
//! - [`NoticeData`] is what is told as named fields, and [`CompiledTemplate`] words it as a city says.
//! - [`Preference`] is how an official wants to be told, within what the rules allow.
//! - [`NotificationEvent`] is what the service records of all that.
//!
//! Nothing here reads a clock: instants, the roster and the calendar are given.

mod address;
mod audience;
mod climb;
mod compose;
mod digest;
mod endpoint;
mod event;
mod feed;
mod notice;
mod preference;
mod quiet;
mod recall;
mod receipt;
mod template;
mod wording;

#[cfg(test)]
mod fixture;

pub use address::{Letter, Mail, address};
pub use audience::{Audience, Recipient, recipients};
pub use climb::{ClimbRule, ClimbStep, Rung, Standing, climbed_letters, next_step};
pub use compose::{
    Matter, ended_by, of_bulletin, of_comment, of_delegation, of_document, of_draft, of_handover,
    of_inspection, of_matter_report, of_roster, of_task, of_workgroup,
};
pub use digest::{DigestEntry, digest, digest_due};
pub use endpoint::{
    DisabledReason, EndpointDisabled, EndpointFacts, EndpointMarked, SecretRotated, endpoint_notice,
};
pub use event::{
    ContactChanged, DigestSent, MessageClimbed, MessageFacts, MessageMarked, MessagesMarked,
    NotificationEvent, PayloadError, PreferencesChanged, TemplateFailed, TemplateWorded, Unaddressed,
};
pub use feed::{FeedAudience, FeedEntry, FeedFacts, FeedKind, LEFT_OUT, UnknownFeedKind, feed_entry};
pub use notice::{Ladder, Notice, NoticeKind, UnknownWord};
pub use preference::{
    Channel, DailyDigest, Delivery, MinuteOfDay, Preference, PreferenceError, QuietHours, Stakes,
    WaitedEntry, waited,
};
pub use quiet::{told_from, waits};
pub use recall::{Ask, Ended, Ending, to_whoever_was_told};
pub use receipt::{Receipt, ReceiptError};
pub use template::{
    CompiledTemplate, FUEL, Fault, Field, LONGEST_BODY, LONGEST_BODY_SOURCE, LONGEST_TITLE,
    LONGEST_TITLE_SOURCE, Limit, ListedItem, Milestone, NoticeData, Part, Sample, TaskWords, TemplateError,
    TemplateKind, TemplateText, Words,
};
