//! Notices of forms that are met, in short: what is read of each.

use crate::{Item, Kind, Notice, Party, Reader};

/// The one notice, or the plans, of a letter and what is attached to it.
fn read(title: &str, letter: &str, attached: &str) -> Vec<Notice> {
    let text = format!(
        "某市人民政府\n关于{title}\n某政发〔2023〕9号\n各县(市、区)人民政府:\n{letter}\n某市人民政府\n2023年6月1日\n{attached}"
    );
    Reader::new().unwrap().read(&text).unwrap()
}

fn plan(attached: &str) -> Notice {
    let [plan] = read("印发某方案的通知", "现印发给你们。", attached).try_into().unwrap();
    plan
}

fn shown(item: &Item) -> String {
    let list =
        |parties: &[Party]| parties.iter().map(|party| party.text.as_str()).collect::<Vec<_>>().join("、");
    let due = item.due.map_or("-".to_owned(), |due| due.to_string());
    format!(
        "{} {}|{}|{}|{}|{due}",
        item.label,
        item.title,
        list(&item.lead),
        list(&item.cooperating),
        list(&item.responsible)
    )
}

fn items(notice: &Notice) -> Vec<String> {
    notice.items.iter().map(shown).collect()
}

fn told(notice: &Notice) -> Vec<(u32, &str, &str)> {
    notice.unresolved.iter().map(|one| (one.line, one.text.as_str(), one.why.as_str())).collect()
}

#[test]
fn clauses_may_stand_on_lines_of_their_own() {
    let plan = plan(
        "一、任务\n1. 推进甲。梳理清单。\n牵头单位:市甲局\n责任单位:市乙局,各县(市、区)人民政府\n完成时限:2023年9月底\n\
         2. 推进乙。\n责任领导:赵 甲\n责任单位:市甲局\n完成时限:持续推进\n3. 推进丙。\n牵头单位:市乙局 配合单位:市丙局\n完成时限:10月",
    );
    assert_eq!(
        items(&plan),
        [
            "1 推进甲|市甲局||市乙局、各县(市、区)人民政府|2023-09-30",
            "2 推进乙|||市甲局|2023-12-31",
            "3 推进丙|市乙局|市丙局||2023-10-31",
        ]
    );
    assert_eq!(told(&plan), []);
}

#[test]
fn an_item_may_have_parts_one_of_which_says_who_does_it() {
    let plan = plan(
        "一、养老工程\n(一)目标任务:新建6个。\n(二)责任分工:市甲局牵头,市乙局配合,各县人民政府具体实施。\n(三)完成时限:11月底前全部完成。\n\
         二、校舍工程\n(一)目标任务:改造30所。\n(二)责任单位:市丙局\n(三)时间进度:7月底前开工,10月底前完工。",
    );
    assert_eq!(
        items(&plan),
        ["一 养老工程|市甲局|市乙局|各县人民政府|2023-11-30", "二 校舍工程|||市丙局|2023-10-31",]
    );
    assert_eq!(plan.items[1].milestones.len(), 2);
}

#[test]
fn rows_of_a_table_are_items_where_no_item_has_their_number() {
    let plan = plan(
        "一、目标\n全面清理。\n附件\n任务分解表\n序号 工作任务 牵头单位 配合单位 完成时限\n一、河道\n1 排查乱占、\n乱采问题 市甲局 市乙局、\n市丙局 7月底前\n\
         — 3 —\n序号 工作任务 牵头单位 配合单位 完成时限\n2 拆除 市甲局 各县(市、区)\n人民政府 2023 年\n9 月底前\n3 回头看 市丙局 / 汛期前\n4 验收 市甲局 8月",
    );
    assert_eq!(
        items(&plan),
        [
            "1 排查乱占、乱采问题|市甲局|市乙局、市丙局||2023-07-31",
            "2 拆除|市甲局|各县(市、区)人民政府||2023-09-30",
            "3 回头看|市丙局|||2023-12-31",
            "4 验收 市甲局 8月||||2023-12-31",
        ]
    );
    assert_eq!(
        told(&plan),
        [
            (22, "汛期前", "时限不是具体日期，需要人工确定"),
            (23, "验收 市甲局 8月", "表格这一行缺少栏目，无法对应责任单位"),
        ]
    );
}

#[test]
fn a_table_is_not_given_to_items_that_say_something_else() {
    let plan = plan(
        "一、任务\n1. 清理河道垃圾。\n2. 修复堤防。\n二、保障\n1. 加强领导。\n附件1\n责任表\n序号 任务 责任单位\n1 河道清理 市甲局\n2 修复堤防 市乙局\n3 巡查 市丙局",
    );
    assert_eq!(
        items(&plan),
        [
            "1 清理河道垃圾|||市甲局|2023-12-31",
            "2 修复堤防|||市乙局|2023-12-31",
            "3 巡查|||市丙局|2023-12-31",
        ]
    );
}

