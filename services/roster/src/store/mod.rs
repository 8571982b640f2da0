//! The roster's tables.
//!
//! Each kind of record has a table of the same form: the record as JSON, with all that it ever
//! was, and the numbers that order and guard it. Every write first takes the single row of
//! `roster_head` by raising its version, so that writes follow one another on both back ends, and
//! what was decided on the roster as it stood still holds when it is written. The uniqueness of an
//! account's subject rests on that too. The head keeps the business time of its last write: none is
//! stamped earlier than the one before it, whichever replica and clock it comes from.

pub(crate) mod acts;
pub(crate) mod body;
pub(crate) mod head;
pub(crate) mod records;

use xietong_store::SqlMigration;

/// The table of a kind of record, and its index. `created_revision` and `revision` are versions of
/// the head: the one that wrote the row, and the last one that changed it. `recorded_at` is business
/// time in microseconds.
macro_rules! records {
    (table $name:literal) => {
        concat!(
            "CREATE TABLE ",
            $name,
            " (
            name TEXT PRIMARY KEY,
            version BIGINT NOT NULL,
            created_revision BIGINT NOT NULL,
            revision BIGINT NOT NULL,
            recorded_at BIGINT NOT NULL,
            body TEXT NOT NULL
        )"
        )
    };
    (index $name:literal) => {
        concat!("CREATE INDEX ", $name, "_revision ON ", $name, " (revision)")
    };
}

/// In the order in which they came; one that has run is never another.
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
        records!(table "units"),
        records!(index "units"),
        records!(table "officials"),
        records!(index "officials"),
        records!(table "accounts"),
        records!(index "accounts"),
        records!(table "divisions"),
        records!(index "divisions"),
        records!(table "absences"),
        records!(index "absences"),
    ],
};

const COLLECTIVES: SqlMigration = SqlMigration {
    name: "roster_0002_collectives",
    statements: &[records!(table "collectives"), records!(index "collectives")],
};

const STAND_IN_LISTS: SqlMigration = SqlMigration {
    name: "roster_0003_stand_in_lists",
    statements: &[records!(table "stand_in_lists"), records!(index "stand_in_lists")],
};

const MANDATES: SqlMigration = SqlMigration {
    name: "roster_0005_mandates",
    statements: &[records!(table "mandates"), records!(index "mandates")],
};

const COVERAGE_ALARMS: SqlMigration = SqlMigration {
    name: "roster_0006_coverage_alarms",
    statements: &[records!(table "coverage_alarms"), records!(index "coverage_alarms")],
};

const DUTY_ROSTERS: SqlMigration = SqlMigration {
    name: "roster_0007_duty_rosters",
    statements: &[records!(table "duty_rosters"), records!(index "duty_rosters")],
};

const HEAD_TIME: SqlMigration = SqlMigration {
    name: "roster_0008_head_time",
    statements: &["ALTER TABLE roster_head ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0"],
};

/// The body is every publication of the year, in order.
const CALENDARS: SqlMigration = SqlMigration {
    name: "roster_0009_calendars",
    statements: &[records!(table "calendars"), records!(index "calendars")],
};
