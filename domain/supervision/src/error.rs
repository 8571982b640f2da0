//! [`SupervisionError`]: why a command is refused, in words an official understands.

use domain_calendar::Timestamp;
use time::Date;

use crate::assignment::{Action, AssignmentState, Stage};
use crate::delegation::{DelegationAction, DelegationState};
use crate::instrument::Instrument;
use crate::plain_english::{english, words};
use crate::task::TaskState;
use crate::unit_draft::{DraftAction, DraftState};

/// A text that must say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotEmpty {
    /// The task's title.
    Title,
    /// An assignment's unit.
    Unit,
    /// The text of a progress report.
    Report,
    /// The text of a submission.
    Submission,
    /// The note that tells a unit why its work is sent back.
    SendBackNote,
    /// The ground of a withdrawal.
    WithdrawalGround,
    /// The ground of a revision after issuing.
    RevisionGround,
    /// What is to be reached by a milestone.
    Milestone,
    /// What a target measures.
    Measure,
    /// What is open, and why.
    OpenPoint,
    /// Why an extension is asked for.
    ExtensionReason,
    /// The note that tells a unit why it is not granted an extension.
    ExtensionRefusalNote,
    /// Why a unit returns a matter.
    ReturnReason,
    /// The note that tells a unit why it keeps what it returned.
    ReturnRefusalNote,
    /// Why a matter is given to another unit.
    ReassignmentGround,
    /// Why a matter is suspended.
    SuspensionGround,
    /// What is needed of another unit.
    Need,
    /// The note that tells a unit why its clock goes on.
    WaitRefusalNote,
    /// What the unit that was waited for answers.
    WaitAnswer,
    /// What a recheck found.
    Finding,
    /// Why a matter is reopened.
    ReopeningGround,
    /// Why an instrument is used.
    InstrumentGround,
    /// What a matter is called.
    MatterTitle,
    /// Which tasks are meant.
    LinkedTask,
    /// Why tasks are one matter.
    LinkGround,
    /// Why a task is taken out of its matter.
    UnlinkGround,
    /// What is waited for.
    AwaitedEvent,
    /// By what it is known that the awaited event happened.
    EventGround,
    /// By what it is known when an emergency occurred.
    OccurrenceGround,
    /// What a leader wrote.
    Instruction,
    /// A remark.
    Comment,
    /// The note that tells a clerk why a draft is sent back.
    DraftNote,
    /// What is asked of a delegate.
    Ask,
    /// The section that a matter is passed down to.
    Section,
    /// What a delegate answers.
    DelegateAnswer,
    /// Why a delegation is sent back or withdrawn.
    DelegationNote,
    /// The note that tells a unit why a milestone is not taken for reached.
    MilestoneNote,
    /// Why a figure is another.
    FigureCorrection,
}

