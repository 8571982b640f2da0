//! The table as CSV.

use futures_util::{StreamExt, TryStreamExt, stream};
use xietong_mesh::Error;
use xietong_proto::google::api::HttpBody;

use super::file::{Pieces, piece};
use super::table::{COLUMNS, Cell, Rows, day_said, like_a_formula, moment_said};

const CONTENT_TYPE: &str = "text/csv; charset=utf-8";
/// Without it spreadsheets take Chinese for something else.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The table, a piece a portion of its rows.
pub(super) fn pieces(rows: Rows) -> Pieces {
    let headings =
        stream::once(async { written(BYTE_ORDER_MARK, [COLUMNS.map(|(heading, _)| heading.to_owned())]) });
    let rest = rows.map(|portion| written(&[], portion?.into_iter().map(|row| row.map(|cell| said(&cell)))));
    Box::pin(headings.chain(rest).map_err(Into::into))
}

fn written(
    before: &[u8],
    rows: impl IntoIterator<Item = [String; COLUMNS.len()]>,
) -> Result<HttpBody, Error> {
    let mut writer = csv::Writer::from_writer(before.to_vec());
    rows.into_iter().try_for_each(|row| writer.write_record(row)).map_err(Error::internal)?;
    let data = writer.into_inner().map_err(|error| Error::internal(error.into_error()))?;
    Ok(piece(CONTENT_TYPE, data))
}

fn said(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) if like_a_formula(text) => format!("'{text}"),
        Cell::Text(text) => text.clone(),
        Cell::Day(day) => day_said(*day),
        Cell::Moment(at) => moment_said(*at),
        Cell::Light(light) => light.chinese().to_owned(),
    }
}
