//! Words that every notice shares.

use domain_calendar::Timestamp;
use domain_roster::Book;
use domain_supervision::{TaskFacts, Visibility, limit_before};
use time::Date;

use crate::template::TaskWords;

/// An instant as officials write it, for example 2023年6月1日9时05分.
pub(crate) fn moment(at: Timestamp) -> String {
    let (date, time) = (day(at.day()), at.time_of_day());
    if time.minute() == 0 {
        format!("{date}{}时", time.hour())
    } else {
        format!("{date}{}时{:02}分", time.hour(), time.minute())
    }
}

/// A day as officials write it, for example 2023年6月1日.
pub(crate) fn day(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day())
}

/// A limit: what is due before midnight is due by 24时 of the day that ends with it.
pub(crate) fn before(limit: Timestamp) -> String {
    limit_before(limit)
}

/// How a task is called. A restricted one is called by its number alone: an inbox is also
/// read by those who stand in, and what climbs is read by others still.
pub(crate) fn called(task: &TaskFacts) -> String {
    match task.visibility {
        Visibility::Public | Visibility::Internal => format!("第{}号《{}》", task.ledger_number, task.title),
        Visibility::Restricted => format!("第{}号（限定单位）", task.ledger_number),
    }
}

/// A task as templates have it.
pub(crate) fn task_words(task: &TaskFacts) -> TaskWords {
    let title = match task.visibility {
        Visibility::Public | Visibility::Internal => Some(task.title.clone()),
        Visibility::Restricted => None,
    };
    TaskWords { task: called(task), number: task.ledger_number, title, urgent: task.urgent }
}

/// What somebody wrote about a task, as far as a notice may repeat it.
pub(crate) fn quoted(task: &TaskFacts, text: &str) -> String {
    match task.visibility {
        Visibility::Public | Visibility::Internal => text.to_owned(),
        Visibility::Restricted => "内容请在系统内查看".to_owned(),
    }
}

/// What people call a unit.
pub(crate) fn unit<'a>(book: &'a Book, name: &'a str) -> &'a str {
    book.unit(name).map_or(name, |unit| unit.display_name.as_str())
}

/// What people call an official.
pub(crate) fn official<'a>(book: &'a Book, name: &'a str) -> &'a str {
    book.official(name).map_or(name, |official| official.display_name.as_str())
}

#[cfg(test)]
mod tests {
    use super::{before, moment};
    use crate::fixture::at;

    #[test]
    fn instants_and_limits_read_as_officials_write_them() {
        assert_eq!(moment(at("2023-06-01T09:05+08:00")), "2023年6月1日9时05分");
        assert_eq!(moment(at("2023-06-01T09:00+08:00")), "2023年6月1日9时");
        assert_eq!(before(at("2023-06-02T00:00+08:00")), "2023年6月1日24时前");
        assert_eq!(before(at("2023-06-02T12:00+08:00")), "2023年6月2日12时前");
    }
}
