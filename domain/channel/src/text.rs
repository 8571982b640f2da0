//! What is written to officials on a channel: plain text, in the words of the message in the inbox.
//!
//! A restricted task is called by its number alone in there already, so nothing is said here that an
//! inbox would not say. Nothing can be signed for by answering: the text sends its reader to the inbox.

use domain_notification::{Ending, NoticeKind};

/// Longest short text, in UTF-16 units: more is sent, and paid for, as two (3GPP TS 23.040, 9.2.3.24).
pub const SHORT: usize = 70;
/// Longest subject, in characters.
const SUBJECT: usize = 120;
/// What a text that was cut ends with.
const CUT: char = '…';

/// A message in an inbox, as far as it is told on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    /// What it is about.
    pub kind: NoticeKind,
    /// One line, in Chinese.
    pub title: &'a str,
    /// In Chinese.
    pub body: &'a str,
    /// Its number in the inbox.
    pub number: i64,
    /// In which capacity its reader gets it.
    pub capacity: &'a str,
    /// It must be signed for.
    pub to_sign: bool,
}

/// What was told, and is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack<'a> {
    /// Of the message.
    pub title: &'a str,
    /// Its number in the inbox.
    pub number: i64,
    /// How what it asked ended.
    pub ending: Ending,
}

/// A text for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// Lines of plain text.
    pub body: String,
    /// All that fits into one short message.
    pub short: String,
}

impl Told<'_> {
    /// As it is sent.
    pub fn text(&self) -> Text {
        let title = line(self.title);
        let closing = if self.to_sign {
            format!("请登录协同系统，在收件箱第{}号通知中签收。", self.number)
        } else {
            format!("详情请登录协同系统，查看收件箱第{}号通知。", self.number)
        };
        let capacity = match self.capacity {
            "" => String::new(),
            capacity => format!("（您以“{}”的身份收到本通知）\n", line(capacity)),
        };
        Text {
            subject: cut(&format!("【{}】{title}", self.kind.chinese()), SUBJECT, characters),
            body: format!(
                "{}\n\n{capacity}{closing}\n本邮件由系统自动发送，请勿回复。\n",
                self.body.trim_end()
            ),
            short: short(&title, self.number, if self.to_sign { "，请签收" } else { "" }),
        }
    }
}

impl TakenBack<'_> {
    /// As it is sent.
    pub fn text(&self) -> Text {
        let title = line(self.title);
        let (word, then) = over(self.ending);
        Text {
            subject: cut(&format!("【{word}】{title}"), SUBJECT, characters),
            body: format!(
                "此前发送的收件箱第{}号通知《{title}》：{}，{then}。\n\n本邮件由系统自动发送，请勿回复。\n",
                self.number,
                self.ending.chinese()
            ),
            short: short(&title, self.number, &format!("，{word}，{then}")),
        }
    }
}

/// Whether whoever was told is also told that it is over. Whose unit has signed for it knows it:
/// he is not written to for what he has just done.
pub const fn is_followed_up(ending: Ending) -> bool {
    match ending {
        Ending::Signed | Ending::InstructionSigned => false,
        Ending::Submitted
        | Ending::Returned
        | Ending::Suspended
        | Ending::Reassigned
        | Ending::PartStruckOff
        | Ending::StruckOff
        | Ending::Withdrawn => true,
    }
}

/// What has become of it, and what its reader need not do any more.
const fn over(ending: Ending) -> (&'static str, &'static str) {
    match ending {
        Ending::Signed | Ending::InstructionSigned => ("已签收", "无需再办"),
        Ending::Submitted => ("已申请办结", "无需再办"),
        Ending::PartStruckOff | Ending::StruckOff => ("已办结", "无需再办"),
        Ending::Returned => ("已退回", "请等待督查机构决定"),
        Ending::Suspended => ("已挂账", "暂不需办理"),
        Ending::Reassigned => ("已改派", "无需再办"),
        Ending::Withdrawn => ("已撤销", "无需再办"),
    }
}

