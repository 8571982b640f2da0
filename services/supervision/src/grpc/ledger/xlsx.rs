//! The table as a workbook.

use std::io::Write;

use domain_calendar::Timestamp;
use domain_supervision::Light;
use futures_util::StreamExt;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use xietong_mesh::Error;
use xietong_proto::google::api::HttpBody;

use super::file::{Outlet, Pieces, piece};
use super::table::{COLUMNS, Cell, Row, Rows, like_a_formula};

const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Rows that a sheet holds beside its headings; a longer ledger goes on in another sheet.
const MOST_ROWS: u32 = 1_048_575;
const SHANGHAI_SECONDS: i64 = 8 * 3_600;
/// A4, in the numbers of the format.
const A4: u8 = 9;

/// The table. Rows go into a temporary file as they are read, and the workbook made of them to
/// the reader as it is written: neither is ever whole in memory.
pub(super) fn pieces(mut rows: Rows) -> Pieces {
    let (to_reader, read) = channel(2);
    let (to_writer, portions) = channel(2);
    let broken = to_reader.clone();
    tokio::spawn(async move {
        let writing = tokio::task::spawn_blocking(move || write(portions, to_reader));
        while let Some(portion) = rows.next().await {
            if to_writer.send(portion).await.is_err() {
                break;
            }
        }
        drop(to_writer);
        if let Err(error) = writing.await {
            let _ = broken.send(Err(Error::internal(error).into())).await;
        }
    });
    Box::pin(ReceiverStream::new(read))
}

/// Writes until all rows are there, something goes wrong, or nobody reads any more.
fn write(portions: Receiver<Result<Vec<Row>, Error>>, to_reader: Sender<Result<HttpBody, Status>>) {
    let outcome = workbook(portions, &to_reader);
    if let Err(error) = outcome {
        // Nobody there to be told is why it stopped.
        let _ = to_reader.blocking_send(Err(error.into()));
    }
}

