//! A division of work: 王渊常务副市长:负责…方面的工作。分管…。联系…。

use regex::Regex;

use crate::headings::{fields_of, is_person, person_and_post};
use crate::names;
use crate::notice::{Charge, Pair, Party, Portfolio, Relation};
use crate::ordinal::{Level, marker};
use crate::posts::ends_like_a_post;
use crate::text::{Line, join, squeeze};

/// Finds who stands in for whom.
#[derive(Debug)]
pub(crate) struct Pairs {
    mutual: Regex,
    arrow: Regex,
    one_way: Regex,
    each_time: Regex,
}

const POST: &str = "(?:常务副|副)?(?:市长|县长|区长|秘书长)";

impl Pairs {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Pairs {
            mutual: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?){POST}?(?:同志)?(?:与|和)(\p{{Han}}{{2,4}}?){POST}?(?:同志)?互为A[、/]?B[角岗]"
            ))?,
            arrow: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?){POST}?(?:↔|⇔|<->)(\p{{Han}}{{2,4}}?)(?:{POST}|[,;。、]|$)"
            ))?,
            one_way: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?){POST}?(?:同志)?的B[角岗](?:为|是|由)(\p{{Han}}{{2,4}}?)(?:{POST}|同志|[,;。]|$)"
            ))?,
            each_time: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?)(?:{POST}(?:同志)?(?:根据工作需要,?)?临时(?:确定|指定)|{POST}?(?:同志)?的(?:A[、/]?)?B[角岗]由[^,;。]{{0,20}}临时(?:确定|指定))"
            ))?,
        })
    }

    fn read(&self, lines: &[Line]) -> Vec<Pair> {
        let text = join(lines);
        let line = lines.iter().find(|line| speaks_of_pairs(&line.text)).map_or(0, |line| line.number);
        let pair = |leader: &str, stand_in: Option<&str>, mutual| Pair {
            leader: leader.to_owned(),
            stand_in: stand_in.map(str::to_owned),
            mutual,
            line,
        };
        let mutual = self.mutual.captures_iter(&text).chain(self.arrow.captures_iter(&text));
        let mutual = mutual.map(|found| pair(&found[1], Some(&found[2]), true));
        let one_way = self.one_way.captures_iter(&text).map(|found| pair(&found[1], Some(&found[2]), false));
        let each_time = self.each_time.captures_iter(&text).map(|found| pair(&found[1], None, false));
        mutual.chain(one_way).chain(each_time).collect()
    }
}

/// Whether a line is about who stands in for whom.
fn speaks_of_pairs(line: &str) -> bool {
    let text = squeeze(line);
    ["AB角", "AB岗", "A、B角", "A、B岗", "B角", "B岗"].iter().any(|word| text.contains(word))
}

/// The portfolios and pairs of a letter; `says_so` when its title says that it divides work.
pub(crate) fn read(lines: &[Line], says_so: bool, pairs: &Pairs) -> (Vec<Portfolio>, Vec<Pair>) {
    let starts: Vec<usize> = (0..lines.len()).filter(|at| heading(&lines[*at], says_so).is_some()).collect();
    let end = lines
        .iter()
        .position(|line| {
            let text = squeeze(&line.text);
            speaks_of_pairs(&text) || text.contains("议事协调机构") || text.starts_with("为加强配合")
        })
        .filter(|end| starts.last().is_none_or(|last| end > last))
        .unwrap_or(lines.len());
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([end]).collect();
    let portfolios = starts.iter().zip(ends).filter_map(|(from, to)| portfolio(&lines[*from..to], says_so));
    (portfolios.collect(), pairs.read(&lines[end..]))
}

