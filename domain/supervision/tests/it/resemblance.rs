//! What resembles what among the real items of a plan: the sample's 195 tasks of
//! 临政办发〔2023〕8号, and the two matters beside it.

use std::collections::{BTreeMap, BTreeSet};

use domain_supervision::{Likeness, Resemblance, resemblance};
use serde::Deserialize;

#[derive(Deserialize)]
struct Plan {
    tasks: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    title: String,
    text: String,
    source: Source,
    assignments: Vec<Held>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    item_number: u32,
}

#[derive(Deserialize)]
struct Held {
    unit: String,
    role: String,
}

impl Item {
    fn likeness(&self) -> Likeness {
        Likeness::of(&self.title, &self.text)
    }

    fn leads(&self) -> BTreeSet<&str> {
        let leads = self.assignments.iter().filter(|one| one.role == "ASSIGNMENT_ROLE_LEAD");
        leads.map(|one| one.unit.as_str()).collect()
    }
}

fn plan() -> Vec<Item> {
    let plan: Plan = serde_json::from_str(include_str!("../../../../sample/linfen/plan.json")).unwrap();
    plan.tasks
}

/// Every pair that resembles one another, by item numbers.
fn pairs(items: &[Item]) -> BTreeMap<(u32, u32), Resemblance> {
    let likenesses: Vec<_> = items.iter().map(Item::likeness).collect();
    let mut found = BTreeMap::new();
    for (at, one) in items.iter().enumerate() {
        for (other_at, other) in items.iter().enumerate().skip(at + 1) {
            if let Some(how) = resemblance(&likenesses[at], &likenesses[other_at]) {
                found.insert((one.source.item_number, other.source.item_number), how);
            }
        }
    }
    found
}

#[test]
fn of_195_items_those_that_share_a_text_are_found_and_no_others() {
    let items = plan();
    assert_eq!(items.len(), 195);
    let found: Vec<_> = pairs(&items).into_iter().map(|(pair, how)| (pair, how.per_mille)).collect();
    assert_eq!(found, [((7, 18), 1_000), ((7, 90), 744), ((18, 90), 744), ((28, 151), 1_000)]);
}

#[test]
fn items_that_share_a_text_are_of_different_leads() {
    let items = plan();
    let leads = |number: u32| {
        items.iter().find(|item| item.source.item_number == number).map(Item::leads).unwrap_or_default()
    };
    for (one, other) in pairs(&items).into_keys() {
        assert!(leads(one).is_disjoint(&leads(other)), "{one} and {other}");
    }
}

#[test]
fn what_resembles_shares_a_key_and_what_does_not_hardly_ever_does() {
    let items = plan();
    let keys: Vec<BTreeSet<i32>> =
        items.iter().map(|item| item.likeness().keys(item.leads()).iter().collect()).collect();
    let mut sharing = BTreeSet::new();
    for (at, one) in keys.iter().enumerate() {
        for (other_at, other) in keys.iter().enumerate().skip(at + 1) {
            if !one.is_disjoint(other) {
                sharing.insert((items[at].source.item_number, items[other_at].source.item_number));
            }
        }
    }
    assert!(pairs(&items).keys().all(|pair| sharing.contains(pair)), "{sharing:?}");
    // Of 18,915 pairs in all.
    assert!(sharing.len() < 8, "{sharing:?}");
}

#[test]
fn the_same_ask_in_another_document_is_found() {
    let items = plan();
    let item = |number: u32| items.iter().find(|item| item.source.item_number == number).unwrap();
    let project =
        Likeness::of("推进绿色能源输配项目（霍州—襄汾）", "加快霍州至襄汾绿色能源输配项目建设，年底前投运。");
    let pipeline = resemblance(&item(147).likeness(), &project).unwrap();
    assert!(pipeline.of_words(), "{pipeline:?}");
    // A plan words it differently; the name in quotation marks is the same.
    let plan = Likeness::of(
        "实施“一泓清水入黄河”重大工程",
        "在省定方案的基础上接续谋划新项目，早日实现断面水质达优良。",
    );
    let water = resemblance(&item(148).likeness(), &plan).unwrap();
    assert_eq!((water.of_words(), water.shared_name.as_deref()), (false, Some("一泓清水入黄河")));
    // The formalities of a project are not the project.
    let formalities = Likeness::of("绿色能源输配管线手续办理", "一个月内办结管线沿线规划、用地手续。");
    assert_eq!(resemblance(&item(147).likeness(), &formalities), None);
}
