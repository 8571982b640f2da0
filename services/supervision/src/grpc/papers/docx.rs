//! A paper as DOCX, in the form of official papers (GB/T 9704).

use std::io::Cursor;

use docx_rs::{
    AlignmentType, BorderType, Docx, Footer, LineSpacing, LineSpacingType, PageMargin, PageNum, Paragraph,
    ParagraphBorder, ParagraphBorderPosition, ParagraphBorders, Run, RunFonts, SpecialIndentType, Table,
    TableAlignmentType, TableCell, TableLayoutType, TableRow, VAlignType, WidthType,
};
use domain_supervision::{Block, chinese_day};
use xietong_mesh::Error;

use super::Form;
use crate::grpc::printable::printable;

pub(super) const CONTENT_TYPE: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// Title, headings, text. Where a machine has none of a font, the table of fonts names another.
const TITLE: &str = "方正小标宋简体";
const HEADING: &str = "黑体";
const TEXT: &str = "仿宋";
const RED: &str = "FF0000";

/// Half points: 二号, 三号, 小四, 五号.
const SIZE_TITLE: usize = 44;
const SIZE_TEXT: usize = 32;
const SIZE_CELL: usize = 24;
const SIZE_SMALL_CELL: usize = 21;
/// Of 发文机关标志, which the standard leaves open.
const SIZE_HEAD: usize = 84;

/// Twentieths of a point: 22 lines on a page, and a character of the text.
const LINE: i32 = 579;
const CHARACTER: i32 = 320;
/// The width of the text: 156 mm.
const WIDTH: usize = 8_844;

/// What stands in for fonts that come with no office suite.
const FONTS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
<w:fonts xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">\
<w:font w:name=\"方正小标宋简体\"><w:altName w:val=\"小标宋,FZXiaoBiaoSong-B05S,宋体,SimSun,Noto Serif CJK SC\"/>\
<w:charset w:val=\"86\"/><w:family w:val=\"roman\"/></w:font>\
<w:font w:name=\"仿宋\"><w:altName w:val=\"FangSong,仿宋_GB2312,宋体,Noto Serif CJK SC\"/>\
<w:charset w:val=\"86\"/><w:family w:val=\"modern\"/></w:font>\
<w:font w:name=\"黑体\"><w:altName w:val=\"SimHei,Noto Sans CJK SC\"/>\
<w:charset w:val=\"86\"/><w:family w:val=\"modern\"/></w:font></w:fonts>";

/// The file.
pub(in crate::grpc) fn write(paper: &Form<'_>) -> Result<Vec<u8>, Error> {
    let margin =
        PageMargin::new().top(2_098).bottom(1_984).left(1_588).right(1_474).header(851).footer(1_400);
    let number = Paragraph::new()
        .align(AlignmentType::Center)
        .add_run(run("— ", "宋体", 28))
        .add_page_num(PageNum::new())
        .add_run(run(" —", "宋体", 28));
    let mut docx = Docx::new()
        .page_size(11_906, 16_838)
        .page_margin(margin)
        .default_fonts(fonts(TEXT))
        .default_size(SIZE_TEXT)
        .footer(Footer::new().add_paragraph(number))
        .add_paragraph(
            centred(run(&paper.head, TITLE, SIZE_HEAD).color(RED))
                .line_spacing(LineSpacing::new().line_rule(LineSpacingType::AtLeast).line(1_200).after(400)),
        )
        .add_paragraph(under_red(lines(centred(run(&paper.number, TEXT, SIZE_TEXT)))))
        .add_paragraph(lines(Paragraph::new()))
        .add_paragraph(title(paper.title))
        .add_paragraph(lines(Paragraph::new()));
    if let Some(addressee) = paper.addressee {
        let addressed = run(format!("{addressee}："), TEXT, SIZE_TEXT);
        docx = docx.add_paragraph(lines(Paragraph::new()).add_run(addressed));
    }
    for (at, block) in paper.body.iter().enumerate() {
        // A page never holds the signature alone.
        let last = at + 1 == paper.body.len();
        docx = match block {
            Block::Heading { text } => {
                docx.add_paragraph(indented(run(text, HEADING, SIZE_TEXT)).keep_next(true))
            }
            Block::Text { text } => text.lines().fold(docx, |docx, line| {
                docx.add_paragraph(indented(run(line, TEXT, SIZE_TEXT)).keep_next(last).keep_lines(last))
            }),
            Block::Table { rows } => docx.add_table(table(rows)).add_paragraph(lines(Paragraph::new())),
        };
    }
    docx = docx
        .add_paragraph(lines(Paragraph::new()).keep_next(true))
        .add_paragraph(signature(paper.signed, 2).keep_next(paper.day.is_some()));
    if let Some(day) = paper.day {
        docx = docx.add_paragraph(signature(&chinese_day(day), 4));
    }
    let mut built = docx.build();
    built.font_table = FONTS.as_bytes().to_vec();
    built.doc_props.core = properties(paper).into_bytes();
    let mut file = Cursor::new(Vec::new());
    built.pack(&mut file).map_err(Error::internal)?;
    Ok(file.into_inner())
}