#[test]
fn headings_say_who_leads_in_many_words() {
    let attached = "一、常务副县长赵甲乙负责的工作\n(一)由县甲局牵头负责的重点任务\n1. 增长5%。\n2. 清理,9月底前清零。(配合单位:县乙局)\n\
         (二)县丙局牵头负责(2项)\n3. 完成投资。\n二、副县长孙丙负责的重点工作\n(三)牵头单位:县丁局\n4. 治理(省12件民生实事之一,市6件民生实事之四)。";
    let list = plan(attached);
    assert_eq!(list.kind, Kind::TaskList);
    let leaders: Vec<_> = list.leaders.iter().map(|one| (one.name.as_str(), one.post.as_str())).collect();
    assert_eq!(leaders, [("赵甲乙", "常务副县长"), ("孙丙", "副县长")]);
    assert_eq!(
        items(&list),
        [
            "1 增长5%|县甲局|||2023-12-31",
            "2 清理,9月底前清零|县甲局|县乙局||2023-09-30",
            "3 完成投资|县丙局|||2023-12-31",
            "4 治理|县丁局|||2023-12-31",
        ]
    );
    assert_eq!(list.items[3].tags, ["省12件民生实事", "市6件民生实事"]);
}

#[test]
fn parts_of_an_item_stay_with_it_and_an_item_without_a_clause_is_told_of() {
    let plan = plan(
        "一、任务(牵头单位:市甲局)\n1. 培育链主。\n2. 培育企业30户。\n①2023年培育10户。\n②2024年培育20户。\n二、保障\n\
         (一)统筹。(市乙局负责)\n(二)督导。",
    );
    assert_eq!(
        items(&plan),
        [
            "1 培育链主|市甲局|||2023-12-31",
            "2 培育企业30户|市甲局|||2024-12-31",
            "(一) 统筹|市乙局|||2023-12-31",
            "(二) 督导||||2023-12-31",
        ]
    );
    assert_eq!(told(&plan), [(15, "督导", "未写明责任单位")]);
}

#[test]
fn a_plan_for_several_years_ends_with_the_last() {
    let [plan] = read(
        "印发《某某三年行动计划(2023-2025年)》的通知",
        "《某某三年行动计划(2023-2025年)》已经同意。",
        "某某三年行动计划\n(2023-2025年)\n一、任务\n1. 建设。(市甲局负责)\n2. 10月底前摸底。(市甲局负责)\n附件:1. 甲清单\n2. 乙名单",
    )
    .try_into()
    .unwrap();
    assert_eq!(items(&plan), ["1 建设|市甲局|||2025-12-31", "2 10月底前摸底|市甲局|||2023-10-31"]);
    assert_eq!(told(&plan), []);
}

#[test]
fn replies_give_dates_windows_and_who_acts_with_whom() {
    let letter = "一、原则同意。\n二、请某县人民政府牵头,会同市甲局抓好整改,2023年12月底前报告。\n三、工程完工后3个月至6个月,由市乙局组织验收。\n\
         四、自批复之日起30日内,由市丙局公布。\n五、请某县人民政府在结案后六个月内整改;市丙局应当开展评估。\n此复。";
    let [reply] = read("某事的批复", letter, "").try_into().unwrap();
    assert_eq!(
        items(&reply),
        [
            "二 请某县人民政府牵头,会同市甲局抓好整改,2023年12月底前报告|某县人民政府|市甲局||2023-12-31",
            "三 工程完工后3个月至6个月,由市乙局组织验收|市乙局|||-",
            "四 自批复之日起30日内,由市丙局公布|市丙局|||2023-07-01",
            "五 请某县人民政府在结案后六个月内整改|某县人民政府、市丙局|||-",
        ]
    );
    let windows: Vec<_> = reply.items.iter().filter_map(|item| item.window.as_ref()).collect();
    assert_eq!(
        (windows[0].event.as_str(), windows[0].earliest_months, windows[0].latest_months),
        ("工程完工", 3, 6)
    );
    assert_eq!(
        (windows[1].event.as_str(), windows[1].earliest_months, windows[1].latest_months),
        ("结案", 0, 6)
    );
    assert_eq!(reply.unresolved[0].why, "一段中有几个责任主体，需要人工核对");
}

