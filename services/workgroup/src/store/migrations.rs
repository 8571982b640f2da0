//! The steps of the schema. New ones are added at the end, old ones never edited.

use xietong_store::SqlMigration;

/// The service's own tables.
pub(crate) const MIGRATIONS: &[SqlMigration] = &[
    SqlMigration {
        name: "workgroup_0001_groups",
        statements: &[
            "CREATE TABLE groups (
            name TEXT PRIMARY KEY,
            office_unit TEXT,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
            "CREATE TABLE meetings (
            name TEXT PRIMARY KEY,
            group_name TEXT NOT NULL REFERENCES groups (name),
            meet_time BIGINT NOT NULL,
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
            "CREATE INDEX meetings_latest ON meetings (group_name, meet_time, name)",
            "CREATE TABLE decisions (
            entry {serial},
            name TEXT NOT NULL UNIQUE,
            meeting TEXT NOT NULL REFERENCES meetings (name),
            version BIGINT NOT NULL,
            body TEXT NOT NULL
        )",
            "CREATE INDEX decisions_recorded ON decisions (meeting, entry)",
            "CREATE TABLE escalations (
            decision TEXT PRIMARY KEY REFERENCES decisions (name),
            not_before BIGINT NOT NULL,
            attempts BIGINT NOT NULL,
            asked_event TEXT,
            traceparent TEXT,
            last_trouble TEXT
        )",
            "CREATE INDEX escalations_open ON escalations (not_before)",
        ],
    },
    SqlMigration {
        name: "workgroup_0002_founding",
        statements: &[
            "ALTER TABLE groups ADD COLUMN founding_document TEXT NOT NULL DEFAULT ''",
            // The group's name as far as its document founds only one of it. NULL, which equals
            // nothing, without a document, and for those that were founded again before that was
            // refused.
            "ALTER TABLE groups ADD COLUMN founded_as TEXT",
            "UPDATE groups SET founding_document =
            COALESCE(CAST(body AS {json}) ->> 'foundingDocument', '')",
            "UPDATE groups SET founded_as = CAST(body AS {json}) ->> 'displayName'
            WHERE founding_document <> '' AND NOT EXISTS (
                SELECT 1 FROM groups AS other
                WHERE other.founding_document = groups.founding_document
                    AND (CAST(other.body AS {json}) ->> 'displayName')
                        = (CAST(groups.body AS {json}) ->> 'displayName')
                    AND other.name < groups.name
            )",
            "CREATE UNIQUE INDEX groups_founded_once ON groups (founding_document, founded_as)",
        ],
    },
];

#[cfg(test)]
mod tests {
    use domain_workgroup::Group;
    use sea_orm::ConnectionTrait;
    use xietong_store::{CrashPoints, Db, migrate, statement};
    use xietong_testkit::servers::postgres_database;

    use super::MIGRATIONS;
    use crate::store::groups;
    use crate::store::tests::group;

    const DOCUMENT: &str = "临政办函〔2023〕17号";

    fn founded(id: &str, document: &str) -> Group {
        Group { founding_document: document.into(), ..group(id, None) }
    }

    /// Groups of a database that did not know yet what founded them.
    async fn of_before(url: &str) -> Db {
        let db = Db::connect(url, 2, CrashPoints::default()).await.unwrap();
        migrate(&db, &MIGRATIONS[..1]).await.unwrap();
        // Two were founded by one document, and two by none.
        for group in [founded("a", DOCUMENT), founded("b", DOCUMENT), founded("c", ""), founded("d", "")] {
            let sql = "INSERT INTO groups (name, version, body) VALUES ($1, 1, $2)";
            let body = serde_json::to_string(&group).unwrap();
            let insert = statement(db.writer(), sql, [group.name.into(), body.into()]);
            db.writer().execute_raw(insert).await.unwrap();
        }
        migrate(&db, MIGRATIONS).await.unwrap();
        db
    }

    async fn what_was_founded_before_is_known_by_its_document(url: &str) {
        let db = of_before(url).await;
        let again = groups::insert(db.writer(), &founded("e", DOCUMENT)).await.unwrap();
        assert_eq!(again.as_deref(), Some("groups/a"));
        let without = groups::insert(db.writer(), &founded("f", "")).await.unwrap();
        assert_eq!(without, None);
        let sql = "SELECT name FROM groups WHERE founding_document = $1 ORDER BY name";
        let found = db.reader().query_all_raw(statement(db.reader(), sql, [DOCUMENT.into()])).await.unwrap();
        let names: Vec<String> = found.iter().map(|row| row.try_get_by("name").unwrap()).collect();
        assert_eq!(names, ["groups/a", "groups/b"], "all that the document founded");
    }

    #[tokio::test]
    async fn what_was_founded_before_is_known_by_its_document_on_sqlite() {
        what_was_founded_before_is_known_by_its_document("sqlite::memory:").await;
    }

    #[tokio::test]
    async fn what_was_founded_before_is_known_by_its_document_on_postgres() {
        what_was_founded_before_is_known_by_its_document(&postgres_database("workgroup").await.unwrap())
            .await;
    }
}
