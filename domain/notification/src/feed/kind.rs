//! [`FeedKind`]: as what an entry of the feed is read.

use std::fmt;
use std::str::FromStr;

/// As what an entry of the feed is read. Who may do that is decided by the service whose record it
/// is: each kind names that service's own reading action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedKind {
    /// Units, officials, divisions of work, absences, mandates, duty rosters, calendars.
    Directory,
    /// Accounts and their roles.
    Account,
    /// Rules of deadlines and of scores.
    Rule,
    /// A task and its assignments.
    Task,
    /// A remark on a task.
    Comment,
    /// An official paper (公文).
    Paper,
    /// Tasks that are one matter.
    Matter,
    /// A bulletin in the making; once it is issued it is a paper.
    Bulletin,
    /// An inspection (督查).
    Inspection,
    /// What a unit drafts and has not said.
    Draft,
    /// What a unit passes down.
    Delegation,
    /// A working group, its meetings and decisions.
    Group,
    /// What this version cannot read.
    Unknown,
}

/// A stored word that is no kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFeedKind(String);

impl fmt::Display for UnknownFeedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no kind of an entry of the feed", self.0)
    }
}

impl std::error::Error for UnknownFeedKind {}

impl FeedKind {
    /// Every kind.
    pub const ALL: [FeedKind; 13] = [
        Self::Directory,
        Self::Account,
        Self::Rule,
        Self::Task,
        Self::Comment,
        Self::Paper,
        Self::Matter,
        Self::Bulletin,
        Self::Inspection,
        Self::Draft,
        Self::Delegation,
        Self::Group,
        Self::Unknown,
    ];

    /// The word it is stored as.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Account => "account",
            Self::Rule => "rule",
            Self::Task => "task",
            Self::Comment => "comment",
            Self::Paper => "paper",
            Self::Matter => "matter",
            Self::Bulletin => "bulletin",
            Self::Inspection => "inspection",
            Self::Draft => "draft",
            Self::Delegation => "delegation",
            Self::Group => "group",
            Self::Unknown => "unknown",
        }
    }

    /// The action of the permission matrix by which such a record is read where it is kept.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Directory => "roster.divisions.list",
            Self::Account | Self::Unknown => "roster.accounts.list",
            Self::Rule => "supervision.rules.list",
            Self::Task => "supervision.tasks.timeline",
            Self::Comment => "supervision.comments.list",
            Self::Paper => "supervision.papers.get",
            Self::Matter => "supervision.matters.list",
            Self::Bulletin => "supervision.bulletins.get",
            Self::Inspection => "supervision.inspections.list",
            Self::Draft => "supervision.drafts.list",
            Self::Delegation => "supervision.delegations.list",
            Self::Group => "workgroup.groups.list",
        }
    }
}

impl FromStr for FeedKind {
    type Err = UnknownFeedKind;

    fn from_str(word: &str) -> Result<Self, UnknownFeedKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        found.ok_or_else(|| UnknownFeedKind(word.to_owned()))
    }
}