#[test]
fn cells_of_a_table_may_have_lines_of_their_own() {
    let plan = plan(
        "一、任务\n1. 打造甲。\n2. 发展乙。\n附件\n分工表\n序号\n任务\n牵头单位\n责任单位\n完成时限\n1\n打造甲\n市甲局\n市乙局、丙县人民政府\n\
         2023年底\n2\n发展乙\n市甲局\n各县(市、区)\n人民政府\n持续推进",
    );
    assert_eq!(
        items(&plan),
        [
            "1 打造甲|市甲局||市乙局、丙县人民政府|2023-12-31",
            "2 发展乙|市甲局||各县(市、区)人民政府|2023-12-31",
        ]
    );
}

#[test]
fn an_item_may_say_each_thing_under_a_number_of_its_own() {
    let plan = plan(
        "一、工程\n(一)果园改造\n1.任务:2024年改造1万亩。\n2.责任单位:县甲局、县乙局\n3.配合单位:县丙局,各乡(镇)人民政府\n\
         (二)冷链\n1. 建设冷库。(县甲局牵头,县乙局配合)\n2. 建设园区。县丙局负责,县甲局配合。",
    );
    assert_eq!(
        items(&plan),
        [
            "(一) 果园改造||县丙局、各乡(镇)人民政府|县甲局、县乙局|2024-12-31",
            "1 建设冷库|县甲局|县乙局||2023-12-31",
            "2 建设园区|县丙局|县甲局||2023-12-31",
        ]
    );
}

#[test]
fn leaders_and_units_with_a_count_head_a_list() {
    let attached = "一、赵甲常务副市长牵头负责的任务(3项)\n(一)市甲局牵头(2项)\n1. 增长5%。\n2. 兜底。(市乙局配合)\n(二)市丙局、市丁局(1项)\n\
                    3. 改造40个。(某区政府具体实施,9月底前完工)\n二、孙丁副市长负责的任务\n(三)市戊局\n4. 引水。";
    let list = plan(attached);
    assert_eq!((list.kind, list.leaders.len()), (Kind::TaskList, 2));
    assert_eq!(
        items(&list),
        [
            "1 增长5%|市甲局|||2023-12-31",
            "2 兜底|市甲局|市乙局||2023-12-31",
            "3 改造40个|市丙局、市丁局||某区政府|2023-09-30",
            "4 引水|市戊局|||2023-12-31",
        ]
    );
}

#[test]
fn what_follows_the_last_clause_or_founds_a_group_is_told_of() {
    let letter = "一、压实。签订责任书。(责任单位:市甲局)\n二、排查。组织排查。\n三、值守。严格值班。(责任单位:市乙局)\n请各单位于10月31日前报告。\n\
                  成立专班,组长由分管副市长担任。";
    let [plan] = read("做好某项工作的通知", letter, "").try_into().unwrap();
    assert_eq!(
        items(&plan),
        ["一 压实|||市甲局|2023-12-31", "二 排查||||2023-12-31", "三 值守|||市乙局|2023-12-31"]
    );
    assert_eq!(
        told(&plan),
        [
            (8, "请各单位于10月31日前报告", "责任单位之后还有文字，未归入事项"),
            (6, "排查", "未写明责任单位"),
            (9, "组长", "文中另有机构组成人员，未读入"),
        ]
    );
}

#[test]
fn a_reply_may_number_nothing() {
    let letter = "原则同意《某规划》。你县要认真组织实施。市甲局要加强指导,2024年10月底前开展评估。\n此复。";
    let [reply] = read("某规划的批复", letter, "").try_into().unwrap();
    assert_eq!(reply.items.len(), 1);
    assert_eq!(reply.items[0].due.map(|due| due.to_string()).as_deref(), Some("2024-10-31"));
    assert_eq!(told(&reply)[0].2, "一段中有几个责任主体，需要人工核对");
}

#[test]
fn several_attachments_keep_their_items_apart_from_marks_and_lists() {
    let plan = plan(
        "一、任务\n(一)保障热源。(市甲局牵头)\n(二)检修。(市乙局负责)\n附件:1. 甲清单\n2. 乙名单\n附件2\n二、其他\n(一)配送。(市丙局、各县(市、区))",
    );
    assert_eq!(
        items(&plan),
        [
            "一(一) 保障热源|市甲局|||2023-12-31",
            "(二) 检修|市乙局|||2023-12-31",
            "二(一) 配送|||市丙局、各县(市、区)|2023-12-31",
        ]
    );
    assert_eq!(told(&plan), [(15, "市丙局、各县(市、区)", "只写了单位，未写职责，按责任单位读入")]);
}