/// `王渊常务副市长:` at the head of a line, and what follows the colon. Where the title says
/// that it is a division of work, also `王渊 市委常委、常务副市长`, `王渊(常务副市长):` and
/// `一、王渊同志`.
fn heading(line: &Line, says_so: bool) -> Option<(String, String, String)> {
    let text = squeeze(&line.text);
    if let Some((who, rest)) = text.split_once(':')
        && let Some((name, post)) = person_and_post(who.trim_end_matches("同志"))
    {
        return Some((name, post, rest.to_owned()));
    }
    if !says_so {
        return None;
    }
    let line = match marker(&line.text) {
        Some(found) if found.level <= Level::Item => found.rest,
        Some(_) | None => &line.text,
    };
    let (who, rest) = line.split_once(':').map_or((line, ""), |(who, rest)| (who, rest.trim()));
    let post = |title: &str| ends_like_a_post(title.trim_end_matches(')')).then(|| squeeze(title));
    // 王渊(市委常委、常务副市长)
    let squeezed = squeeze(who);
    if let Some((name, title)) = squeezed.strip_suffix(')').and_then(|who| who.split_once('('))
        && is_person(name.trim_end_matches("同志"))
        && let Some(post) = post(title)
    {
        return Some((name.trim_end_matches("同志").to_owned(), post, squeeze(rest)));
    }
    // 王渊同志, 副市长王渊, alone or before what they do.
    let verbs = ["主持", "负责", "协助", "分管", "主管"];
    let at = verbs.iter().filter_map(|verb| squeezed.find(verb)).min().unwrap_or(squeezed.len());
    let (whole, does) = squeezed.split_at(at);
    let rest = format!("{does}{}", squeeze(rest));
    if let Some(name) = whole.strip_suffix("同志").filter(|name| is_person(name)) {
        return Some((name.to_owned(), String::new(), rest));
    }
    if let Some((name, post)) = person_and_post(whole) {
        return Some((name, post, rest));
    }
    // 王 渊 市委常委、常务副市长
    let mut words = who.split(' ').filter(|word| !word.is_empty());
    let mut name = words.next()?.to_owned();
    if name.chars().count() == 1 {
        name.push_str(words.next()?);
    }
    let title = words.collect::<Vec<_>>().join(" ");
    let post = post(&title).filter(|post| !post.is_empty() && !post.contains('。'))?;
    is_person(&name).then_some((name, post, rest))
}

fn portfolio(lines: &[Line], says_so: bool) -> Option<Portfolio> {
    let (first, others) = lines.split_first()?;
    let (leader, post, rest) = heading(first, says_so)?;
    let mut portfolio = Portfolio {
        leader,
        post,
        presides: false,
        fields: Vec::new(),
        units: Vec::new(),
        line: first.number,
    };
    let first = Line { number: first.number, text: rest };
    let text = join(std::iter::once(&first).chain(others));
    for sentence in text.split('。') {
        read_sentence(sentence, &mut portfolio);
    }
    Some(portfolio)
}

/// What a part of a sentence says the leader does.
struct Act<'a> {
    relation: Relation,
    assists: Option<&'a str>,
    /// Fields of work rather than units.
    of_fields: bool,
    list: &'a str,
}

fn read_sentence(sentence: &str, portfolio: &mut Portfolio) {
    // Commas separate both acts and groups of units within one.
    let mut open: Option<Act<'_>> = None;
    for part in names::outside_brackets(sentence, &[',', ';']) {
        let part = part.trim();
        if part.is_empty() || part.starts_with("完成") || part.starts_with("承担") {
            continue;
        }
        match act(part) {
            Some(act) => {
                give(portfolio, &act);
                open = Some(act);
            }
            None => {
                if let Some(act) = &open {
                    give(portfolio, &Act { list: part, ..*act });
                }
            }
        }
    }
}

fn act(part: &str) -> Option<Act<'_>> {
    let plain = |relation, of_fields, list| Some(Act { relation, assists: None, of_fields, list });
    if let Some(list) = part.strip_prefix("主持") {
        return plain(Relation::Presides, false, list);
    }
    for (verb, relation) in
        [("主管", Relation::Directs), ("分管", Relation::Directs), ("联系", Relation::Liaises)]
    {
        if let Some(list) = part.strip_prefix(verb) {
            // 分管单位:市甲局 and 分管:市甲局 are units; 分管教育、卫生健康工作 are fields.
            let labels = ["单位和部门:", "单位:", "部门:", ":"];
            let units = labels.iter().find_map(|label| list.strip_prefix(label));
            let of_fields = units.is_none() && list.ends_with("工作");
            return plain(relation, of_fields, units.unwrap_or(list));
        }
    }
    if let Some(list) = part.strip_prefix("负责") {
        return plain(Relation::Directs, true, list.trim_start_matches(':'));
    }
    let rest = part.strip_prefix("协助")?;
    let (at, verb) = ["分管", "联系", "负责", "处理", "抓好"]
        .iter()
        .filter_map(|verb| Some((rest.find(verb)?, *verb)))
        .min_by_key(|(at, _)| *at)?;
    let (whom, list) = (&rest[..at], &rest[at + verb.len()..]);
    let assists = (!whom.is_empty()).then_some(whom);
    let relation = if verb == "联系" { Relation::AssistsLiaising } else { Relation::AssistsDirecting };
    Some(Act { relation, assists, of_fields: !matches!(verb, "分管" | "联系"), list })
}

