//! Clocks, workers and durable timers.
//!
//! Two times that must not be mixed are two types. Business time
//! ([`domain_calendar::Timestamp`], read from a [`Clock`]) decides deadlines, absences and
//! quiet hours and can be simulated. Machine time ([`MachineTime`], read from a
//! [`MachineClock`]) decides leases, back-off and expiry and cannot.

mod clock;
mod machine;
mod simulated;
mod table;
mod worker;

pub use clock::Clock;
pub use machine::{MachineClock, MachineTime};
pub use simulated::{ClockFileError, SimulatedClock};
pub use table::{FireError, MIGRATIONS, Timer, TimerHandler, Timers, cancel, due, schedule};
pub use worker::{Gate, Poke, Progress, Runner, Worker, WorkerError};
