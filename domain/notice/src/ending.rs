//! What stands at the end of an item: its clause, and its tags.

use crate::clause::{Clause, LABELS, Role};
use crate::ordinal::chinese;

/// Takes a clause off the end of a text: in brackets, or after a label. What is left comes
/// first. Tags in brackets after the clause are stepped over and stay.
pub(crate) fn split_off(text: &str) -> (String, Option<Clause>) {
    // (责任单位:甲)完成时限:9月底前
    let times = LABELS.iter().filter(|(_, role)| *role == Role::Time);
    let time =
        times.filter_map(|(label, _)| text.rfind(&format!("){label}:")).map(|at| (at, label.len()))).min();
    if let Some((at, label)) = time {
        let (text, clause) = split_off_last(&text[..=at], &text[at + label + 2..]);
        if clause.is_some() {
            return (text, clause);
        }
    }
    split_off_last(text, "")
}

fn split_off_last(text: &str, time: &str) -> (String, Option<Clause>) {
    let (text, clause) = split_off_end(text);
    let time = time.trim_end_matches('。');
    let with_time = |clause: Clause| Clause {
        time: clause.time.clone().or_else(|| (!time.is_empty()).then(|| time.to_owned())),
        ..clause
    };
    (text, clause.map(with_time))
}

fn split_off_end(text: &str) -> (String, Option<Clause>) {
    let mut tail = Vec::new();
    let mut head = text.trim_end();
    loop {
        let body = head.trim_end_matches(['。', ' ', ';']);
        let Some((open, inner)) = last_brackets(body) else { break };
        if let Some(clause) = Clause::of(inner).or_else(|| Clause::bare(inner)) {
            tail.reverse();
            let rest = body[..open].trim_end();
            return (format!("{rest}{}", tail.concat()), Some(clause));
        }
        if !ends_a_tag(inner) {
            break;
        }
        tail.push(&head[open..]);
        head = &body[..open];
    }
    // Without brackets: 牵头单位:甲。配合单位:乙。
    let label = LABELS
        .iter()
        .filter(|(label, _)| label.chars().count() > 2)
        .filter_map(|(label, _)| text.find(&format!("{label}:")))
        .min();
    if let Some(at) = label
        && let Some(clause) = Clause::of(&text[at..])
    {
        return (text[..at].trim_end().to_owned(), Some(clause));
    }
    // Nor a label: 整治问题管网。由市甲局牵头,市乙局参与。
    let body = text.trim_end_matches('。');
    if let Some(at) = body.rfind('。').map(|at| at + '。'.len_utf8())
        && let Some(clause) = Clause::of(&body[at..]).filter(Clause::names_units)
    {
        return (body[..at].to_owned(), Some(clause));
    }
    (text.to_owned(), None)
}

/// Where the brackets open that a text ends with, and what stands in them: (…), […] or 【…】.
fn last_brackets(text: &str) -> Option<(usize, &str)> {
    let close = text.chars().next_back().filter(|last| [')', ']', '】'].contains(last))?;
    let mut depth = 0_usize;
    for (at, character) in text.char_indices().rev() {
        match character {
            ')' | ']' | '】' => depth += 1,
            '(' | '[' | '【' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some((at, &text[at + character.len_utf8()..text.len() - close.len_utf8()]));
                }
            }
            _ => {}
        }
    }
    None
}

/// 之一, and 之四 for the fourth of them.
fn ends_a_tag(inner: &str) -> bool {
    inner.rsplit_once('之').is_some_and(|(name, which)| !name.is_empty() && chinese(which).is_some())
}

/// No item has more tags.
const MOST_TAGS: usize = 20;

/// Takes the tags out of a text: `(省政府12件民生实事之一)`.
pub(crate) fn split_tags(text: &str) -> (String, Vec<String>) {
    let (mut rest, mut tags) = (String::with_capacity(text.len()), Vec::new());
    let mut text = text;
    while let Some(open) = text.find(['(', '【']) {
        let after = open + if text[open..].starts_with('(') { 1 } else { '【'.len_utf8() };
        let inner = text[after..].split([')', '(', '】', '【']).next().unwrap_or_default();
        let close = after + inner.len();
        let closing = text[close..].chars().next().filter(|one| [')', '】'].contains(one));
        let is_tag = ends_a_tag(inner) && inner.chars().count() <= 60 && tags.len() < MOST_TAGS;
        if let Some(closing) = closing.filter(|_| is_tag) {
            rest.push_str(&text[..open]);
            let names = inner.split([',', '、', ';']);
            tags.extend(names.map(|name| name.rsplit_once('之').map_or(name, |(tag, _)| tag).to_owned()));
            text = &text[close + closing.len_utf8()..];
        } else {
            rest.push_str(&text[..close]);
            text = &text[close..];
        }
    }
    rest.push_str(text);
    (rest, tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_taken_off_the_end() {
        let (text, found) = split_off("推进改造(含医院)。(市甲局牵头)(省政府12件民生实事之一)。");
        assert_eq!(text, "推进改造(含医院)。(省政府12件民生实事之一)。");
        assert_eq!(found.unwrap().lead, ["市甲局"]);
        let (text, found) = split_off("推进改造。牵头单位:市甲局。责任单位:各县市区人民政府。");
        assert_eq!((text.as_str(), found.unwrap().responsible.len()), ("推进改造。", 1));
        for text in
            ["推进改造。【责任单位:市甲局】", "推进改造。[责任单位:市甲局]", "推进改造。责任单位:市甲局"]
        {
            let (text, found) = split_off(text);
            assert_eq!(
                (text.as_str(), found.unwrap().responsible),
                ("推进改造。", vec!["市甲局".to_owned()])
            );
        }
        assert_eq!(split_off("推进改造(二期)。").1, None);
        assert_eq!(
            split_tags("免费送戏(省政府12件民生实事之一)。"),
            ("免费送戏。".to_owned(), vec!["省政府12件民生实事".to_owned()])
        );
        let (text, tags) = split_tags("免费(公益)送戏【省12件民生实事之一】(市6件民生实事之四)。(二期)");
        assert_eq!(
            (text.as_str(), tags.join("|").as_str()),
            ("免费(公益)送戏。(二期)", "省12件民生实事|市6件民生实事")
        );
    }
}
