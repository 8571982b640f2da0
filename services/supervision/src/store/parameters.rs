//! [`Parameters`]: the values of a statement whose shape depends on what is asked.

use sea_orm::Value;

/// Values in the order of their placeholders. Whatever comes from outside goes in here,
/// never into the text of a statement.
#[derive(Default)]
pub(super) struct Parameters(Vec<Value>);

impl Parameters {
    /// Binds a value and returns its placeholder.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Binds values and returns their placeholders, for `IN (…)`. The list must not be
    /// empty: PostgreSQL has no empty `IN`.
    pub(super) fn bind_all<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> String {
        let places: Vec<String> = values.into_iter().map(|value| self.bind(value)).collect();
        places.join(", ")
    }

    /// The values.
    pub(super) fn into_values(self) -> Vec<Value> {
        self.0
    }
}

/// The placeholders of rows of equal width: `($1, $2), ($3, $4)`.
pub(super) fn places(rows: usize, width: usize) -> String {
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
        assert_eq!(parameters.into_values().len(), 3);
        assert_eq!(places(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
