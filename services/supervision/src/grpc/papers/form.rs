//! [`Form`]: what the files of papers are made of, whatever kind of sheet it is.

use domain_supervision::{Block, Cover, Paper};
use time::Date;

/// The parts of a sheet in the form of official papers.
pub(in crate::grpc) struct Form<'a> {
    /// What stands at the head of the first page.
    pub(super) head: String,
    /// What stands below it: a paper's number.
    pub(super) number: String,
    /// 标题.
    pub(super) title: &'a str,
    /// 主送机关, if it goes to somebody.
    pub(super) addressee: Option<&'a str>,
    /// 正文.
    pub(super) body: &'a [Block],
    /// 署名.
    pub(super) signed: &'a str,
    /// 成文日期, Asia/Shanghai; none where the signature says it.
    pub(super) day: Option<Date>,
}

impl<'a> Form<'a> {
    /// Of a paper.
    pub(in crate::grpc) fn of(paper: &'a Paper) -> Self {
        Form {
            head: paper.head(),
            number: paper.printed_number(),
            title: &paper.title,
            addressee: Some(&paper.addressee),
            body: &paper.body,
            signed: &paper.signed,
            day: Some(paper.day),
        }
    }

    /// Of a cover sheet.
    pub(in crate::grpc) fn of_cover(cover: &'a Cover) -> Self {
        Form {
            head: "督办卷宗".to_owned(),
            number: cover.number.clone(),
            title: &cover.title,
            addressee: None,
            body: &cover.body,
            signed: &cover.signed,
            day: None,
        }
    }
}