/// What file managers and searches say of it: its title, whose it is, and its day.
fn properties(paper: &Form<'_>) -> String {
    let day = paper.day.map_or_else(String::new, |day| {
        let at = format!("{}-{:02}-{:02}T00:00:00+08:00", day.year(), u8::from(day.month()), day.day());
        format!(
            "<dcterms:created xsi:type=\"dcterms:W3CDTF\">{at}</dcterms:created>\
             <dcterms:modified xsi:type=\"dcterms:W3CDTF\">{at}</dcterms:modified>"
        )
    });
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
         <cp:coreProperties \
         xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <dc:title>{}</dc:title><dc:creator>协同</dc:creator>\
         <cp:lastModifiedBy>协同</cp:lastModifiedBy>{day}</cp:coreProperties>",
        escaped(&printable(paper.title))
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn run(text: impl Into<String>, font: &str, size: usize) -> Run {
    Run::new().add_text(printable(&text.into())).fonts(fonts(font)).size(size)
}

fn fonts(font: &str) -> RunFonts {
    RunFonts::new().east_asia(font).ascii("Times New Roman").hi_ansi("Times New Roman").hint("eastAsia")
}

fn centred(run: Run) -> Paragraph {
    Paragraph::new().align(AlignmentType::Center).add_run(run)
}

/// With the distance of lines of the text.
fn lines(paragraph: Paragraph) -> Paragraph {
    paragraph.line_spacing(LineSpacing::new().line_rule(LineSpacingType::Exact).line(LINE))
}

fn title(text: &str) -> Paragraph {
    let spacing = LineSpacing::new().line_rule(LineSpacingType::AtLeast).line(LINE + 60);
    centred(run(text, TITLE, SIZE_TITLE)).line_spacing(spacing)
}

/// Two characters in.
fn indented(run: Run) -> Paragraph {
    let first = Some(SpecialIndentType::FirstLine(2 * CHARACTER));
    lines(Paragraph::new().align(AlignmentType::Both).indent(None, first, None, None).add_run(run))
}

/// At the right, so many characters in.
fn signature(text: &str, characters: i32) -> Paragraph {
    let paragraph = Paragraph::new().align(AlignmentType::Right);
    lines(
        paragraph.indent(None, None, Some(characters * CHARACTER), None).add_run(run(text, TEXT, SIZE_TEXT)),
    )
}

/// With the red line that parts the head from the rest.
fn under_red(paragraph: Paragraph) -> Paragraph {
    let line = ParagraphBorder::new(ParagraphBorderPosition::Bottom)
        .val(BorderType::Single)
        .size(12)
        .space(4)
        .color(RED);
    paragraph.set_borders(ParagraphBorders::with_empty().set(line))
}

fn table(rows: &[Vec<String>]) -> Table {
    let columns = rows.first().map_or(1, Vec::len).max(1);
    // The first column of two is what the second is about; of more, it is a name.
    let first = if columns == 2 { WIDTH / 5 } else { WIDTH / 4 };
    let rest = (WIDTH - first) / (columns - 1).max(1);
    let size = if columns == 2 { SIZE_CELL } else { SIZE_SMALL_CELL };
    let width = |column: usize| if column == 0 { first } else { rest };
    let cell = |row: usize, column: usize, text: &str| {
        let label = if columns == 2 { column == 0 } else { row == 0 };
        let align = if columns == 2 && column == 1 { AlignmentType::Left } else { AlignmentType::Center };
        let font = if label { HEADING } else { TEXT };
        let start = TableCell::new().width(width(column), WidthType::Dxa).vertical_align(VAlignType::Center);
        text.lines().fold(start, |cell, line| {
            let spacing = LineSpacing::new().line_rule(LineSpacingType::AtLeast).line(400);
            cell.add_paragraph(
                Paragraph::new().align(align).line_spacing(spacing).add_run(run(line, font, size)),
            )
        })
    };
    let rows = rows.iter().enumerate().map(|(at, row)| {
        TableRow::new(row.iter().enumerate().map(|(column, text)| cell(at, column, text)).collect())
            .cant_split()
    });
    Table::new(rows.collect())
        .set_grid((0..columns).map(width).collect())
        .width(WIDTH, WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
        .align(TableAlignmentType::Center)
}

#[cfg(test)]
mod tests {
    use domain_supervision::Block;

    use super::{Form, properties, write};

    fn form<'a>(title: &'a str, body: &'a [Block]) -> Form<'a> {
        Form {
            head: "督办函".to_owned(),
            number: "督办〔2023〕1号".to_owned(),
            title,
            addressee: None,
            body,
            signed: "市政府督查室",
            day: Some(time::macros::date!(2023 - 06 - 19)),
        }
    }

    #[test]
    fn a_file_says_what_it_is_whose_and_of_which_day() {
        let said = properties(&form("关于A&B<的>函\u{b}", &[]));
        for part in [
            "<dc:title>关于A&amp;B&lt;的&gt;函</dc:title>",
            "<dc:creator>协同</dc:creator>",
            "2023-06-19T00:00:00+08:00",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn a_title_with_a_control_character_makes_a_file() {
        let body = [Block::Text { text: "正\u{b}文".to_owned() }];
        let file = write(&form("标\u{b}题", &body)).unwrap();
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file)).unwrap();
        let mut document = String::new();
        let mut entry = archive.by_name("word/document.xml").unwrap();
        std::io::Read::read_to_string(&mut entry, &mut document).unwrap();
        assert!(!document.contains('\u{b}') && document.contains("标题") && document.contains("正文"));
    }
}
