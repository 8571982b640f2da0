//! The benchmarks themselves, run short: what they find is of no weight here, that they find it is.
#![cfg(test)]

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::process::Command;
use xietong_testkit::cluster::program;
use xietong_testkit::servers;

/// Runs a benchmark beside this test's servers: the median of each figure, by its name.
async fn figures(name: &str, arguments: &[&str]) -> BTreeMap<String, f64> {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .arg(name)
        .args(arguments)
        .env("XIETONG_PROGRAM", program().unwrap())
        .env("XIETONG_TEST_POSTGRES", servers::postgres().unwrap())
        .env("XIETONG_TEST_REDIS", servers::redis().unwrap())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    // A busy machine may miss an aim; whatever else ends it has printed no report.
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["benchmark"], name);
    let figures = report["figures"].as_array().unwrap().iter();
    figures
        .map(|figure| (figure["name"].as_str().unwrap().to_owned(), figure["median"].as_f64().unwrap()))
        .collect()
}

#[tokio::test]
async fn webhooks_are_measured_at_their_peak_and_beside_bad_endpoints() {
    let short = ["--events", "200", "--remarks", "60", "--endpoints", "2", "--rounds", "1"];
    let figures = figures("webhooks", &short).await;
    for name in [
        "deliveries to endpoints that take them, at most",
        "deliveries a second while they were timed",
        "from asking to the receiver, p50",
        "from asking to the receiver, p99",
        "p99 to one endpoint alone",
        "p99 beside three that hang, fail and send elsewhere",
        "beside bad ones, in times of alone",
    ] {
        assert!(figures.get(name).is_some_and(|median| *median > 0.0), "{name}: {figures:?}");
    }
    let bad = figures.get("requests to those three").copied().unwrap_or_default();
    assert!(bad >= 3.0, "each of the bad ones was sent something: {figures:?}");
}

#[tokio::test]
async fn notices_are_measured_and_reach_as_many_as_were_founded() {
    let short = ["--events", "200", "--remarks", "60", "--recipients", "300"];
    let figures = figures("notices", &short).await;
    let whole = figures.get("a notice until it is in every inbox");
    assert!(whole.is_some_and(|seconds| *seconds > 0.0), "{figures:?}");
}

#[tokio::test]
async fn a_stream_that_is_cut_loses_and_repeats_nothing() {
    let figures = figures("stream", &["--notices", "200", "--milliseconds", "50"]).await;
    assert_eq!(figures.get("lost, repeated or out of order"), Some(&0.0), "{figures:?}");
}
