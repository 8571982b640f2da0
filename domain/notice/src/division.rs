//! A division of work: 王渊常务副市长:负责…方面的工作。分管…。联系…。

use regex::Regex;

use crate::headings::{fields_of, is_person, person_and_post};
use crate::names;
use crate::notice::{Charge, Pair, Party, Portfolio, Relation};
use crate::text::{Line, join, squeeze};

/// Finds who stands in for whom.
#[derive(Debug)]
pub(crate) struct Pairs {
    mutual: Regex,
    one_way: Regex,
    each_time: Regex,
}

const POST: &str = "(?:常务副|副)?(?:市长|县长|区长|秘书长)";

impl Pairs {
    pub(crate) fn new() -> Result<Self, regex::Error> {
        Ok(Pairs {
            mutual: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?){POST}?(?:与|和)(\p{{Han}}{{2,4}}?){POST}?互为AB角"
            ))?,
            one_way: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?){POST}?的B角(?:为|是)(\p{{Han}}{{2,4}}?)(?:{POST}|同志|[,;。]|$)"
            ))?,
            each_time: Regex::new(&format!(
                r"(?:^|[:,;。、])(\p{{Han}}{{2,4}}?){POST}(?:根据工作需要,?)?临时确定"
            ))?,
        })
    }

    fn read(&self, lines: &[Line]) -> Vec<Pair> {
        let text = join(lines);
        let line = lines
            .iter()
            .find(|line| line.text.contains("AB") || line.text.contains("B角") || line.text.contains("B 角"))
            .map_or(0, |line| line.number);
        let pair = |leader: &str, stand_in: Option<&str>, mutual| Pair {
            leader: leader.to_owned(),
            stand_in: stand_in.map(str::to_owned),
            mutual,
            line,
        };
        let mutual = self.mutual.captures_iter(&text).map(|found| pair(&found[1], Some(&found[2]), true));
        let one_way = self.one_way.captures_iter(&text).map(|found| pair(&found[1], Some(&found[2]), false));
        let each_time = self.each_time.captures_iter(&text).map(|found| pair(&found[1], None, false));
        mutual.chain(one_way).chain(each_time).collect()
    }
}

/// The portfolios and pairs of a letter.
pub(crate) fn read(lines: &[Line], pairs: &Pairs) -> (Vec<Portfolio>, Vec<Pair>) {
    let starts: Vec<usize> = (0..lines.len()).filter(|at| heading(&lines[*at]).is_some()).collect();
    let end = lines
        .iter()
        .position(|line| {
            let text = squeeze(&line.text);
            text.contains("AB角") || text.contains("议事协调机构") || text.starts_with("为加强配合")
        })
        .filter(|end| starts.last().is_none_or(|last| end > last))
        .unwrap_or(lines.len());
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([end]).collect();
    let portfolios = starts.iter().zip(ends).filter_map(|(from, to)| portfolio(&lines[*from..to]));
    (portfolios.collect(), pairs.read(&lines[end..]))
}

/// `王渊常务副市长:` at the head of a line, and what follows the colon.
fn heading(line: &Line) -> Option<(String, String, String)> {
    let text = squeeze(&line.text);
    let (who, rest) = text.split_once(':')?;
    let (name, post) = person_and_post(who.trim_end_matches("同志"))?;
    Some((name, post, rest.to_owned()))
}

fn portfolio(lines: &[Line]) -> Option<Portfolio> {
    let (first, others) = lines.split_first()?;
    let (leader, post, rest) = heading(first)?;
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
    for verb in ["主管", "分管"] {
        if let Some(list) = part.strip_prefix(verb) {
            return plain(Relation::Directs, false, list);
        }
    }
    if let Some(list) = part.strip_prefix("联系") {
        return plain(Relation::Liaises, false, list);
    }
    if let Some(list) = part.strip_prefix("负责") {
        return plain(Relation::Directs, true, list);
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
        ["企业", "机构", "部队", "院校", "单位", "组织"].iter().any(|ending| name.ends_with(ending));
    let open = ["中央", "省", "其他", "各", "有关"].iter().any(|opening| name.starts_with(opening));
    name.ends_with("企业") || (of_many && (open || name.contains('驻') || name.contains('等')))
}

/// Whether a text has portfolios in it.
pub(crate) fn is_division(lines: &[Line]) -> bool {
    lines.iter().filter(|line| heading(line).is_some_and(|(name, ..)| is_person(&name))).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines().zip(1..).map(|(text, number)| Line { number, text: text.to_owned() }).collect()
    }

    fn of(text: &str) -> (Vec<Portfolio>, Vec<Pair>) {
        read(&lines(text), &Pairs::new().unwrap())
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
