//! The README's tour, run word for word.
//!
//! Every `sh` block is run in one shell, in order; every line of the `text` block after it
//! must be in what it printed. Only the address is another one, so that tests do not fight
//! over a port.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use xietong::cli::{Sample, UpArgs};
use xietong::up::City;

const ADDRESS: &str = "127.0.0.1:8080";
const MARK: &str = "@@@ end of block";
const BOUND: Duration = Duration::from_secs(120);

struct Block {
    commands: String,
    expected: Vec<String>,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The blocks between the tour's heading and the next one.
fn tour(readme: &str, heading: &str) -> Vec<Block> {
    let text = fs::read_to_string(repository().join(readme)).unwrap();
    let begin = text.find(heading).unwrap();
    let tour = &text[begin..];
    let end = tour[3..].find("\n## ").unwrap() + 3;
    let mut blocks: Vec<Block> = Vec::new();
    let mut rest = &tour[..end];
    while let Some(fence) = rest.find("```") {
        let (kind, body) = rest[fence + 3..].split_once('\n').unwrap();
        let (body, after) = body.split_once("```").unwrap();
        match kind {
            "sh" => blocks.push(Block { commands: body.to_owned(), expected: Vec::new() }),
            "text" => blocks.last_mut().unwrap().expected.extend(body.lines().map(str::to_owned)),
            other => panic!("a block of kind {other:?}"),
        }
        rest = after;
    }
    blocks
}

#[test]
fn both_languages_have_the_same_tour() {
    let plain = |blocks: Vec<Block>| -> Vec<(String, Vec<String>)> {
        blocks.into_iter().map(|block| (block.commands, block.expected)).collect()
    };
    let english = plain(tour("README.md", "## A tour in five minutes"));
    assert!(english.len() > 5);
    assert_eq!(plain(tour("README.zh-CN.md", "## 五分钟走一遍")), english);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tour_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("target/release");
    fs::create_dir_all(&bin).unwrap();
    symlink(xietong_testkit::cluster::program().unwrap(), bin.join("xietong")).unwrap();
    symlink(repository().join("sample"), folder.path().join("sample")).unwrap();
    let city = City::start(&UpArgs {
        data: folder.path().join("xietong-data"),
        http: "127.0.0.1:0".parse().unwrap(),
        sample: Sample::Full,
        sim_clock: None,
        real_clock: false,
    })
    .await
    .unwrap();

    let blocks = tour("README.md", "## A tour in five minutes");
    let commands: Vec<String> =
        blocks.iter().map(|block| format!("{}echo '{MARK}'\n", block.commands)).collect();
    let script = format!("set -euo pipefail\n{}", commands.concat());
    let script = script.replace(ADDRESS, &city.address().to_string());
    let directory = folder.path().to_owned();
    let shell = tokio::task::spawn_blocking(move || {
        Command::new("bash").arg("-c").arg(script).current_dir(directory).output().unwrap()
    });
    let output = tokio::time::timeout(BOUND, shell).await.expect("the tour ends").unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    for (block, part) in blocks.iter().zip(printed.split(MARK)) {
        for line in &block.expected {
            let commands = &block.commands;
            assert!(
                part.contains(line),
                "{line}\nis not in what these commands printed:\n{commands}\n{part}"
            );
        }
    }
    city.stop().await.unwrap();
}
