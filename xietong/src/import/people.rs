//! The people a notice names, with the titles it gives them.

use std::cmp::Reverse;

use domain_roster::{Lookup, Official, Post, Unit, View, normalise};

/// At most so many people are offered for a name that nobody has.
const MOST_OFFERED: usize = 5;

/// Whom a name and a title stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// One: `officials/{id}`.
    Found(String),
    /// Several have the name, and the title does not tell them apart: all of them, the likeliest
    /// first.
    Ambiguous(Vec<String>),
    /// Nobody has the name; these are called almost so, or hold such a post, the likeliest first.
    Unknown(Vec<String>),
}

/// How well a title fits what somebody holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Not,
    /// A post in the unit the title names.
    Unit,
    /// A post so called, while the title names no unit.
    Title,
    /// A post so called in the unit the title names.
    Both,
}

pub(super) fn find(view: View<'_>, name: &str, title: &str) -> Person {
    let claims = claims(view, title);
    let fit = |official: &Official| fit(view, official, &claims);
    match view.lookup_official(name) {
        // A namesake in a unit where the known one holds nothing may be somebody else.
        Lookup::Found(official)
            if fit(official) == Fit::Not && claims.iter().any(|claim| claim.is_own_unit) =>
        {
            Person::Ambiguous(vec![official.name.clone()])
        }
        Lookup::Found(official) => Person::Found(official.name.clone()),
        Lookup::Ambiguous(namesakes) => {
            let mut ranked: Vec<(Fit, &Official)> =
                namesakes.into_iter().map(|one| (fit(one), one)).collect();
            ranked.sort_by_key(|(fit, _)| Reverse(*fit));
            match ranked.as_slice() {
                [(best, only), (next, _), ..] if best > next => Person::Found(only.name.clone()),
                _ => Person::Ambiguous(ranked.into_iter().map(|(_, one)| one.name.clone()).collect()),
            }
        }
        Lookup::Unknown => {
            let mut ranked: Vec<(bool, Fit, &Official)> = view
                .officials()
                .map(|one| (is_almost(name, &one.display_name), fit(one), one))
                .filter(|(is_almost, fit, _)| *is_almost || *fit >= Fit::Title)
                .collect();
            ranked.sort_by_key(|(is_almost, fit, _)| Reverse((*is_almost, *fit)));
            let offered = ranked.into_iter().take(MOST_OFFERED);
            Person::Unknown(offered.map(|(_, _, one)| one.name.clone()).collect())
        }
    }
}

/// One of the posts a title is made of: 市委常委、市政府常务副市长 has two.
struct Claim<'a> {
    /// The unit it names, or that the one before it named.
    unit: Option<&'a Unit>,
    /// The unit stands in this part itself.
    is_own_unit: bool,
    /// What the post is called, without the unit.
    post: String,
}

fn claims<'a>(view: View<'a>, title: &str) -> Vec<Claim<'a>> {
    let mut last = None;
    parts(title)
        .map(|part| {
            let own = unit_in_front(view, &part);
            let unit = own.as_ref().map(|(unit, _)| *unit).or(last);
            last = unit;
            let is_own_unit = own.is_some();
            Claim { unit, is_own_unit, post: own.map_or(part, |(_, rest)| rest) }
        })
        .collect()
}

fn parts(title: &str) -> impl Iterator<Item = String> {
    title.split(['、', ',', '，', ';', '；', '/']).map(normalise).filter(|part| !part.is_empty())
}

/// The unit with the longest name that the text begins with, and the rest: 市政府办公室主任 is of
/// 市政府办公室, not of 市政府.
fn unit_in_front<'a>(view: View<'a>, text: &str) -> Option<(&'a Unit, String)> {
    let rest_after = |unit: &'a Unit| {
        let rests = unit.names().filter_map(|name| text.strip_prefix(&normalise(name)).map(str::to_owned));
        rests.min_by_key(String::len).map(|rest| (unit, rest))
    };
    let (unit, rest) = view.units().filter_map(rest_after).min_by_key(|(_, rest)| rest.len())?;
    let rest = rest.strip_prefix('的').unwrap_or(&rest);
    Some((unit, rest.to_owned()))
}

