//! A replica that is stopped past its lease and continued commits nothing stale: its
//! transaction was ended by PostgreSQL meanwhile, or its cursor is no longer its own.

use futures_util::{StreamExt, stream};
use sea_orm::ConnectionTrait;
use xietong_mesh::ServiceName;
use xietong_store::{Db, statement};
use xietong_testkit::api::{Api, Protocol};
use xietong_testkit::cluster::{Cluster, Member};
use xietong_testkit::databases::Databases;
use xietong_testkit::history::History;
use xietong_testkit::wait::wait_for;

use crate::load::{Attempts, check, create};
use crate::world::{SOON, SUPERVISOR, linfen_cluster};

const TASKS: usize = 20;
/// Of those who are told of each task, neither the first nor the last.
const LEADER: &str = "officials/qiaofeihong";
/// What a consumer says when its cursor is no longer where, or whose, it was.
const REFUSED: &str = "lost the cursor; nothing was applied";
/// Names the consumers of the change feed.
const FEED: &str = "notification/feed";
/// Takes PostgreSQL's timeout of idle transactions from whoever writes to an inbox. It is
/// asked for as each session begins, which goes before every setting of the server, of the
/// database or of the role; so it is taken back within the transaction.
const WITHOUT_TIMEOUT: [&str; 2] = [
    "CREATE FUNCTION be_patient() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('idle_in_transaction_session_timeout', '0', true);
        RETURN NULL;
     END $$",
    "CREATE TRIGGER be_patient BEFORE INSERT OR UPDATE ON inboxes
     FOR EACH STATEMENT EXECUTE FUNCTION be_patient()",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_stopped_past_its_lease_commits_nothing_stale() {
    let mut replicas = Replicas::start().await;
    for (round, stopped) in [("first", FIRST), ("second", SECOND)] {
        let holder = replicas.stop_in_a_transaction(round, stopped).await;
        replicas.wait_taken_over(&holder).await;
        // PostgreSQL has ended the transaction, so nothing is in the way of the other.
        replicas.databases.settle(SOON).await.unwrap();
        replicas.go_on(round, stopped).await;
        assert_eq!(replicas.refusals(stopped), 0, "its transaction was not there to be refused");
    }
    replicas.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_transaction_outlives_its_lease_is_refused_its_cursor() {
    let mut replicas = Replicas::start().await;
    let writer = replicas.inboxes().writer();
    for sql in WITHOUT_TIMEOUT {
        writer.execute_unprepared(sql).await.unwrap();
    }
    for (round, stopped) in [("first", FIRST), ("second", SECOND)] {
        let holder = replicas.stop_in_a_transaction(round, stopped).await;
        replicas.wait_taken_over(&holder).await;
        // The other one wants to apply the same events, and gets as far as the rows that
        // the first one holds.
        let is_held_up = async || waiting(replicas.inboxes()).await > 0;
        wait_for("the other replica to want the rows", SOON, is_held_up).await.unwrap();
        assert_eq!(replicas.refusals(stopped), 0);
        replicas.go_on(round, stopped).await;
        assert_eq!(replicas.refusals(stopped), 1, "it could finish all but the move of its cursor");
    }
    replicas.check().await;
}

const FIRST: Member = Member { service: ServiceName::Notification, replica: 0 };
const SECOND: Member = Member { service: ServiceName::Notification, replica: 1 };

/// Two replicas of notification, of which the first has every cursor, and what they are
/// asked to tell of.
struct Replicas {
    cluster: Cluster,
    databases: Databases,
    supervisor: Api,
    history: History,
}

impl Replicas {
    async fn start() -> Replicas {
        let mut cluster = linfen_cluster().await;
        let supervisor = cluster.api(Protocol::Grpc, SUPERVISOR).await.unwrap();
        let databases = cluster.databases().await.unwrap();
        // Alone, so it holds every cursor; the other one waits for it to let go.
        databases.settle(SOON).await.unwrap();
        cluster.start(SECOND, None).unwrap();
        cluster.wait_ready(SECOND).await.unwrap();
        let replicas = Replicas { cluster, databases, supervisor, history: History::new() };
        replicas.issue("before").await;
        replicas.databases.settle(SOON).await.unwrap();
        replicas
    }

    fn inboxes(&self) -> &Db {
        self.databases.of(ServiceName::Notification).unwrap()
    }

    /// Stops the replica that has the cursor in a transaction that has changed rows already,
    /// and says who had the cursor.
    async fn stop_in_a_transaction(&mut self, round: &str, stopped: Member) -> String {
        let Replicas { cluster, databases, supervisor, history } = self;
        let inboxes = databases.of(ServiceName::Notification).unwrap();
        let holder = holder(inboxes).await;
        // It gets as far as this row, in a transaction that has changed others, and is
        // stopped there.
        let row = inboxes.begin().await.unwrap();
        let sql = "SELECT official FROM inboxes WHERE official = $1 FOR UPDATE";
        row.query_one_raw(statement(&row, sql, [LEADER.into()])).await.unwrap().unwrap();
        tokio::join!(issue(supervisor, history, round), async {
            wait_for("it to want the row", SOON, async || waiting(inboxes).await > 0).await.unwrap();
            cluster.pause(stopped).await.unwrap();
            row.rollback().await.unwrap();
        });
        holder
    }

    async fn wait_taken_over(&self, holder: &str) {
        let is_another = async || self::holder(self.inboxes()).await != holder;
        wait_for("the other replica to take over", SOON, is_another).await.unwrap();
    }

    /// Continues the stopped replica: whatever it had begun, it tries to finish now, while
    /// there is new work.
    async fn go_on(&mut self, round: &str, stopped: Member) {
        self.cluster.resume(stopped).await.unwrap();
        self.issue(&format!("after-{round}")).await;
        self.databases.settle(SOON).await.unwrap();
    }

    async fn issue(&self, round: &str) {
        issue(&self.supervisor, &self.history, round).await;
    }

    /// How often a replica was refused the cursor of the inboxes. That of the feed, which it was at as
    /// well or not when it was stopped, may be refused too.
    fn refusals(&mut self, member: Member) -> usize {
        let log = self.cluster.log_text(member).unwrap();
        log.lines().filter(|line| line.contains(REFUSED) && !line.contains(FEED)).count()
    }

    async fn check(self) {
        check(&self.supervisor, &self.history, &self.databases).await;
    }
}

async fn issue(supervisor: &Api, history: &History, round: &str) {
    stream::iter(0..TASKS)
        .for_each_concurrent(8, |number| async move {
            create(supervisor, history, &format!("{round}/{number}"), Attempts::UntilAnswered).await;
        })
        .await;
}

/// How many sessions of this database wait for a lock.
async fn waiting(inboxes: &Db) -> i64 {
    let sql = "SELECT COUNT(*) AS waiting FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let reader = inboxes.reader();
    let row = reader.query_one_raw(statement(reader, sql, [])).await.unwrap().unwrap();
    row.try_get_by("waiting").unwrap()
}

/// Who may apply the events of supervision.
async fn holder(inboxes: &Db) -> String {
    let sql = "SELECT holder FROM consumer_cursors WHERE producer = $1";
    let reader = inboxes.reader();
    let row = reader.query_one_raw(statement(reader, sql, ["supervision".into()])).await.unwrap().unwrap();
    row.try_get_by("holder").unwrap()
}
