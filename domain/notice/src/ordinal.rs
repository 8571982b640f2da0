//! Numbers at the head of a line: 一、 (一) 1. (1) ① 2.1.1

/// How a block is numbered, the outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// 一、
    Chapter,
    /// (一)
    Section,
    /// 1.
    Item,
    /// (1)
    Point,
    /// ①
    Circle,
}

/// A number at the head of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marker<'a> {
    pub(crate) level: Level,
    pub(crate) ordinal: u32,
    /// As it is printed, without what only sets it off: `(一)`, `1`.
    pub(crate) label: &'a str,
    /// The rest of the line.
    pub(crate) rest: &'a str,
    /// A digit follows: it may be a number with a fraction, such as `4. 3 米`.
    pub(crate) may_be_fraction: bool,
}

/// The marker at the head of a line that has been folded.
pub(crate) fn marker(line: &str) -> Option<Marker<'_>> {
    bracketed(line).or_else(|| plain(line)).or_else(|| circled(line))
}

fn bracketed(line: &str) -> Option<Marker<'_>> {
    let (inner, rest) = line.strip_prefix('(')?.split_once(')')?;
    let label = &line[..line.len() - rest.len()];
    let inner = inner.trim();
    let (level, ordinal) = match chinese(inner) {
        Some(ordinal) => (Level::Section, ordinal),
        None => (Level::Point, arabic(inner)?),
    };
    Some(Marker { level, ordinal, label, rest: rest.trim_start(), may_be_fraction: false })
}

fn plain(line: &str) -> Option<Marker<'_>> {
    let end = line.find(['、', '.', ' '])?;
    let (label, rest) = line.split_at(end);
    let mut after = rest.chars();
    let separator = after.next()?;
    if let Some(ordinal) = chinese(label) {
        return (separator == '、').then(|| Marker {
            level: Level::Chapter,
            ordinal,
            label,
            rest: after.as_str().trim_start(),
            may_be_fraction: false,
        });
    }
    // `12 .` is set so by some extractors.
    let rest = match separator {
        ' ' => rest.trim_start().strip_prefix('.')?,
        _ => after.as_str(),
    };
    let rest = rest.trim_start();
    let may_be_fraction = separator != '、' && rest.starts_with(|next: char| next.is_ascii_digit());
    Some(Marker { level: Level::Item, ordinal: arabic(label)?, label, rest, may_be_fraction })
}

fn circled(line: &str) -> Option<Marker<'_>> {
    let first = line.chars().next()?;
    let ordinal = u32::from(first).checked_sub(u32::from('①')).filter(|distance| *distance < 20)? + 1;
    let (label, rest) = line.split_at(first.len_utf8());
    Some(Marker { level: Level::Circle, ordinal, label, rest: rest.trim_start(), may_be_fraction: false })
}

/// The depth and label of a heading such as `2.1.1 市防指组织机构`, and the heading. One without
/// a point, such as `3 预防`, counts when a gap follows it.
pub(crate) fn dotted(line: &str) -> Option<(usize, String, &str)> {
    let mut parts = Vec::new();
    let mut rest = line;
    loop {
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        if digits.is_empty() || digits.len() > 2 {
            return None;
        }
        parts.push(digits);
        match after.trim_start().strip_prefix('.') {
            Some(next) if next.trim_start().starts_with(|next: char| next.is_ascii_digit()) => {
                rest = next.trim_start();
            }
            Some(_) => return None,
            None => {
                let heading = after.trim_start();
                let gap = after.starts_with(' ') || parts.len() > 1;
                let named = heading.starts_with(|first: char| !first.is_ascii() && first.is_alphabetic());
                return (gap && named).then(|| (parts.len(), parts.join("."), heading));
            }
        }
    }
}

fn arabic(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|number| *number > 0)
}

/// A number from 1 to 999 in Chinese: 九, 十二, 三十八, 一百九十五.
pub(crate) fn chinese(text: &str) -> Option<u32> {
    let mut total = 0;
    let mut digit = None;
    let mut largest = 1_000;
    for character in text.chars() {
        let unit = match character {
            '十' => 10,
            '百' => 100,
            '零' | '〇' if total > 0 && digit.is_none() => continue,
            other => {
                let value = "一二三四五六七八九".chars().zip(1..).find(|(one, _)| *one == other)?.1;
                if digit.replace(value).is_some() {
                    return None;
                }
                continue;
            }
        };
        if unit >= largest {
            return None;
        }
        largest = unit;
        total += digit.take().unwrap_or(1) * unit;
    }
    total += digit.unwrap_or(0);
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_numbers_are_read() {
        for (text, number) in [
            ("一", Some(1)),
            ("十", Some(10)),
            ("十二", Some(12)),
            ("二十", Some(20)),
            ("三十八", Some(38)),
            ("一百零五", Some(105)),
            ("一百九十五", Some(195)),
            ("", None),
            ("一二", None),
            ("十百", None),
            ("市", None),
        ] {
            assert_eq!(chinese(text), number, "{text}");
        }
    }

    #[test]
    fn each_kind_of_number_has_its_level() {
        for (line, level, ordinal, rest) in [
            ("一、总体要求", Level::Chapter, 1, "总体要求"),
            ("(三十八)市红十字会", Level::Section, 38, "市红十字会"),
            ("195. 在人流密集", Level::Item, 195, "在人流密集"),
            ("12 . 分类", Level::Item, 12, "分类"),
            ("3、分类", Level::Item, 3, "分类"),
            ("(12)市教育局:", Level::Point, 12, "市教育局:"),
            ("③当水库", Level::Circle, 3, "当水库"),
        ] {
            let found = marker(line).unwrap();
            assert_eq!((found.level, found.ordinal, found.rest), (level, ordinal, rest), "{line}");
        }
    }

    #[test]
    fn numbers_inside_sentences_are_none() {
        assert!(marker("4. 3 米限制类").unwrap().may_be_fraction);
        for line in ["12 件民生实事之一)", "2023 年", "(2023 年)", "100%。", "(含医院)", "、", ""]
        {
            assert_eq!(marker(line), None, "{line}");
        }
    }

    #[test]
    fn dotted_headings_are_read() {
        assert_eq!(dotted("2. 1. 1 市防指组织机构"), Some((3, "2.1.1".to_owned(), "市防指组织机构")));
        assert_eq!(dotted("3 预防和预警机制"), Some((1, "3".to_owned(), "预防和预警机制")));
        for line in ["1. 大兴", "30 分钟", "2023 年", "7 时前"] {
            assert!(dotted(line).is_none_or(|(depth, ..)| depth == 1), "{line}");
        }
    }
}
