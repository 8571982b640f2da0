//! The built-in words in both forms, what templates may use, and what is refused.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::{
    CompiledTemplate, Fault, LONGEST_BODY_SOURCE, LONGEST_TITLE, Limit, ListedItem, Milestone, NoticeData,
    Part, Sample, TaskWords, TemplateError, TemplateKind, TemplateText,
};

fn text(title: &str, body: &str) -> TemplateText {
    TemplateText { title: title.into(), body: body.into() }
}

/// Whatever notices may be made of.
#[derive(Debug, Clone)]
struct Parts {
    task: TaskWords,
    unit: String,
    settle_before: Option<String>,
    texts: Vec<String>,
}

impl Parts {
    fn data(self, kind: TemplateKind) -> NoticeData {
        let Parts { task, unit, settle_before, texts } = self;
        let first = texts[0].clone();
        let limits = texts.iter().skip(1).map(|text| Limit { step: "签收".into(), before: text.clone() });
        let item = |(number, label): (i64, &String)| ListedItem {
            label: label.clone(),
            number,
            title: task.title.clone(),
            role: "牵头单位".into(),
            settle_before: settle_before.clone(),
        };
        let items: Vec<_> = (1..).zip(&texts).map(item).collect();
        let milestones =
            texts.iter().map(|text| Milestone { last_day: "2023年6月1日".into(), text: text.clone() });
        let milestones = milestones.collect();
        match kind {
            TemplateKind::Assignment => {
                NoticeData::Assignment { task, unit, role: "配合单位".into(), limits: limits.collect() }
            }
            TemplateKind::AssignmentLeader => NoticeData::AssignmentLeader { task, unit, settle_before },
            TemplateKind::Document => {
                NoticeData::Document { document: first, unit, count: items.len(), items }
            }
            TemplateKind::DocumentLeader => {
                NoticeData::DocumentLeader { document: first, unit, count: 9, led: items.len(), items }
            }
            TemplateKind::Reminder => NoticeData::Reminder { task, unit, settle_before },
            TemplateKind::Urging => NoticeData::Urging { task, unit, steps: texts },
            TemplateKind::SupervisorUrging => {
                NoticeData::SupervisorUrging { task, unit, settle_before, ground: first }
            }
            TemplateKind::RedLight => NoticeData::RedLight { task, unit, settle_before },
            TemplateKind::RedLightOverseer => NoticeData::RedLightOverseer { task, unit, settle_before },
            TemplateKind::MilestoneReminder => NoticeData::MilestoneReminder {
                task,
                unit,
                last_day: "2023年6月1日".into(),
                milestone: first,
            },
            TemplateKind::MilestoneRedLight => NoticeData::MilestoneRedLight { task, unit, milestones },
            TemplateKind::MilestoneRedLightOverseer => {
                NoticeData::MilestoneRedLightOverseer { task, unit, milestones }
            }
            TemplateKind::StruckOff => NoticeData::StruckOff { task, unit, completed: settle_before },
            TemplateKind::TaskStruckOff => NoticeData::TaskStruckOff { task, completed: first },
            TemplateKind::Withdrawn => NoticeData::Withdrawn { task, ground: first },
            TemplateKind::SentBack => NoticeData::SentBack { task, unit, note: first },
        }
    }
}

/// What people write has every printable character in it, what a template is written with as well.
fn parts() -> impl Strategy<Value = Parts> {
    let line = "(\\PC|[{}%#<>&\"']){1,12}";
    let written = proptest::collection::vec("(\\PC|[{}%#<>&\"'\n]){1,20}", 1..5);
    let task = (line, any::<i64>(), proptest::option::of(line), any::<bool>())
        .prop_map(|(task, number, title, urgent)| TaskWords { task, number, title, urgent });
    (task, line, proptest::option::of(line), written).prop_map(|(task, unit, settle_before, texts)| Parts {
        task,
        unit,
        settle_before,
        texts,
    })
}

fn built_in(kind: TemplateKind) -> CompiledTemplate {
    CompiledTemplate::compile(kind, &kind.built_in()).unwrap()
}

proptest! {
    #[test]
    fn a_notice_reads_the_same_by_the_built_in_file_and_by_the_function(parts in parts()) {
        for kind in TemplateKind::ALL {
            let mut data = parts.clone().data(kind);
            // A document's number is a line.
            if let NoticeData::Document { document, .. } | NoticeData::DocumentLeader { document, .. } = &mut data {
                *document = document.replace('\n', "");
            }
            prop_assert_eq!(built_in(kind).words(&data), Ok(data.built_in_words()), "{}", kind);
        }
    }

    #[test]
    fn a_notice_is_read_back_as_it_was_stored(parts in parts()) {
        for kind in TemplateKind::ALL {
            let data = parts.clone().data(kind);
            let stored = serde_json::to_string(&data).unwrap();
            prop_assert_eq!(serde_json::from_str::<NoticeData>(&stored).unwrap(), data);
        }
    }

    #[test]
    fn no_source_panics(title in ".{0,60}", body in "([{}%#|~+*/()\\[\\]\"'.,: \n-]|[a-z]{1,6}|for|if|set|\\PC){0,80}") {
        for kind in [TemplateKind::Assignment, TemplateKind::Document] {
            let _ = CompiledTemplate::check(kind, &text(&title, &body));
        }
    }
}

