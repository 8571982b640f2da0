//! Words to be searched by: how texts and what is looked for are made comparable.
//!
//! A text is found by a term when it contains it, both [`folded`]. An index holds the [`grams`] of
//! a text; a text that contains a term has all the grams of the term, so the index names every text
//! that may contain it, and the text itself decides.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// Between fields of a searched text: no term contains it, so none is found across two fields.
pub const FIELD_END: char = '\n';

/// Most terms of a query; further ones are not looked for.
const MOST_TERMS: usize = 20;

/// A text as it is compared: compatibility forms are one (NFKC), and so are small and capital
/// letters and the kinds of brackets (〔2023〕, [2023], （2023）); spaces and what is not printed
/// are left out, because texts are broken into lines at will.
pub fn folded(text: &str) -> String {
    let small = text.nfkc().flat_map(char::to_lowercase);
    // What was apart may be one character now.
    small.filter(|one| !one.is_whitespace() && !one.is_control()).nfkc().map(bracket).collect()
}

fn bracket(one: char) -> char {
    match one {
        '〔' | '[' | '【' | '〖' | '{' => '(',
        '〕' | ']' | '】' | '〗' | '}' => ')',
        other => other,
    }
}

/// What is looked for: terms, all of which must occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchTerms(Vec<String>);

impl SearchTerms {
    /// The terms of a query, which spaces part; none when there is nothing to look for.
    pub fn of(query: &str) -> Option<Self> {
        let mut seen = BTreeSet::new();
        let terms = query.split_whitespace().map(folded).filter(|term| !term.is_empty());
        let terms: Vec<String> = terms.filter(|term| seen.insert(term.clone())).take(MOST_TERMS).collect();
        (!terms.is_empty()).then_some(SearchTerms(terms))
    }

    /// Each of them, folded.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The ledger number that is looked for, if that is all: 198, 第198号, 台账198号, 台账编号198.
    pub fn ledger_number(&self) -> Option<i64> {
        let [term] = self.0.as_slice() else { return None };
        let said = term.strip_prefix("台账").unwrap_or(term);
        let said = said.strip_prefix("编号").unwrap_or(said);
        let said = said.strip_prefix('第').unwrap_or(said);
        let said = said.strip_suffix('号').unwrap_or(said);
        said.bytes().all(|byte| byte.is_ascii_digit()).then(|| said.parse().ok()).flatten()
    }

    /// The grams that a text which contains all of them has, at the least.
    pub fn grams(&self) -> BTreeSet<i32> {
        let mut grams = BTreeSet::new();
        for term in &self.0 {
            let chars: Vec<char> = term.chars().collect();
            if let [one] = chars.as_slice() {
                grams.insert(gram(&[*one]));
            }
            grams.extend(chars.windows(2).map(gram));
        }
        grams
    }

    /// Whether a text made by [`searchable`] contains all of them.
    pub fn occur_in(&self, searchable: &str) -> bool {
        self.0.iter().all(|term| searchable.contains(term.as_str()))
    }
}

/// What is searched of these fields: at most `most` characters.
pub fn searchable<'a>(fields: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut text = String::new();
    let mut left = most;
    for field in fields {
        let folded: String = folded(field).chars().take(left).collect();
        if folded.is_empty() {
            continue;
        }
        left -= folded.chars().count();
        text.push_str(&folded);
        text.push(FIELD_END);
    }
    text
}

/// The characters of a text made by [`searchable`] and their neighbours, as numbers. Two of them
/// may share a number.
pub fn grams(searchable: &str) -> BTreeSet<i32> {
    let mut grams = BTreeSet::new();
    for field in searchable.split(FIELD_END) {
        let chars: Vec<char> = field.chars().collect();
        grams.extend(chars.iter().map(|one| gram(&[*one])));
        grams.extend(chars.windows(2).map(gram));
    }
    grams
}

/// FNV-1a over the characters. It is stored: it must never change.
fn gram(chars: &[char]) -> i32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = chars.iter().flat_map(|one| u32::from(*one).to_le_bytes()).fold(0x811c_9dc5_u32, step);
    i32::from_le_bytes(hash.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn finds(query: &str, fields: &[&str]) -> bool {
        let text = searchable(fields.iter().copied(), 1_000);
        let terms = SearchTerms::of(query).unwrap();
        let found = terms.occur_in(&text);
        if found {
            assert!(terms.grams().is_subset(&grams(&text)), "{query} in {fields:?}");
        }
        found
    }

    #[test]
    fn what_officials_write_differently_is_found() {
        let text = ["推进“一泓清水入黄河”工程", "临政办发〔2023〕8号", "改造 1.2\n万户，接入ＰＰＰ项目"];
        for query in [
            "水",
            "清水",
            "一泓清水入黄河",
            "临政办发[2023]8号",
            "临政办发（2023）8号",
            "〔2023〕",
            "1.2万户",
            "ppp",
            "PPP 黄河",
            "8号　清水",
            "改造1.2",
        ] {
            assert!(finds(query, &text), "{query}");
        }
        for query in ["清水黄河", "工程临政办发", "2024", "水 火", "黄河水"] {
            assert!(!finds(query, &text), "{query}");
        }
    }

    #[test]
    fn nothing_to_look_for_is_no_query() {
        for query in ["", "  ", "\u{3000}\n", "\u{1}"] {
            assert_eq!(SearchTerms::of(query), None);
        }
        assert_eq!(SearchTerms::of("水 水 Ａ a").unwrap().terms().collect::<Vec<_>>(), ["水", "a"]);
    }

    #[test]
    fn a_text_is_cut_at_its_bound() {
        assert_eq!(searchable(["一二三", "四五"], 4), "一二三\n四\n");
        assert_eq!(searchable(["一二三", "四五"], 3), "一二三\n");
    }

    #[test]
    fn stored_numbers_stay_what_they_are() {
        assert_eq!(gram(&['水', '利']), -835_809_774);
    }

    proptest! {
        #[test]
        fn a_text_is_found_by_each_of_its_parts(
            text in "[水利治理工程〔〕（）A-z0-9 ，。]{1,40}",
            from in 0..40_usize,
            length in 1..20_usize,
        ) {
            let part: String = text.chars().skip(from).take(length).collect();
            let kept = searchable([text.as_str()], 1_000);
            if let Some(terms) = SearchTerms::of(&part) {
                prop_assert!(terms.occur_in(&kept), "{part} in {kept}");
                prop_assert!(terms.grams().is_subset(&grams(&kept)));
            }
        }

        #[test]
        fn folding_what_is_folded_changes_nothing(text in any::<String>()) {
            let once = folded(&text);
            prop_assert_eq!(&folded(&once), &once);
        }
    }
}