/// A title with what belongs behind it, within [`SHORT`].
fn short(title: &str, number: i64, rest: &str) -> String {
    let rest = format!("（收件箱第{number}号{rest}）");
    let room = SHORT.saturating_sub(units(&rest));
    format!("{}{rest}", cut(title, room, units))
}

/// Without the ends of lines and other control characters, which no subject has.
fn line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect::<String>().trim().to_owned()
}

/// The beginning of a text, where the whole is longer than it may be by some measure.
fn cut(text: &str, longest: usize, measure: fn(&str) -> usize) -> String {
    if measure(text) <= longest {
        return text.to_owned();
    }
    let mut kept = String::new();
    for one in text.chars() {
        let mut longer = kept.clone();
        longer.push(one);
        longer.push(CUT);
        if measure(&longer) > longest {
            break;
        }
        kept.push(one);
    }
    kept.push(CUT);
    kept
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(title: &str) -> Told<'_> {
        Told {
            kind: NoticeKind::Urging,
            title,
            body: "第148号《整治城区积水点》已超过办理期限，请抓紧办理。",
            number: 7,
            capacity: "联络员",
            to_sign: true,
        }
    }

    #[test]
    fn a_notice_says_what_the_inbox_says_and_where_to_sign() {
        let text = told("催办：第148号《整治城区积水点》").text();
        assert_eq!(text.subject, "【催办】催办：第148号《整治城区积水点》");
        assert_eq!(
            text.body,
            "第148号《整治城区积水点》已超过办理期限，请抓紧办理。\n\n（您以“联络员”的身份收到本通知）\n\
             请登录协同系统，在收件箱第7号通知中签收。\n本邮件由系统自动发送，请勿回复。\n"
        );
        assert_eq!(text.short, "催办：第148号《整治城区积水点》（收件箱第7号，请签收）");
        let read = Told { to_sign: false, capacity: "", ..told("进展") }.text();
        assert!(read.body.contains("\n\n详情请登录协同系统，查看收件箱第7号通知。"), "{}", read.body);
        assert_eq!(read.short, "进展（收件箱第7号）");
    }

    #[test]
    fn what_is_over_is_told_shortly_with_its_reason() {
        let over = |ending| TakenBack { title: "催办：第148号", number: 7, ending }.text();
        assert_eq!(over(Ending::StruckOff).short, "催办：第148号（收件箱第7号，已办结，无需再办）");
        let withdrawn = over(Ending::Withdrawn);
        assert_eq!(withdrawn.subject, "【已撤销】催办：第148号");
        assert!(
            withdrawn
                .body
                .starts_with("此前发送的收件箱第7号通知《催办：第148号》：该任务已撤销，无需再办。")
        );
    }

    #[test]
    fn nobody_is_written_to_for_his_own_signature() {
        let silent: Vec<Ending> = Ending::ALL.into_iter().filter(|one| !is_followed_up(*one)).collect();
        assert_eq!(silent, [Ending::Signed, Ending::InstructionSigned]);
    }

    #[test]
    fn a_subject_is_one_line() {
        let text = told("题目\r\nBcc: other@example.gov.cn\u{0}").text();
        assert_eq!(text.subject, "【催办】题目  Bcc: other@example.gov.cn");
    }

    proptest! {
        #[test]
        fn short_texts_are_short_and_end_whole(
            title in "\\PC{0,120}",
            number in 1_i64..10_000_000,
            ending in 0_usize..9,
            to_sign: bool,
        ) {
            let notice = Told { number, to_sign, ..told(&title) }.text();
            let over = TakenBack { title: &title, number, ending: Ending::ALL[ending] }.text();
            for text in [notice, over] {
                prop_assert!(units(&text.short) <= SHORT, "{}", text.short);
                let numbered = format!("（收件箱第{}号", number);
                prop_assert!(text.short.ends_with('）') && text.short.contains(&numbered));
                prop_assert!(characters(&text.subject) <= SUBJECT);
                prop_assert!(!text.subject.contains(['\r', '\n']) && !text.short.contains(['\r', '\n']));
            }
        }
    }
}