#[test]
fn every_kind_is_read_back_and_is_the_word_its_data_is_stored_under() {
    for kind in TemplateKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(!kind.chinese().is_empty());
        for (_, data) in NoticeData::samples(kind) {
            assert_eq!(data.kind(), kind);
            assert_eq!(serde_json::to_value(&data).unwrap()["template"], kind.as_str());
        }
    }
    assert!("teatime".parse::<TemplateKind>().is_err());
}

#[test]
fn the_built_in_template_of_every_kind_words_every_sample_as_the_function_does() {
    for kind in TemplateKind::ALL {
        let worded = CompiledTemplate::check(kind, &kind.built_in()).unwrap();
        let expected = NoticeData::samples(kind).into_iter();
        let expected: Vec<_> = expected.map(|(sample, data)| (sample, data.built_in_words())).collect();
        assert_eq!(worded, expected, "{kind}");
        assert_eq!(worded.iter().map(|(sample, _)| *sample).collect::<Vec<_>>(), Sample::ALL);
    }
}

/// The names that a value can be reached by, and whether each is ever absent.
fn leaves(at: &str, value: &Value, found: &mut BTreeSet<String>, absent: &mut BTreeSet<String>) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields.iter().filter(|(name, _)| *name != "template") {
        let name = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        if value.is_null() {
            absent.insert(name.clone());
        }
        for one in value.as_array().into_iter().flatten() {
            leaves(&name, one, found, absent);
        }
        found.insert(name);
    }
}

#[test]
fn what_is_documented_is_what_notices_have_and_absent_is_what_is_called_optional() {
    for kind in TemplateKind::ALL {
        let (mut found, mut absent) = (BTreeSet::new(), BTreeSet::new());
        for (_, data) in NoticeData::samples(kind) {
            leaves("", &serde_json::to_value(&data).unwrap(), &mut found, &mut absent);
        }
        let documented: BTreeSet<String> = kind.fields().map(|field| field.name.to_owned()).collect();
        assert_eq!(found, documented, "{kind}");
        assert_eq!(kind.fields().count(), documented.len(), "{kind}: each once");
        let optional = kind.fields().filter(|field| field.optional);
        assert_eq!(absent, optional.map(|field| field.name.to_owned()).collect(), "{kind}");
        for field in kind.fields() {
            let list = ["limits", "items", "milestones"].contains(&field.name);
            assert_eq!(kind.example(field).is_empty(), list, "{kind}: {}", field.name);
            assert!(!field.meaning.is_empty());
        }
    }
}

#[test]
fn the_table_of_fields_that_people_read_is_the_one_that_is_served() {
    let mut table = String::new();
    for kind in TemplateKind::ALL {
        table += &format!("\n### `{kind}`: {}\n\n", kind.chinese());
        table += "| field | meaning | example | may be absent |\n|---|---|---|---|\n";
        for field in kind.fields() {
            let (name, meaning, absent) =
                (field.name, field.meaning, if field.optional { "yes" } else { "" });
            table += &format!("| `{name}` | {meaning} | {} | {absent} |\n", kind.example(field));
        }
    }
    let read = include_str!("../../templates/README.md");
    assert!(read.ends_with(&table), "templates/README.md must end with:\n{table}");
}

/// What is wrong with a body.
fn fault(body: &str) -> Fault {
    let refused = CompiledTemplate::check(TemplateKind::Assignment, &text("交办", body)).unwrap_err();
    assert_eq!(refused.part, Part::Body, "{refused}");
    assert!(!refused.chinese().is_empty() && !refused.to_string().is_empty());
    refused.fault
}

#[test]
fn a_template_is_refused_that_could_fail_somebody() {
    let unknown = |name: &str| Fault::UnknownField(name.to_owned());
    assert_eq!(fault("{{ secret }}"), unknown("secret"));
    assert_eq!(
        fault("{% if urgent %}{{ nobody }}{% endif %}"),
        unknown("nobody"),
        "also where it is not reached"
    );
    assert_eq!(fault("{{ template }}"), unknown("template"));
    assert_eq!(fault("{{ settle_before }}"), unknown("settle_before"), "another kind's");
    assert_eq!(fault("{% for i in range(1000000000) %}{{ i }}{% endfor %}"), unknown("range"));
    assert_eq!(fault("{{ debug() }}"), unknown("debug"));
    assert_eq!(fault("称\n呼 {{ title }}"), Fault::Absent { line: 2 }, "a restricted task has none");
    assert_eq!(fault("{% for one in limits %}{{ one.nothing }}{% endfor %}"), Fault::Absent { line: 1 });
    assert_eq!(fault("{{ limits }}"), Fault::NotText { line: 1 });
    assert_eq!(fault("{{ urgent }}"), Fault::NotText { line: 1 });
    assert_eq!(fault(""), Fault::Empty);
    assert_eq!(fault(" \n "), Fault::Empty);
    assert_eq!(fault("{% if urgent %}急{% endif %}"), Fault::Empty, "of two samples nothing is left");
    assert_eq!(fault(&"字".repeat(LONGEST_BODY_SOURCE + 1)), Fault::TooLong(LONGEST_BODY_SOURCE));
    assert_eq!(fault("\u{7}"), Fault::ControlCharacters);
    for unreadable in ["{{ task", "{% if urgent %}", "{{ task | }}", "{% endfor %}"] {
        assert!(matches!(fault(unreadable), Fault::Syntax { line: 1, .. }), "{unreadable}");
    }
    for out_of_reach in [
        "{% include 'body' %}",
        "{% extends 'body' %}",
        "{% import 'body' as body %}",
        "{% block x %}{% endblock %}",
        "{% macro x() %}{% endmacro %}",
    ] {
        assert!(matches!(fault(out_of_reach), Fault::Syntax { .. }), "{out_of_reach}");
    }
    for unknown in ["{{ task | upper }}", "{{ task.upper() }}", "{{ task is odd }}"] {
        let found = fault(unknown);
        assert!(matches!(found, Fault::Failed { .. } | Fault::Syntax { .. }), "{unknown}: {found}");
    }
}

