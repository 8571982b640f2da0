//! Instants and the city's days. Pure: nothing here reads a clock.
//!
//! Business time is [`Timestamp`]: microseconds since the Unix epoch, UTC. What
//! officials read is Asia/Shanghai, which is the fixed offset +08:00. Intervals are
//! half-open: they hold their start and not their end. [`Calendar`] knows which days
//! are worked and, in one function, when somebody may be disturbed.

mod arrangement;
mod day_text;
mod published;
mod timestamp;
mod working;

pub use arrangement::{CalendarError, Holiday, YearArrangement};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use working::{Calendar, Certainty, DayStanding};
