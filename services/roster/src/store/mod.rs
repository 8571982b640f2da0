//! The roster's tables.
//!
//! Each kind of record has a table of the same form: the record as JSON, with all that it ever
//! was, and the numbers that order and guard it. Every write first takes the single row of `roster_head` by raising its
//! version, so that writes follow one another on both back ends, and what was decided on the
//! roster as it stood still holds when it is written. The uniqueness of an account's subject
//! rests on that too. The head keeps the business time of its last write: none is stamped earlier than
//! the one before it, whichever replica and clock it comes from.

pub(crate) mod acts;
pub(crate) mod body;
pub(crate) mod head;
pub(crate) mod records;

use xietong_store::SqlMigration;

/// `created_revision` and `revision` are versions of the head: the one that wrote the row, and
/// the last one that changed it. `recorded_at` is business time in microseconds.
pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    TABLES,
    COLLECTIVES,
    STAND_IN_LISTS,
    acts::ACTS,
    MANDATES,
    COVERAGE_ALARMS,
    DUTY_ROSTERS,
    HEAD_TIME,
    CALENDARS,
];

const TABLES: SqlMigration = SqlMigration {
    name: "roster_0001_tables",
    statements: &[
        "CREATE TABLE roster_head (
            singleton BIGINT PRIMARY KEY CHECK (singleton = 1),
            version BIGINT NOT NULL
        )",
        "INSERT INTO roster_head (singleton, version) VALUES (1, 0)",
        "CREATE TABLE units (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX units_revision ON units (revision)",
        "CREATE TABLE officials (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX officials_revision ON officials (revision)",
        "CREATE TABLE accounts (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX accounts_revision ON accounts (revision)",
        "CREATE TABLE divisions (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX divisions_revision ON divisions (revision)",
        "CREATE TABLE absences (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX absences_revision ON absences (revision)",
    ],
};

const COLLECTIVES: SqlMigration = SqlMigration {
    name: "roster_0002_collectives",
    statements: &[
        "CREATE TABLE collectives (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX collectives_revision ON collectives (revision)",
    ],
};

const STAND_IN_LISTS: SqlMigration = SqlMigration {
    name: "roster_0003_stand_in_lists",
    statements: &[
        "CREATE TABLE stand_in_lists (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX stand_in_lists_revision ON stand_in_lists (revision)",
    ],
};

const MANDATES: SqlMigration = SqlMigration {
    name: "roster_0005_mandates",
    statements: &[
        "CREATE TABLE mandates (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX mandates_revision ON mandates (revision)",
    ],
};

const COVERAGE_ALARMS: SqlMigration = SqlMigration {
    name: "roster_0006_coverage_alarms",
    statements: &[
        "CREATE TABLE coverage_alarms (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX coverage_alarms_revision ON coverage_alarms (revision)",
    ],
};

const DUTY_ROSTERS: SqlMigration = SqlMigration {
    name: "roster_0007_duty_rosters",
    statements: &[
        "CREATE TABLE duty_rosters (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX duty_rosters_revision ON duty_rosters (revision)",
    ],
};

const HEAD_TIME: SqlMigration = SqlMigration {
    name: "roster_0008_head_time",
    statements: &["ALTER TABLE roster_head ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0"],
};

/// The body is every publication of the year, in order.
const CALENDARS: SqlMigration = SqlMigration {
    name: "roster_0009_calendars",
    statements: &[
        "CREATE TABLE calendars (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
        "CREATE INDEX calendars_revision ON calendars (revision)",
    ],
};