#[test]
fn what_costs_too_much_is_stopped() {
    let nested = |depth: usize| {
        let loops = "{% for a in task %}".repeat(depth);
        format!("{loops}{{{{ task }}}}{}", "{% endfor %}".repeat(depth))
    };
    let in_a_list = "{% for a in [0,1,2,3,4,5,6,7,8,9] %}".repeat(9);
    let doubling =
        "{% set a = 'aaaaaaaaaaaaaaaa' %}".to_owned() + &"{% set a = a ~ a %}".repeat(60) + "{{ a }}";
    for body in [
        format!("{in_a_list}{{{{ task }}}}{}", "{% endfor %}".repeat(9)),
        "{{ 'a' * 99999999 }}".to_owned(),
        "{{ 'a' * 99999999 * 99999999 }}".to_owned(),
        doubling,
        "{{ ('a' * 1000000) | join('bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb') }}".to_owned(),
    ] {
        let found = fault(&body);
        assert!(matches!(found, Fault::TooCostly | Fault::Failed { .. }), "{found}: {body}");
    }
    // Deep nesting is refused where it is read, and does not end the process.
    for body in
        [nested(200), format!("{}1{}", "{{ ".to_owned() + &"(".repeat(2_000), ")".repeat(2_000) + " }}")]
    {
        assert!(CompiledTemplate::check(TemplateKind::Assignment, &text("交办", &body)).is_err());
    }
}

#[test]
fn a_title_is_one_line_that_an_inbox_takes_whatever_it_is_made_of() {
    let refused = |title: &str| {
        let refused = CompiledTemplate::check(TemplateKind::Withdrawn, &text(title, "撤销")).unwrap_err();
        assert_eq!(refused.part, Part::Title);
        (refused.sample, refused.fault)
    };
    assert_eq!(refused("撤销\n{{ task }}"), (None, Fault::SeveralLines));
    assert_eq!(refused("{{ ground }}"), (Some(Sample::Long), Fault::SeveralLines));
    assert_eq!(refused("{{ task }}{{ task }}"), (Some(Sample::Long), Fault::TooLong(LONGEST_TITLE)));
    assert_eq!(refused(""), (None, Fault::Empty));
}

#[test]
fn texts_are_shown_as_they_are() {
    let template = text("{{ task }}", "{% autoescape true %}{{ ground }}{% endautoescape %}");
    let compiled = CompiledTemplate::compile(TemplateKind::Withdrawn, &template).unwrap();
    let task = TaskWords { task: "<b>&{{ task }}".into(), number: 1, title: None, urgent: false };
    let words = compiled.words(&NoticeData::Withdrawn { task, ground: "\"<i>'".into() }).unwrap();
    assert_eq!((words.title.as_str(), words.body.as_str()), ("<b>&{{ task }}", "\"<i>'"));
}

#[test]
fn the_longest_document_fits_in_the_built_in_words() {
    let Some((_, NoticeData::Document { document, unit, items, .. })) =
        NoticeData::samples(TemplateKind::Document).into_iter().find(|(sample, _)| *sample == Sample::Long)
    else {
        panic!("a document's sample is a document")
    };
    let items: Vec<_> = items.iter().cycle().take(500).cloned().collect();
    let data = NoticeData::Document { document, unit, count: items.len(), items };
    assert_eq!(built_in(TemplateKind::Document).words(&data), Ok(data.built_in_words()));
}

#[test]
fn an_error_says_where_it_is_in_both_languages() {
    let error =
        TemplateError { part: Part::Title, sample: Some(Sample::Bare), fault: Fault::Absent { line: 3 } };
    assert_eq!(error.to_string(), "the title of the bare sample shows at line 3 what is not there");
    assert_eq!(
        error.chinese(),
        "标题（示例：可缺的内容都缺）第3行用到的内容在这种情况下没有，请用 if 语句判断后再使用"
    );
}