fn fit(view: View<'_>, official: &Official, claims: &[Claim<'_>]) -> Fit {
    let held = official.posts.iter().filter(|post| post.held_at(view.at()));
    let fits = held.flat_map(|post| claims.iter().map(|claim| fit_of_post(post, claim)));
    fits.max().unwrap_or(Fit::Not)
}

fn fit_of_post(post: &Post, claim: &Claim<'_>) -> Fit {
    let is_called = parts(&post.title).any(|part| part == claim.post) || post.kind.chinese() == claim.post;
    let in_unit = claim.unit.is_some_and(|unit| post.unit.as_deref() == Some(unit.name.as_str()));
    match (is_called, in_unit) {
        (true, true) => Fit::Both,
        // 市水利局局长 is no other bureau's head; but in 市委常委、副市长 the second post may be
        // held elsewhere than the first.
        (true, false) if claim.is_own_unit => Fit::Not,
        (true, false) => Fit::Title,
        (false, true) => Fit::Unit,
        (false, false) => Fit::Not,
    }
}

/// Whether two names differ by one character: another one, one more or one less.
fn is_almost(one: &str, other: &str) -> bool {
    let letters = |name: &str| normalise(name).chars().collect::<Vec<char>>();
    let (mut short, mut long) = (letters(one), letters(other));
    if short.len() > long.len() {
        std::mem::swap(&mut short, &mut long);
    }
    let differing = || short.iter().zip(&long).filter(|(left, right)| left != right).count();
    match long.len() - short.len() {
        _ if short.len() < 2 => false,
        0 => differing() == 1,
        1 => (0..long.len()).any(|skipped| {
            let rest = long.iter().enumerate().filter(|(at, _)| *at != skipped).map(|(_, letter)| letter);
            rest.eq(&short)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Person, is_almost};
    use crate::import::directory::KnownUnits;
    use domain_calendar::Timestamp;
    use xietong_mesh::convert::encode_time;
    use xietong_proto::roster::{Official, Post, PostKind, Unit, UnitKind};

    fn unit(slug: &str, display_name: &str, aliases: &[&str]) -> Unit {
        Unit {
            name: format!("units/{slug}"),
            display_name: display_name.into(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            kind: UnitKind::Department.into(),
            ..Unit::default()
        }
    }

    fn official(id: &str, display_name: &str, kind: PostKind, unit: &str, title: &str) -> Official {
        let unit = format!("units/{unit}");
        let post = Post { kind: kind.into(), unit, title: title.into(), ..Post::default() };
        Official {
            name: format!("officials/{id}"),
            display_name: display_name.into(),
            posts: vec![post],
            ..Official::default()
        }
    }

    /// Four people called 王渊, two in one bureau, and some others.
    fn officials() -> Vec<Official> {
        use PostKind::{DeputyMayor, ExecutiveDeputyMayor, Mayor, Staff, UnitDeputy, UnitHead};
        vec![
            official("mayor", "王延峰", Mayor, "government", "市长"),
            official("executive", "王渊", ExecutiveDeputyMayor, "government", "常务副市长"),
            official("deputy", "乔飞鸿", DeputyMayor, "government", "副市长"),
            official("office", "王渊", UnitHead, "office", "主任"),
            official("water-head", "王渊", UnitHead, "water", "党组书记、局长"),
            official("water-deputy", "王渊", UnitDeputy, "water", "副局长"),
            official("clerk", "李萍", Staff, "water", ""),
        ]
    }

    fn known(officials: &[Official]) -> KnownUnits {
        let units = [
            unit("government", "临汾市人民政府", &["市政府"]),
            unit("office", "市政府办公室", &[]),
            unit("water", "市水利局", &[]),
        ];
        KnownUnits::new(&units, &[], officials).unwrap()
    }

    fn found(id: &str) -> Person {
        Person::Found(format!("officials/{id}"))
    }

    fn offered(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| format!("officials/{id}")).collect()
    }

    #[test]
    fn a_name_that_one_person_has_is_found_whatever_the_title() {
        let known = known(&officials());
        for (name, title) in [("王延峰", "市长"), ("王 延\n峰", ""), ("王延峰", "前任市长")] {
            assert_eq!(known.official(name, title), found("mayor"), "{name} {title}");
        }
        let elsewhere = known.official("王延峰", "市水利局科长");
        assert_eq!(elsewhere, Person::Ambiguous(vec!["officials/mayor".into()]), "a namesake, perhaps");
    }

    #[test]
    fn of_namesakes_the_one_whose_post_or_unit_the_title_names_is_found() {
        let known = known(&officials());
        for (title, id) in [
            ("市委常委、市政府常务副市长", "executive"),
            ("临汾市人民政府 常务副市长", "executive"),
            ("常务副市长", "executive"),
            ("市政府党组成员", "executive"),
            ("市政府办公室主任", "office"),
            ("市政府办公室党组成员", "office"),
            ("市水利局局长", "water-head"),
            ("市水利局主要负责人", "water-head"),
            ("市水利局党组成员、副局长", "water-deputy"),
            ("分管负责人", "water-deputy"),
        ] {
            assert_eq!(known.official("王渊", title), found(id), "{title}");
        }
    }

    #[test]
    fn namesakes_that_the_title_does_not_tell_apart_are_all_offered_the_likeliest_first() {
        let known = known(&officials());
        let Person::Ambiguous(offered_by_unit) = known.official("王渊", "市水利局总工程师") else {
            panic!("it was guessed")
        };
        assert_eq!(offered_by_unit.len(), 4);
        assert_eq!(offered_by_unit[..2], offered(&["water-deputy", "water-head"]));
        for title in ["", "主要负责人", "市财政局局长", "、，"] {
            let ambiguous = known.official("王渊", title);
            assert!(matches!(&ambiguous, Person::Ambiguous(all) if all.len() == 4), "{title}: {ambiguous:?}");
        }
    }

    #[test]
    fn for_a_name_that_nobody_has_those_called_almost_so_and_the_posts_holders_are_offered() {
        let known = known(&officials());
        let ask = |name, title| known.official(name, title);
        assert_eq!(ask("王延锋", "市长"), Person::Unknown(offered(&["mayor"])));
        assert_eq!(ask("李艳萍", "副市长"), Person::Unknown(offered(&["clerk", "deputy"])));
        assert_eq!(ask("赵钱孙", "市水利局局长"), Person::Unknown(offered(&["water-head"])));
        assert_eq!(ask("赵钱孙", "市财政局局长"), Person::Unknown(vec![]));
        assert_eq!(ask("", ""), Person::Unknown(vec![]));
    }

    #[test]
    fn only_posts_held_at_the_instant_tell_namesakes_apart() {
        let change = Timestamp::from_micros(1_684_000_000_000_000);
        let mut old = official("old", "王渊", PostKind::UnitHead, "water", "局长");
        old.posts[0].end_time = Some(encode_time(change));
        let mut new = official("new", "王渊", PostKind::UnitHead, "water", "局长");
        new.posts[0].start_time = Some(encode_time(change));
        let known = known(&[old, new]);
        let before = Timestamp::from_micros(change.as_micros() - 1);
        assert_eq!(known.clone().as_of(before).official("王渊", "市水利局局长"), found("old"));
        assert_eq!(known.as_of(change).official("王渊", "市水利局局长"), found("new"));
    }

    #[test]
    fn a_name_is_almost_another_when_one_character_differs() {
        for (one, other, expected) in [
            ("王渊", "王源", true),
            ("王渊", "王渊源", true),
            ("李艳萍", "李萍", true),
            ("王渊", "王渊", false),
            ("王渊", "渊王", false),
            ("王渊", "王延峰", false),
            ("王", "王渊", false),
            ("", "王", false),
        ] {
            assert_eq!(is_almost(one, other), expected, "{one} {other}");
        }
    }
}
