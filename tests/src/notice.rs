//! Texts of notices, made for tests.

/// A list of tasks as yearly plans are printed: so many items under headings of these units,
/// in turn, each with a clause and furniture of pages in between.
pub fn task_list(number: &str, units: &[String], items: usize) -> String {
    let mut text = format!(
        "临汾市人民政府办公室\n关于印发2023年重点任务责任分工的通知\n{number}\n各县（市、区）人民政府，市直各有关单位：\n现将任务分工印发给你们，请认真组织实施。\n临汾市人民政府办公室\n2023年5月20日\n2023年重点任务责任分工\n一、王渊常务副市长负责的工作\n"
    );
    let each = items.div_ceil(units.len().max(1));
    let mut item = 0;
    for (at, unit) in units.iter().enumerate() {
        if item == items {
            break;
        }
        text.push_str(&format!("（{}）{unit}牵头负责的工作。\n", chinese(at + 1)));
        for _ in 0..each.min(items - item) {
            item += 1;
            text.push_str(&format!("{item}．完成第{item}处设施的改造，\n12月底前投入使用。\n"));
            if item % 20 == 0 {
                text.push_str(&format!("— {} —\n", item / 20));
            }
        }
    }
    text
}

/// A number up to 99 as headings print it.
fn chinese(number: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |digit: usize| DIGITS.get(digit).copied().unwrap_or_default();
    match (number / 10, number % 10) {
        (0, units) => digit(units).to_owned(),
        (1, units) => format!("十{}", digit(units)),
        (tens, units) => format!("{}十{}", digit(tens), digit(units)),
    }
}

#[cfg(test)]
mod tests {
    use domain_notice::Reader;

    use super::task_list;

    #[test]
    fn the_list_is_read_whole() {
        let units: Vec<String> = ["市水利局", "市财政局", "市教育局"].map(str::to_owned).to_vec();
        let [notice] = Reader::new()
            .unwrap()
            .read(&task_list("临政办发〔2023〕88号", &units, 195))
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(notice.document.number, "临政办发〔2023〕88号");
        let numbers: Vec<_> = notice.items.iter().filter_map(|item| item.no).collect();
        assert_eq!(numbers, (1..=195).collect::<Vec<_>>());
        assert!(notice.items.iter().all(|item| item.lead.len() == 1));
        assert!(notice.unresolved.is_empty(), "{:?}", notice.unresolved);
    }
}
