//! The servers start, survive being killed, and leave nothing behind.

#![cfg(test)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use xietong_throwaway::{Postgres, Redis};

/// Set in the process that only starts servers and is then killed.
const ROLE: &str = "XIETONG_THROWAWAY_OWNER";

#[test]
fn postgres_keeps_what_was_committed_when_killed() {
    let mut postgres = Postgres::start().unwrap();
    sql(&postgres, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");

    postgres.restart().unwrap();

    assert_eq!(sql(&postgres, "SELECT n FROM kept"), "7");
    assert_eq!(sql(&postgres, "SHOW fsync"), "on");
    assert_eq!(sql(&postgres, "SHOW max_connections"), "300");
}

#[test]
fn two_servers_of_a_kind_do_not_meet() {
    let (one, other) = (Postgres::start().unwrap(), Postgres::start().unwrap());
    assert_ne!(one.url(), other.url());
    sql(&one, "CREATE TABLE only_here (n int)");
    assert_eq!(sql(&other, "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'"), "0");
}

#[test]
fn redis_comes_back_on_its_port_and_forgets_on_demand() {
    let mut redis = Redis::start().unwrap();
    let url = redis.url();
    assert_eq!(ask(&redis, "SET key 1"), "+OK");

    redis.restart().unwrap();
    assert_eq!(redis.url(), url);
    assert_eq!(ask(&redis, "EXISTS nothing"), ":0");

    redis.flush_all().unwrap();
    assert_eq!(ask(&redis, "DBSIZE"), ":0");
}

#[test]
fn a_dropped_server_is_gone_with_its_files() {
    let redis = Redis::start().unwrap();
    let address = redis.url().trim_start_matches("redis://").to_owned();
    let folder = folder_of_redis(&redis);
    assert!(folder.exists());

    drop(redis);

    assert!(TcpStream::connect(address).is_err());
    assert!(!folder.exists());
}

#[test]
fn servers_do_not_outlive_an_owner_that_was_killed() {
    if std::env::var_os(ROLE).is_some() {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
        println!("\nurls {} {}", postgres.url(), redis.url());
        // Until it is killed: the other side holds this open.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers_do_not_outlive_an_owner_that_was_killed", "--nocapture"])
        .env(ROLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let urls =
        lines.map(Result::unwrap).find_map(|line| Some(line.strip_prefix("urls ")?.to_owned())).unwrap();
    let addresses: Vec<String> = urls
        .split_whitespace()
        .map(|url| url.rsplit('@').next().unwrap().trim_start_matches("redis://").replace("/postgres", ""))
        .collect();
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_ok()), "{addresses:?}");

    owner.kill().unwrap();
    owner.wait().unwrap();

    let since = Instant::now();
    while addresses.iter().any(|address| TcpStream::connect(address).is_ok()) {
        assert!(since.elapsed() < Duration::from_secs(20), "still there: {addresses:?}");
        std::thread::yield_now();
    }
}

/// Runs SQL through `psql`, which comes with the server.
fn sql(postgres: &Postgres, text: &str) -> String {
    let output = Command::new("psql").args(["-qtAX", &postgres.url(), "-c", text]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Sends an inline command to database 0, returns the first line of the answer.
fn ask(redis: &Redis, command: &str) -> String {
    lines(redis, command, 1).remove(0)
}

fn folder_of_redis(redis: &Redis) -> PathBuf {
    // An array of two strings, each with its length before it.
    let folder = PathBuf::from(lines(redis, "CONFIG GET dir", 5).remove(4));
    fs::canonicalize(folder).unwrap()
}

fn lines(redis: &Redis, command: &str, count: usize) -> Vec<String> {
    let mut connection = TcpStream::connect(redis.url().trim_start_matches("redis://")).unwrap();
    connection.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    BufReader::new(connection).lines().take(count).map(Result::unwrap).collect()
}