fn give(portfolio: &mut Portfolio, act: &Act<'_>) {
    if act.relation == Relation::Presides && act.list.contains("全面工作") {
        portfolio.presides = true;
        return;
    }
    let charge = |text: String, is_class| Charge {
        relation: act.relation,
        assists: act.assists.map(str::to_owned),
        subject: Party::named(text),
        is_class,
    };
    if act.of_fields {
        let fields = fields_of(act.list).unwrap_or_else(|| {
            names::pieces(act.list).into_iter().map(|field| field.trim().to_owned()).collect()
        });
        portfolio.fields.extend(fields.into_iter().map(|field| charge(field, false)));
        return;
    }
    let list = if act.relation == Relation::Presides {
        act.list.trim_end_matches("工作").trim_end_matches('的')
    } else {
        act.list
    };
    portfolio.units.extend(subjects(list).into_iter().map(|(text, is_class)| charge(text, is_class)));
}

/// The units and classes of a list. A class may have list marks in its name:
/// 中央、省驻临工业企业; 银行、保险、证券等驻临分支机构.
fn subjects(list: &str) -> Vec<(String, bool)> {
    let mut subjects: Vec<(String, bool)> = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for name in class_parts(list) {
        let is_class = is_class(&name);
        let of_list = name.find('等').is_some_and(|at| at + '等'.len_utf8() < name.len());
        if is_class || of_list {
            // The bare words before it belong to its name.
            let mut whole = name;
            while let Some(word) = words.pop() {
                whole = format!("{word}、{whole}");
            }
            subjects.push((whole, true));
        } else if name.chars().count() <= 2 {
            words.push(name);
        } else {
            subjects.extend(words.drain(..).map(|word| (word, false)));
            subjects.push((name, false));
        }
    }
    subjects.extend(words.into_iter().map(|word| (word, false)));
    subjects
}

/// As [`names::split`], but what follows 等 stays: it is the class.
fn class_parts(list: &str) -> Vec<String> {
    names::pieces(list)
        .into_iter()
        .flat_map(|piece| match piece.find('等') {
            Some(_) => vec![piece.to_owned()],
            None => names::split(piece),
        })
        .flat_map(|piece| split_before_class(&piece))
        .collect()
}

/// `甲分局和银行` before `、保险、证券等驻临分支机构`.
fn split_before_class(piece: &str) -> Vec<String> {
    match piece.split_once('和') {
        Some((before, after)) if names::ends_like_a_unit(before) && !after.is_empty() => {
            vec![before.to_owned(), after.to_owned()]
        }
        Some(_) | None => vec![piece.to_owned()],
    }
}

/// Whether a name says a class rather than a unit.
fn is_class(name: &str) -> bool {
    let of_many =
        ["企业", "机构", "部队", "院校", "单位", "组织", "银行"].iter().any(|ending| name.ends_with(ending));
    let open = ["中央", "省", "其他", "各", "有关"].iter().any(|opening| name.starts_with(opening));
    name.ends_with("企业") || (of_many && (open || name.contains('驻') || name.contains('等')))
}

