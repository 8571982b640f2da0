//! The tables of this service.

mod bulletins;
mod columns;
mod comments;
mod delegations;
mod drafts;
mod family;
mod handed_over;
mod inspections;
mod instructions;
mod likeness;
mod list;
mod matters;
mod origins;
mod papers;
mod regulation;
mod resemblances;
mod running;
mod scope;
mod score;
mod score_rules;
mod search;
mod sources;
mod summary;
mod tags;
mod tasks;
mod waits;
mod ways;
mod word;

pub(crate) use bulletins::{
    BulletinFilter, SeenBulletins, bulletins, corrections, find_bulletin, insert_bulletin, keep_corrections,
    lines, replace_lines, save_bulletin, save_line,
};
pub(crate) use comments::{comments_of, keep_comment};
pub(crate) use delegations::{
    DelegationFilter, delegations, find_delegation, keep_delegation, save_delegation,
};
pub(crate) use drafts::{
    drafts_of, find_draft, keep_draft, open_drafts, release_setting, save_draft, save_release_setting,
};
pub(crate) use family::{
    RollUp, and_above, change_parent, hold, keep_parents, levels, open_sub_tasks, roll_up,
};
pub(crate) use handed_over::{names_under_way, under_way};
pub(crate) use inspections::{find_inspection, insert_inspection, inspections, save_inspection};
pub(crate) use instructions::{
    find_instruction, instructions_of, keep_instruction, save_instruction, task_from,
};
pub(crate) use likeness::{alike, keep_likeness, refill};
pub(crate) use list::{ListFilter, Portion, list, onward};
pub(crate) use matters::{
    MatterFilter, find_matter, in_matter, insert_matter, list_matters, save_matter, seen_in_matters,
};
pub(crate) use origins::{keep_origins, of_origin};
pub(crate) use papers::{KeptPaper, find_paper, keep_paper, latest_paper, next_number, papers_about};
pub(crate) use regulation::{count_regulation, keep_calendar, keep_rule, names_behind, regulation};
pub(crate) use resemblances::{alike_pairs, dismiss_pairs, keep_pairs};
pub(crate) use running::{RunningFilter, running};
pub(crate) use score::{Scored, past_due, scored};
pub(crate) use score_rules::{keep_score_rule, score_rules};
pub(crate) use search::{TextQuery, keep_texts, payloads_of, unsearched_from};
pub(crate) use sources::keep_sources;
pub(crate) use summary::{Count, Grouping, summarise, total};
pub(crate) use tasks::{find, find_all, find_named, find_numbered, insert, names_to_sign, save, save_all};
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
    regulation::REGULATION,
    SqlMigration {
        name: "supervision_0008_ledger",
        statements: &[
            "CREATE TABLE task_tags (
                tag TEXT NOT NULL,
                ledger_number BIGINT NOT NULL,
                PRIMARY KEY (tag, ledger_number)
            )",
            "CREATE INDEX task_tags_task ON task_tags (ledger_number)",
            // Of tasks entered before, one tag after the other until there is none.
            "WITH RECURSIVE told (ledger_number, tags, place) AS (
                 SELECT ledger_number, CAST(body AS {json}) -> 'task' -> 'tags', 0 FROM tasks
                 UNION ALL
                 SELECT ledger_number, tags, place + 1 FROM told WHERE (tags ->> place) IS NOT NULL
             )
             INSERT INTO task_tags (tag, ledger_number)
             SELECT DISTINCT tags ->> place, ledger_number FROM told WHERE (tags ->> place) IS NOT NULL",
        ],
    },
    SqlMigration {
        name: "supervision_0009_scores_and_papers",
        statements: &[
            // What scores are made of (`score::EVENTS`), to be found by when it happened.
            "CREATE INDEX events_scored ON events (occurred_at, entry)
            WHERE type IN ('supervision.assignment.sent_back', 'supervision.assignment.struck_off',
                           'supervision.assignment.urged')",
            // A number is given once. `subject`: the assignment; empty for a bulletin.
            "CREATE TABLE papers (
                name TEXT PRIMARY KEY,
                kind TEXT NOT NULL,
                year BIGINT NOT NULL,
                number BIGINT NOT NULL,
                subject TEXT NOT NULL,
                issued_at BIGINT NOT NULL,
                body TEXT NOT NULL
            )",
            "CREATE UNIQUE INDEX papers_number ON papers (kind, year, number)",
            "CREATE INDEX papers_subject ON papers (subject, kind, number)",
        ],
    },
    // Of rows written before, nothing is known of what they have reached but by their instants.
    SqlMigration {
        name: "supervision_0010_lists",
        statements: &[
            "ALTER TABLE tasks ADD COLUMN written_light TEXT NOT NULL DEFAULT 'green'",
            "UPDATE tasks SET written_light = CASE WHEN state = 'draft' THEN 'draft' WHEN closed THEN 'blue'
                                                   WHEN paused THEN 'grey' ELSE 'green' END",
            "CREATE INDEX tasks_written_light ON tasks (written_light, ledger_number)",
            "CREATE INDEX tasks_turning_red ON tasks (red_at, ledger_number)
                WHERE written_light IN ('green', 'yellow')",
            "CREATE INDEX tasks_turning_yellow ON tasks (yellow_at, ledger_number)
                WHERE written_light = 'green'",
            "CREATE INDEX tasks_public ON tasks (ledger_number) WHERE visibility = 'public'",
            "CREATE INDEX tasks_created_by ON tasks (created_by, ledger_number)",
            // The light written with its task.
            "ALTER TABLE assignments ADD COLUMN task_light TEXT NOT NULL DEFAULT 'green'",
            "UPDATE assignments SET task_light = tasks.written_light FROM tasks
                WHERE tasks.ledger_number = assignments.ledger_number",
            "CREATE INDEX assignments_task ON assignments (ledger_number)",
            "CREATE INDEX assignments_light ON assignments (unit, task_light, ledger_number)",
        ],
    },
    bulletins::BULLETINS,
    matters::MATTERS,
    likeness::LIKENESS,
    search::SEARCH,
    inspections::INSPECTIONS,
    word::WORD,
    search::SEARCH_PORTIONS,
    likeness::LIKENESS_OF_UNITS,
    ways::TURNING,
    papers::PAPERS_OF_UNITS,
    score::SCORED,
];