fn workbook(
    mut portions: Receiver<Result<Vec<Row>, Error>>,
    to_reader: &Sender<Result<HttpBody, Status>>,
) -> Result<(), Error> {
    let formats = Formats::new();
    let mut workbook = Workbook::new();
    workbook.set_properties(&DocProperties::new().set_title("督办台账"));
    let mut sheet = Sheet::begin(&mut workbook, 1, &formats).map_err(Error::internal)?;
    let mut begun = false;
    while let Some(portion) = portions.blocking_recv() {
        let portion = portion?;
        if !begun {
            // It may take longer until the first bytes are there than a reader waits.
            begun = to_reader.blocking_send(Ok(piece(CONTENT_TYPE, Vec::new()))).is_ok();
        }
        if to_reader.is_closed() {
            return Ok(());
        }
        for row in &portion {
            if sheet.rows == MOST_ROWS {
                let number = sheet.number + 1;
                sheet.end().map_err(Error::internal)?;
                sheet = Sheet::begin(&mut workbook, number, &formats).map_err(Error::internal)?;
            }
            sheet.add(row, &formats).map_err(Error::internal)?;
        }
    }
    sheet.end().map_err(Error::internal)?;
    let mut outlet = Outlet::new(CONTENT_TYPE, to_reader.clone());
    match workbook.save_to_writer(&mut outlet).and_then(|()| Ok(outlet.flush()?)) {
        Err(error) if !to_reader.is_closed() => Err(Error::internal(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// How cells look.
struct Formats {
    heading: Format,
    text: Format,
    quoted: Format,
    number: Format,
    day: Format,
    moment: Format,
    lights: Vec<(Light, Format)>,
}

impl Formats {
    fn new() -> Self {
        let plain = || {
            Format::new()
                .set_font_name("宋体")
                .set_font_size(11)
                .set_align(FormatAlign::VerticalCenter)
                .set_border(FormatBorder::Thin)
        };
        let centred = || plain().set_align(FormatAlign::Center);
        let light = |light| {
            let (back, front) = colours(light);
            let format = centred().set_bold().set_background_color(back).set_font_color(front);
            (light, format)
        };
        Formats {
            heading: centred().set_font_name("黑体").set_background_color(Color::RGB(0x00D9_E1F2)),
            text: plain().set_text_wrap(),
            quoted: plain().set_text_wrap().set_quote_prefix(),
            number: centred().set_num_format("0"),
            day: centred().set_num_format("yyyy-mm-dd"),
            moment: centred().set_num_format("yyyy-mm-dd hh:mm"),
            lights: Light::ALL.map(light).to_vec(),
        }
    }
}

/// The colours of a cell and of what is written in it.
fn colours(light: Light) -> (Color, Color) {
    let rgb = |back, front| (Color::RGB(back), Color::RGB(front));
    match light {
        Light::Blue => rgb(0x0000_70C0, 0x00FF_FFFF),
        Light::Grey => rgb(0x00A6_A6A6, 0x00FF_FFFF),
        Light::Green => rgb(0x0000_B050, 0x00FF_FFFF),
        Light::Yellow => rgb(0x00FF_C000, 0x0000_0000),
        Light::Red => rgb(0x00C0_0000, 0x00FF_FFFF),
    }
}

/// A sheet that is being written.
struct Sheet<'w> {
    sheet: &'w mut Worksheet,
    number: u32,
    rows: u32,
}

impl<'w> Sheet<'w> {
    fn begin(workbook: &'w mut Workbook, number: u32, formats: &Formats) -> Result<Self, XlsxError> {
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(if number == 1 { "台账".to_owned() } else { format!("台账{number}") })?;
        sheet.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
        for (place, (heading, width)) in (0..).zip(COLUMNS) {
            sheet.set_column_width(place, width)?;
            sheet.write_string_with_format(0, place, heading, &formats.heading)?;
        }
        sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        Ok(Sheet { sheet, number, rows: 0 })
    }

    fn add(&mut self, row: &Row, formats: &Formats) -> Result<(), XlsxError> {
        self.rows += 1;
        for (place, cell) in (0..).zip(row) {
            self.cell(place, cell, formats)?;
        }
        Ok(())
    }

    fn cell(&mut self, place: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
        let (sheet, row) = (&mut self.sheet, self.rows);
        match cell {
            Cell::Empty => sheet.write_blank(row, place, &formats.text)?,
            Cell::Number(number) => sheet.write_number_with_format(row, place, *number, &formats.number)?,
            // A text is never a formula; the mark keeps it one when somebody edits it.
            Cell::Text(text) if like_a_formula(text) => {
                sheet.write_string_with_format(row, place, text, &formats.quoted)?
            }
            Cell::Text(text) => sheet.write_string_with_format(row, place, text, &formats.text)?,
            Cell::Day(day) => {
                let day = shown(Timestamp::start_of_day(*day))?;
                sheet.write_datetime_with_format(row, place, day, &formats.day)?
            }
            Cell::Moment(at) => sheet.write_datetime_with_format(row, place, shown(*at)?, &formats.moment)?,
            Cell::Light(light) => {
                let format = formats.lights.iter().find(|(one, _)| one == light);
                let format = format.map_or(&formats.text, |(_, format)| format);
                sheet.write_string_with_format(row, place, light.chinese(), format)?
            }
        };
        Ok(())
    }

    /// What depends on how many rows there are.
    fn end(self) -> Result<(), XlsxError> {
        let last = u16::try_from(COLUMNS.len()).unwrap_or(u16::MAX).saturating_sub(1);
        self.sheet.autofilter(0, 0, self.rows, last)?;
        Ok(())
    }
}

/// An instant as clocks in Shanghai show it, to the second.
fn shown(at: Timestamp) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_timestamp(at.as_micros().div_euclid(1_000_000) + SHANGHAI_SECONDS)
}