/// Whether a text has portfolios in it.
pub(crate) fn is_division(lines: &[Line], says_so: bool) -> bool {
    let headings =
        lines.iter().filter(|line| heading(line, says_so).is_some_and(|(name, ..)| is_person(&name)));
    headings.count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines().zip(1..).map(|(text, number)| Line { number, text: text.to_owned() }).collect()
    }

    fn of(text: &str) -> (Vec<Portfolio>, Vec<Pair>) {
        read(&lines(text), false, &Pairs::new().unwrap())
    }

    #[test]
    fn a_portfolio_is_read_in_its_relations() {
        let (portfolios, _) = of(
            "现通知如下:\n赵甲乙市长:主持市人民政府全面工作,负责审计方面的工作。\n分管市审计局。\n\
             钱丙副市长:负责发展改革、统\n计等方面的工作。\n主管市公安局。\n分管市发展和改革委员会(市粮食\n局)、市文化和旅游局。\n\
             协助市长联系市审计局。\n联系市档案局,某某军分区、武警某某支队及其他驻某部队,中央、省驻某工业企业、通信企业,\
             某某分局和银行、保险、证券等驻某分支机构。\n协助赵甲乙市长负责专项债券等资金争取方面的工作,协助分管市项目中心。\n完成市长交办的其他工作。",
        );
        assert_eq!(portfolios.len(), 2);
        assert!(portfolios[0].presides);
        let deputy = &portfolios[1];
        let fields: Vec<_> =
            deputy.fields.iter().map(|one| (one.relation, one.subject.text.as_str())).collect();
        assert_eq!(
            fields,
            [
                (Relation::Directs, "发展改革"),
                (Relation::Directs, "统计"),
                (Relation::AssistsDirecting, "专项债券等资金争取"),
            ]
        );
        let units: Vec<_> =
            deputy.units.iter().map(|one| (one.relation, one.subject.text.as_str(), one.is_class)).collect();
        assert_eq!(
            units,
            [
                (Relation::Directs, "市公安局", false),
                (Relation::Directs, "市发展和改革委员会(市粮食局)", false),
                (Relation::Directs, "市文化和旅游局", false),
                (Relation::AssistsLiaising, "市审计局", false),
                (Relation::Liaises, "市档案局", false),
                (Relation::Liaises, "某某军分区", false),
                (Relation::Liaises, "武警某某支队", false),
                (Relation::Liaises, "其他驻某部队", true),
                (Relation::Liaises, "中央、省驻某工业企业", true),
                (Relation::Liaises, "通信企业", true),
                (Relation::Liaises, "某某分局", false),
                (Relation::Liaises, "银行、保险、证券等驻某分支机构", true),
                (Relation::AssistsDirecting, "市项目中心", false),
            ]
        );
    }

    #[test]
    fn headings_of_a_division_of_work_have_many_forms() {
        for text in [
            "赵 甲 县委副书记、县长\n主持县政府全面工作。\n孙丁戊 副县长\n负责水利等工作。\n分管:县甲局、县乙局。\n联系:县丙局。\n县政府领导实行AB角工作制:赵甲与孙丁戊互为A、B角;孙丁戊的A、B角由县长临时指定。",
            "一、赵甲同志\n主持县政府全面工作。\n二、孙丁戊同志\n分管水利工作。\n分管单位:县甲局、县乙局。\n联系单位:县丙局。\nAB岗:赵甲↔孙丁戊,孙丁戊副县长根据工作需要,临时确定其对应的B角",
            "赵甲(县委副书记、县长):主持县政府全面工作。\n副县长孙丁戊:负责水利工作。分管县甲局、县乙局。联系县丙局。\n实行AB角:赵甲同志与孙丁戊同志互为AB角,孙丁戊同志的B角由县长临时指定",
            "县长赵甲主持县政府全面工作。\n孙丁戊同志负责水利工作。分管县甲局、县乙局。联系县丙局。\nAB角:赵甲和孙丁戊互为AB角,孙丁戊的B角由县长另行临时指定",
        ] {
            assert!(is_division(&lines(text), true) && !is_division(&lines(text), false), "{text}");
            let (portfolios, pairs) = read(&lines(text), true, &Pairs::new().unwrap());
            let leaders: Vec<_> = portfolios.iter().map(|one| (one.leader.as_str(), one.presides)).collect();
            assert_eq!(leaders, [("赵甲", true), ("孙丁戊", false)], "{text}");
            let of = |charges: &[Charge]| {
                charges.iter().map(|one| (one.relation, one.subject.text.clone())).collect::<Vec<_>>()
            };
            let [directs, liaises] = [Relation::Directs, Relation::Liaises];
            assert_eq!(of(&portfolios[1].fields), [(directs, "水利".to_owned())], "{text}");
            let units = [(directs, "县甲局"), (directs, "县乙局"), (liaises, "县丙局")];
            assert_eq!(
                of(&portfolios[1].units),
                units.map(|(relation, unit)| (relation, unit.to_owned())),
                "{text}"
            );
            let pairs: Vec<_> =
                pairs.iter().map(|pair| (pair.leader.as_str(), pair.stand_in.as_deref())).collect();
            assert_eq!(pairs, [("赵甲", Some("孙丁戊")), ("孙丁戊", None)], "{text}");
        }
    }

    #[test]
    fn stand_ins_are_read() {
        let (_, pairs) = of(
            "赵甲市长:主持全面工作。\n钱乙副市长:负责统计方面的工作。\n具体 AB\n角安排如下:钱乙常务副市长与孙丙丁副市长互为 AB 角,\
             李戊副市长的B角为周己副市长,吴庚辛副市长根据工作需要,临时确定其对应的 B 角领导。",
        );
        let read: Vec<_> =
            pairs.iter().map(|pair| (pair.leader.as_str(), pair.stand_in.as_deref(), pair.mutual)).collect();
        assert_eq!(
            read,
            [("钱乙", Some("孙丙丁"), true), ("李戊", Some("周己"), false), ("吴庚辛", None, false)]
        );
    }
}
