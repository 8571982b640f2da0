//! What the tasks of a benchmark say.

/// Words of plans like those of a city, two characters each.
const WORDS: &str = "老旧小区供水管网改造提升城区内涝防治道路桥梁农村公路养护学校食堂医院病房养老托育社区服务\
    就业培训企业减税项目投资园区招商外贸开放数据平台政务审批信用监管食品药品安全生产矿山隐患排查消防演练\
    森林防火河湖水质污染治理扬尘管控生态修复绿化造林粮食收储耕地保护高标农田水利灌溉果业产业品牌旅游景区\
    文化场馆体育赛事非遗传承科技创新人才引进专利转化新能装备铸造煤炭钢铁焦化电力光伏储能充电物流快递商贸\
    消费市场夜间经济住房保障租赁物业电梯加装厕所垃圾分类供热燃气停车公交客运信访化解法治普法基层综治警务\
    应急救援防汛抗旱地质灾害气象预警双拥退役妇幼残疾儿童关爱慈善救助医保参保财政预算债务化解金融信贷统计\
    审计督查考核培优";

/// As many of the words as are asked for, others for another seed: tasks that all said the same
/// would each be held against those before it, and characters drawn at random would make pairs of
/// neighbours that no plan has and that an index of them would each meet for the first time.
pub(crate) fn wording(seed: &str, words: usize) -> String {
    let characters: Vec<char> = WORDS.chars().collect();
    let (of, _) = characters.as_chunks::<2>();
    let step =
        |number: u64| number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let mut number = seed.bytes().fold(words as u64, |number, byte| step(number ^ u64::from(byte)));
    (0..words)
        .filter_map(|_| {
            number = step(number);
            of.get(usize::try_from(number >> 40).unwrap_or_default() % of.len().max(1))
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::wording;

    #[test]
    fn another_seed_says_something_else_in_as_many_words() {
        let said: BTreeSet<String> = (0..1_000).map(|seed| wording(&format!("{seed}"), 9)).collect();
        assert_eq!(said.len(), 1_000);
        assert!(said.iter().all(|one| one.chars().count() == 18));
    }
}
