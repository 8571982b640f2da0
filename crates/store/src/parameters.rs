//! Placeholders of statements whose shape depends on what is asked.

use sea_orm::Value;

/// Rows of a statement, at most: of up to 20 columns, on both back ends.
pub const ROWS: usize = 500;

/// Values in the order of their placeholders. Whatever comes from outside goes in here,
/// never into the text of a statement.
#[derive(Debug, Default)]
pub struct Parameters(Vec<Value>);

impl Parameters {
    /// Binds a value and returns its placeholder.
    pub fn bind(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Binds values and returns their placeholders, for `IN (…)`: NULL, which equals
    /// nothing, when there are none.
    pub fn bind_all<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> String {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        if places.is_empty() { "NULL".to_owned() } else { places.join(", ") }
    }

    /// The values.
    pub fn into_values(self) -> Vec<Value> {
        self.0
    }
}

/// The placeholders of rows of equal width: `($1, $2), ($3, $4)`, for `VALUES`. Both back
/// ends bound the parameters of a statement: write large sets in chunks of [`ROWS`].
///
/// To look many keys up, join `(VALUES …) AS wanted` on `wanted.column1` rather than say
/// `IN`: PostgreSQL compares each row with each member of a list of parameters where it
/// has no index to use, or does not know yet that the table has grown.
pub fn places(rows: usize, width: usize) -> String {
    let row = |row: usize| {
        let columns: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        format!("({})", columns.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Parameters, places};

    #[test]
    fn placeholders_count_on() {
        let mut parameters = Parameters::default();
        assert_eq!(parameters.bind(7_i64), "$1");
        assert_eq!(parameters.bind_all(["a", "b"]), "$2, $3");
        assert_eq!(parameters.bind_all(Vec::<String>::new()), "NULL");
        assert_eq!(parameters.into_values().len(), 3);
        assert_eq!(places(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
