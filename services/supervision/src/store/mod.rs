//! The tables of this service.

mod columns;
mod handed_over;
mod list;
mod origins;
mod scope;
mod sources;
mod tasks;
mod waits;

pub(crate) use handed_over::under_way;
pub(crate) use list::{ListFilter, Portion, list};
pub(crate) use origins::{keep_origins, of_origin};
pub(crate) use sources::keep_sources;
pub(crate) use tasks::{find, find_all, insert, names_to_sign, save};
pub(crate) use waits::waiting_for;

use xietong_store::SqlMigration;

/// A task is one row, read whole from `body`; what lists ask for stands in columns beside
/// it. The row number is the ledger number: a sequence, so that creations never wait for one
/// another; one that is rolled back leaves a gap.
///
/// The clock columns of both tables are those of `domain_supervision::StoredClock`.
pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration {
        name: "supervision_0001_tasks",
        statements: &[
            "CREATE TABLE tasks (
            ledger_number {serial},
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            visibility TEXT NOT NULL,
            document_number TEXT NOT NULL,
            created_by TEXT NOT NULL,
            yellow_at BIGINT,
            red_at BIGINT,
            paused BOOLEAN NOT NULL,
            closed BOOLEAN NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
            "CREATE UNIQUE INDEX tasks_name ON tasks (name)",
            "CREATE INDEX tasks_document ON tasks (document_number, ledger_number)",
            "CREATE INDEX tasks_state ON tasks (state, ledger_number)",
            // `settles`: one of the assignments that must all be struck off before the task is.
            "CREATE TABLE assignments (
            name TEXT PRIMARY KEY,
            ledger_number BIGINT NOT NULL,
            unit TEXT NOT NULL,
            role TEXT NOT NULL,
            settles BOOLEAN NOT NULL,
            state TEXT NOT NULL,
            yellow_at BIGINT,
            red_at BIGINT,
            paused BOOLEAN NOT NULL,
            closed BOOLEAN NOT NULL
        )",
            "CREATE INDEX assignments_unit ON assignments (unit, ledger_number)",
            // Who beside its own units may see a restricted task.
            "CREATE TABLE task_viewers (
            unit TEXT NOT NULL,
            ledger_number BIGINT NOT NULL,
            PRIMARY KEY (unit, ledger_number)
        )",
            "CREATE TABLE task_origins (origin TEXT PRIMARY KEY, ledger_number BIGINT NOT NULL)",
        ],
    },
    SqlMigration {
        name: "supervision_0002_sources",
        statements: &[
            // A document's item is entered as one task, for ever.
            "CREATE TABLE task_sources (
                document_number TEXT NOT NULL,
                part TEXT NOT NULL,
                item TEXT NOT NULL,
                task TEXT NOT NULL,
                PRIMARY KEY (document_number, part, item)
            )",
        ],
    },
    SqlMigration {
        name: "supervision_0003_waits",
        statements: &[
            // The unit that an assignment waits for, or asks to wait for.
            "ALTER TABLE assignments ADD COLUMN waits_for TEXT",
            "CREATE INDEX assignments_waits_for ON assignments (waits_for, ledger_number)
                WHERE waits_for IS NOT NULL",
        ],
    },
];