/// Why a command is refused. It changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SupervisionError {
    /// The system carries no classified matter, and whoever enters something says so.
    #[error("the matter is not declared unclassified")]
    NotDeclaredUnclassified,
    /// A text is missing.
    #[error("the {} must be given", words(.0))]
    Empty(NotEmpty),
    /// Restricted, but no unit is named that may see it.
    #[error("restricted visibility names no unit")]
    RestrictedToNobody,
    /// A task concerns at least one unit.
    #[error("a task needs at least one assignment")]
    NoAssignment,
    /// Nobody answers for the task.
    #[error("a task needs a lead unit or a responsible unit")]
    OnlyCooperatingUnits,
    /// A unit is named twice in one task.
    #[error("{unit} is named twice")]
    UnitTwice {
        /// `units/{slug}`.
        unit: String,
    },
    /// Two assignments carry one name.
    #[error("{name} is used twice")]
    AssignmentNameTwice {
        /// The assignment's resource name.
        name: String,
    },
    /// The task holds no such assignment.
    #[error("no assignment {name}")]
    UnknownAssignment {
        /// The resource name asked for.
        name: String,
    },
    /// The last day lies before the day of issue.
    #[error("due date {due_date} is before the issue at {issue_time}")]
    DueBeforeIssue {
        /// The last day, Asia/Shanghai.
        due_date: Date,
        /// When it was to be issued.
        issue_time: Timestamp,
    },
    /// The task as a whole is past this action.
    #[error("cannot {} while the task is {}", english(.action), words(.state))]
    TaskRefused {
        /// What was asked for: issue or withdraw.
        action: Action,
        /// Where the task stands.
        state: TaskState,
    },
    /// The state machine of the assignment refuses.
    #[error("cannot {} while the assignment is {}", english(.action), words(.state))]
    AssignmentRefused {
        /// What was asked for.
        action: Action,
        /// Where the assignment stands.
        state: AssignmentState,
    },
    /// A person has not yet settled what is open.
    #[error("{count} points are open, the first is {first:?}")]
    StillOpen {
        /// The words of the first.
        first: String,
        /// How many there are.
        count: usize,
    },
    /// Units, grade and open points stay as they were issued.
    #[error("units, grade and open points are fixed once a task is issued")]
    FixedOnceIssued,
    /// A target's value is no decimal number.
    #[error("{value:?} is no decimal number")]
    NoNumber {
        /// What was given.
        value: String,
    },
    /// Work that was under way must say where each of its assignments stands.
    #[error("each assignment needs a state")]
    NoStanding,
    /// Something is said to have happened that lies ahead.
    #[error("{at} is ahead")]
    Ahead {
        /// When it is said to have happened.
        at: Timestamp,
    },
    /// An extension is asked for before the settle date, or not at all.
    #[error("the settle date has passed at {due}")]
    PastDue {
        /// The settle due time.
        due: Timestamp,
    },
    /// The last day asked for is no later than the present one.
    #[error("{last_day} is no later than what is due at {due}")]
    NotLater {
        /// What was asked for.
        last_day: Date,
        /// The settle due time.
        due: Timestamp,
    },
    /// One request at a time.
    #[error("an extension until {last_day} is already asked for")]
    ExtensionPending {
        /// What is asked for.
        last_day: Date,
    },
    /// There is nothing to decide.
    #[error("no extension is asked for")]
    NoExtensionRequest,
    /// A day that must lie ahead does not.
    #[error("{day} does not lie ahead")]
    DayPassed {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// The day to look at a suspended matter again does not lie ahead.
    #[error("the review date {day} does not lie ahead")]
    ReviewPassed {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// A unit cannot wait for itself.
    #[error("{unit} cannot wait for itself")]
    WaitOnItself {
        /// `units/{slug}`.
        unit: String,
    },
    /// One pause at a time.
    #[error("the assignment waits, or asks to wait, for {on}")]
    WaitOpen {
        /// The unit waited for.
        on: String,
    },
    /// There is no wait to decide or to end.
    #[error("the assignment does not wait")]
    NoWait,
    /// The clock stands still already.
    #[error("the wait is already decided")]
    WaitDecided,
    /// Only the supervisor can rule on the wait now.
    #[error("the wait was to be accepted before {limit}")]
    WaitLapsed {
        /// The first instant that was too late.
        limit: Timestamp,
    },
    /// Others are to act now, not the unit.
    #[error("the clock stands still")]
    ClockHeld,
    /// Nothing is due or nearly due.
    #[error("{} comes too early: the light is green", words(.instrument))]
    NotDueYet {
        /// What was to be used.
        instrument: Instrument,
    },
    /// Only a leader decides on it.
    #[error("{} needs a leader's decision", words(.instrument))]
    NeedsLeader {
        /// What was to be used.
        instrument: Instrument,
    },
    /// The lighter one comes first.
    #[error("{} comes after {}", words(.instrument), words(.lighter))]
    LighterFirst {
        /// What was to be used.
        instrument: Instrument,
        /// What was not used yet.
        lighter: Instrument,
    },
    /// The unit was urged a short while ago.
    #[error("not to be urged again before {until}")]
    UrgedJustNow {
        /// When it may be urged again.
        until: Timestamp,
    },
    /// An emergency says when it occurred.
    #[error("an emergency needs the time of its occurrence")]
    NoOccurrence,
    /// An emergency is said to have occurred ahead.
    #[error("{at} is ahead")]
    OccurrenceAhead {
        /// When it is said to have occurred.
        at: Timestamp,
    },
    /// The awaited event is said to have happened ahead.
    #[error("{day} is ahead")]
    EventAhead {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// Only an emergency has a time of occurrence.
    #[error("only an emergency has a time of occurrence")]
    OccurrenceOfNone,
    /// Whoever holds a task would give itself time by a correction.
    #[error("a correction that gives its units more time is the supervisor's")]
    OwnTime,
    /// An event is waited for in a way that cannot be meant.
    #[error(
        "an awaited event has up to 200 characters, an earliest and a latest time after it in days or months, in order, and no other due date"
    )]
    AwaitedWrongly,
    /// The task waits for no event.
    #[error("the task waits for no event")]
    AwaitsNothing,
    /// The event that the task waits for is not recorded.
    #[error("{event:?} is not recorded yet")]
    StillAwaited {
        /// What is waited for.
        event: String,
    },
    /// The matter is not to be completed yet.
    #[error("not to be completed before {first_day}")]
    TooEarly {
        /// The first day, Asia/Shanghai.
        first_day: Date,
    },
    /// By the task's rule, no designated leader decides.
    #[error("by the task's rule no designated leader decides")]
    NobodyDesignated,
    /// The rule or the task wants evidence.
    #[error("{} wants evidence", words(.stage))]
    EvidenceWanted {
        /// Of which stage.
        stage: Stage,
    },
    /// A holder never verifies its own work.
    #[error("{unit} cannot verify its own work")]
    OwnWork {
        /// `units/{slug}`.
        unit: String,
    },
    /// A task is in one matter at most.
    #[error("{task} is in {matter} already")]
    InMatter {
        /// `tasks/{id}`.
        task: String,
        /// `matters/{id}`.
        matter: String,
    },
    /// What is not linked cannot be taken out.
    #[error("{task} is not in this matter")]
    NotInMatter {
        /// `tasks/{id}`.
        task: String,
    },
    /// A matter has a bounded number of tasks.
    #[error("a matter has at most {most} tasks")]
    TooManyLinked {
        /// How many it may have.
        most: usize,
    },
    /// An instruction is addressed to nobody.
    #[error("an instruction needs an addressee")]
    NoAddressee,
    /// The unit holds nothing of the task.
    #[error("{unit} has no part in the task")]
    NotOfTask {
        /// `units/{slug}`.
        unit: String,
    },
    /// An instant that must lie ahead does not.
    #[error("{at} does not lie ahead")]
    TimePassed {
        /// What was given.
        at: Timestamp,
    },
    /// Whoever signs has signed before.
    #[error("the instruction is already signed for")]
    InstructionSigned,
    /// A draft is past this action.
    #[error("cannot {} while the draft is {}", words(.action), words(.state))]
    DraftRefused {
        /// What was asked for.
        action: DraftAction,
        /// Where the draft stands.
        state: DraftState,
    },
    /// Another unit holds the matter by now.
    #[error("{unit} does not hold the assignment any more")]
    HeldByAnother {
        /// The unit that held it, `units/{slug}`.
        unit: String,
    },
    /// A delegation is past this action.
    #[error("cannot {} while the delegation is {}", words(.action), words(.state))]
    DelegationRefused {
        /// What was asked for.
        action: DelegationAction,
        /// Where the delegation stands.
        state: DelegationState,
    },
    /// A matter is passed down to subordinate units alone.
    #[error("{unit} is not subordinate to {holder}")]
    NotSubordinate {
        /// The unit that was named, `units/{slug}`.
        unit: String,
        /// The holder, `units/{slug}`.
        holder: String,
    },
    /// A delegate's limit lies beyond the holder's.
    #[error("later than the holder's own settle date {due}")]
    LaterThanHolder {
        /// The holder's settle due time.
        due: Timestamp,
    },
    /// The delegate has answered nothing yet.
    #[error("the delegate has not answered")]
    NoAnswer,
    /// A task is not struck off before its sub-tasks.
    #[error("{count} sub-tasks are open")]
    SubTasksOpen {
        /// How many.
        count: u64,
    },
    /// A task cannot belong to itself or to what belongs to it.
    #[error("{parent} is the task itself or below it")]
    ParentBelow {
        /// `tasks/{id}`.
        parent: String,
    },
    /// Tasks would stand too many levels below one another.
    #[error("at most {most} levels of tasks")]
    TooDeep {
        /// The most that are allowed.
        most: usize,
    },
    /// The task above is struck off or withdrawn.
    #[error("the parent is {}", words(.state))]
    ParentOver {
        /// Where it stands.
        state: TaskState,
    },
    /// A sub-task is seen by no more than its parent is.
    #[error("a sub-task is not seen by more than its parent")]
    WiderThanParent,
    /// No milestone of that day concerns the unit.
    #[error("no milestone of {last_day} concerns the unit")]
    NoMilestone {
        /// The day that was named, Asia/Shanghai.
        last_day: Date,
    },
    /// Several milestones of that day concern the unit.
    #[error("several milestones of {last_day} concern the unit: say which")]
    MilestoneUnclear {
        /// The day that was named, Asia/Shanghai.
        last_day: Date,
    },
    /// The milestone is reported reached already.
    #[error("{clause:?} is reached already")]
    MilestoneReached {
        /// What is to be reached.
        clause: String,
    },
    /// Nobody has reported the milestone reached.
    #[error("{clause:?} is not reported reached")]
    MilestoneNotReached {
        /// What is to be reached.
        clause: String,
    },
    /// No target of the task measures this.
    #[error("no target measures {measure:?}")]
    NoTarget {
        /// What was named.
        measure: String,
    },
    /// Several targets of the task measure this.
    #[error("several targets measure {measure:?}: say which")]
    TargetUnclear {
        /// What was named.
        measure: String,
    },
    /// A figure is no decimal number.
    #[error("{value:?} is no decimal number")]
    FigureNoNumber {
        /// What was given.
        value: String,
    },
    /// A figure is said to hold as of a day that lies ahead.
    #[error("{day} is ahead")]
    FigureAhead {
        /// The day, Asia/Shanghai.
        day: Date,
    },
    /// A revision would give a milestone a day that has passed.
    #[error("the milestone of {last_day} has passed")]
    MilestonePassed {
        /// The day, Asia/Shanghai.
        last_day: Date,
    },
    /// A task has too many units.
    #[error("at most {most} units")]
    TooManyUnits {
        /// The most that are allowed.
        most: usize,
    },
}
