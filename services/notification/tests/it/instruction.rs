//! A leader's instruction is signed for by itself, and climbs until it is.

use domain_supervision::{AssignmentCommand as Do, Command};

use crate::city::{Backend, City};
use crate::matter::Matter;

crate::on_both_back_ends!(
    signing_for_one_instruction_leaves_another_to_climb,
    nothing_climbs_of_a_task_that_is_over,
);

const CLIMBED: &str = "climbed 升级：批示：第147号《推进绿色能源输配管网建设》";

async fn titles(city: &City, official: &str) -> Vec<String> {
    city.inbox(official).await.into_iter().map(|(kind, _, title)| format!("{kind} {title}")).collect()
}

/// A task of the water bureau, signed for, with two instructions.
async fn instructed(city: &City) -> Matter {
    let mut matter = Matter::issued(city, "1", &["water"]).await;
    matter.unit(city, "water", Do::Sign).await;
    for id in ["one", "two"] {
        matter.instruct(city, id, "water").await;
    }
    city.settle().await;
    matter
}

async fn signing_for_one_instruction_leaves_another_to_climb(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = instructed(&city).await;
    let told = titles(&city, "water-liaison").await;
    let told = told.iter().filter(|title| title.starts_with("instruction 批示：")).count();
    assert_eq!(told, 2, "signing for the task is not signing for what a leader wrote");
    matter.sign_instruction(&city, "one", "water").await;
    city.advance("2023-06-06T10:00+08:00").await;
    assert_eq!(titles(&city, "water-head").await, [CLIMBED]);
}

async fn nothing_climbs_of_a_task_that_is_over(backend: Backend) {
    let city = City::new(backend).await;
    let mut matter = instructed(&city).await;
    matter.command(&city, Command::Withdraw { ground: "重复".into() }).await;
    city.advance("2023-06-06T10:00+08:00").await;
    assert_eq!(titles(&city, "water-head").await, [""; 0]);
}
