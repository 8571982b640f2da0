//! 13710 supervision (督办): tasks, each unit's assignment, clocks, lights; pure.
//!
//! * [`Task`] is the aggregate: one matter and the [`Assignment`] of every unit it concerns.
//! * [`decide`] answers a [`Command`] with events or with the reason why not, and
//!   [`Task::apply`] is the only way a task changes. Both are functions of their inputs:
//!   the instant, the [`Rule`] and the calendar are given, never read.
//! * [`clocks`] computes due times from the facts of an assignment; [`StoredClock`] is the
//!   part of them that is stored, and [`light`] the one comparison with now.
//! * [`explain`] says why an assignment is due when it is due, in parts that add up to that.
//! * [`timers_for`] says what must be looked at later, and [`fire`] what follows then.
//!
//! Who may give a command is decided outside, except for what belongs to the matter
//! itself: nobody verifies the work of a unit he belongs to.

mod appeal;
mod apply;
mod archive;
mod assignment;
mod backfill;
mod bulletin;
mod bulletin_error;
mod bulletin_event;
mod charge;
mod circumstance;
mod comment;
mod content;
mod cooperating;
mod correction;
mod date_text;
mod deadline;
mod decide;
mod delegation;
mod describe;
mod document;
mod error;
mod event;
mod explain;
mod explain_text;
mod extension;
mod figure;
mod handover;
mod inspection;
mod instruction;
mod instrument;
mod joint_matter;
mod ladder;
mod light;
mod limit_text;
mod limits;
mod milestone;
mod overdue;
mod paper;
mod payload;
mod plain_chinese;
mod plain_english;
mod proposal;
mod recount;
mod resemblance;
mod revise;
mod rule;
mod score;
mod score_rule;
mod shared_report;
mod side_road;
mod side_road_event;
mod sub_task;
mod task;
mod terms;
mod timers;
mod unit_draft;
mod words;

pub use appeal::{Appeal, AppealState, Contested};
pub use archive::{Cover, Outcome};
pub use assignment::{Action, Assignment, AssignmentState, LAST_REPORT, Role, Stage};
pub use backfill::{Backfill, BackfilledAssignment, StandingThen, backfill};
pub use bulletin::{
    Bulletin, BulletinAction, BulletinCommand, BulletinDraft, BulletinState, Frozen, IssuedAs, UnderWay,
};
pub use bulletin_error::{BulletinError, BulletinText};
pub use bulletin_event::{BULLETIN_EVENT_TYPES, BulletinChange, BulletinEvent, BulletinFacts, LineFigures};
pub use charge::{ChargeKind, ChargedPause, ChargedTo};
pub use circumstance::{Circumstance, CircumstanceCommand};
pub use comment::{COMMENT_MADE, Comment, CommentMade};
pub use content::{Content, Direction, Milestone, OpenPoint, Target};
pub use cooperating::MOST_ASSIGNMENTS;
pub use correction::{Corrected, Correction, Corrections, Figure, PointKey};
pub use deadline::{ClockPhase, Clocks, DueTimes, clocks};
pub use decide::{AssignmentCommand, Command, Context, create, create_knowing, decide};
pub use delegation::{
    Answer, Delegate, Delegation, DelegationAction, DelegationChange, DelegationEvent, DelegationState,
    Handing,
};
pub use describe::{describe, describe_act};
pub use document::{DOCUMENT_ISSUED, DocumentIssued, IssuedItem};
pub use error::{NotEmpty, SupervisionError};
pub use event::{
    AssignmentChange, AssignmentEvent, AssignmentFacts, TaskChange, TaskEvent, TaskFacts, WholeTaskEvent,
};
pub use explain::{Basis, ChargedWait, Explanation, MilestoneLimit, Skipped, StageLimit, explain};
pub use extension::{Extended, ExtensionRequest};
pub use figure::{
    AskedTarget, Figure as TargetFigure, FigureChange, FigureTimer, GiveFigure, TargetStanding,
    ask_for_figures, figure_timers,
};
pub use handover::{Charge, HANDOVER_LISTED, HandedOver, HandoverHead, HandoverList, Passing};
pub use inspection::{
    Finding, FindingOutcome, Inspection, InspectionAction, InspectionChange, InspectionCommand,
    InspectionError, InspectionEvent, InspectionPlan, InspectionState, MOST_OF_AN_INSPECTION, Site,
    plan as plan_inspection,
};
pub use instruction::{Instruction, Signature};
pub use instrument::{Instrument, InstrumentUse, PaperReference};
pub use joint_matter::{
    JointMatter, JointMatterChange, JointMatterEvent, Link, MATTER_CREATED, MATTER_LINKED, MATTER_UNLINKED,
    MOST_LINKED,
};
pub use ladder::LadderRule;
pub use light::{Light, StoredClock, light, light_sql};
pub use limit_text::{last_whole_day, limit_before, limit_day, limit_moment};
pub use limits::{Decider, Decides, KindLimits};
pub use milestone::{Clause, MilestoneChange, MilestoneCommand, MilestoneMark, NamedMilestone, Shift};
pub use overdue::{days_overdue, days_past};
pub use paper::{
    Block, CalledBy, Checked, Interview, Matter, PAPER_ISSUED, Paper, PaperIssued, PaperKind, PaperNumber,
    Reported, answer_before, chinese_day, span_said, told,
};
pub use payload::{EVENT_TYPES, PayloadError};
pub use proposal::{AlikePair, PROPOSAL_DISMISSED, Proposal, ProposalDismissed};
pub use recount::{Kept, Rebasing, rebase, recount};
pub use resemblance::{KnownTask, Likeness, LikenessKeys, RESEMBLES_FROM, Resemblance, resemblance};
pub use rule::{ClockStart, Cycle, DayKind, Rule, RuleError, Span};
pub use score::{Board, Line, Period, Point, sum};
pub use score_rule::{ScoreRule, ScoreRuleError};
pub use shared_report::{
    Answerable, MATTER_REPORTED, MatterReported, ReportedItem, SharedReport, answerable,
};
pub use side_road::{Misdirection, SideRoadCommand, Suspension, Wait};
pub use side_road_event::SideRoad;
pub use sub_task::{Above, MOST_LEVELS, check_family, check_parent};
pub use task::{AssignmentDraft, Grade, Source, Task, TaskDraft, TaskState, Visibility};
pub use terms::{Awaited, Recorded, TaskKind, Terms};
pub use timers::{PlannedTimer, TimerKind, fire, postponed, timers_for};
pub use unit_draft::{DraftAction, DraftChange, DraftEvent, DraftState, Said, UnitDraft};
pub use words::{FIELD_END, SearchTerms, folded, grams, searchable};
