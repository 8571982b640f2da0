//! Between protos and templates.

use domain_notification::{Field, NoticeData, Sample, TemplateKind, TemplateText, Words};
use xietong_mesh::Error;
use xietong_mesh::convert::encode_time;
use xietong_mesh::input::text;
use xietong_proto::notification as proto;

use super::convert::kind;
use crate::store::StoredVersion;

/// Characters of a ground, at most.
const LONGEST_GROUND: usize = 1_000;

/// The template that a request names.
pub(crate) fn template_kind(name: &str) -> Result<TemplateKind, Error> {
    let word = name.strip_prefix("templates/").unwrap_or_default();
    word.parse().map_err(|_| Error::not_found(name))
}

/// Words as a request gives them: lines end as everywhere, whatever the caller's machine ends them with.
pub(crate) fn given(title: &str, body: &str) -> TemplateText {
    let lines = |text: &str| text.replace("\r\n", "\n");
    TemplateText { title: lines(title), body: lines(body) }
}

/// Why something is done, which must be said.
pub(crate) fn ground(given: &str) -> Result<String, Error> {
    let ground = text("ground", given.trim().to_owned(), LONGEST_GROUND)?;
    if ground.is_empty() {
        return Err(Error::invalid("ground", "must be given", "请填写理由"));
    }
    Ok(ground)
}

/// The words of a version; of none: the built-in ones.
pub(crate) fn text_of(template: TemplateKind, version: Option<&StoredVersion>) -> TemplateText {
    version.and_then(|version| version.text.clone()).unwrap_or_else(|| template.built_in())
}

/// A template in a version; none: in the built-in one.
pub(crate) fn encode_template(template: TemplateKind, version: Option<&StoredVersion>) -> proto::Template {
    let text = text_of(template, version);
    let number = version.map_or(0, |version| version.version);
    proto::Template {
        name: format!("templates/{template}"),
        display_name: template.chinese().to_owned(),
        kind: kind(template.notice()).into(),
        version: number,
        title: text.title,
        body: text.body,
        built_in: version.is_none_or(|version| version.text.is_none()),
        fields: Vec::new(),
        etag: number.to_string(),
        update_time: version.map(|version| encode_time(version.created_at)),
        fail_time: version.and_then(|version| version.failed_at).map(encode_time),
    }
}

/// What a template may use.
pub(crate) fn encode_fields(template: TemplateKind) -> Vec<proto::TemplateField> {
    let encode = |field: &'static Field| {
        let Field { name, meaning, optional } = field;
        proto::TemplateField {
            name: (*name).to_owned(),
            meaning: (*meaning).to_owned(),
            example: template.example(field),
            optional: *optional,
        }
    };
    template.fields().map(encode).collect()
}

/// A version; none: the built-in one.
pub(crate) fn encode_version(
    template: TemplateKind,
    version: Option<&StoredVersion>,
) -> proto::TemplateVersion {
    let text = text_of(template, version);
    let number = version.map_or(0, |version| version.version);
    proto::TemplateVersion {
        name: format!("templates/{template}/versions/{number}"),
        version: number,
        title: text.title,
        body: text.body,
        built_in: version.is_none_or(|version| version.text.is_none()),
        reverts_to: version.and_then(|version| version.reverts_to),
        author: version.map(|version| version.author.clone()).unwrap_or_default(),
        ground: version.map(|version| version.ground.clone()).unwrap_or_default(),
        create_time: version.map(|version| encode_time(version.created_at)),
        fail_time: version.and_then(|version| version.failed_at).map(encode_time),
    }
}

/// What data reads like; of no sample: a message's.
pub(crate) fn rendering(sample: Option<Sample>, words: Words, data: &NoticeData) -> proto::Rendering {
    let built_in = data.built_in_words();
    let sample = match sample {
        None => proto::TemplateSample::Unspecified,
        Some(Sample::Short) => proto::TemplateSample::Short,
        Some(Sample::Long) => proto::TemplateSample::Long,
        Some(Sample::Bare) => proto::TemplateSample::Bare,
    };
    proto::Rendering {
        sample: sample.into(),
        title: words.title,
        body: words.body,
        built_in_title: built_in.title,
        built_in_body: built_in.body,
    }
}

#[cfg(test)]
mod tests {
    use super::{given, ground, template_kind};
    use domain_notification::TemplateKind;

    #[test]
    fn only_names_of_templates_are_read() {
        assert_eq!(template_kind("templates/red-light"), Ok(TemplateKind::RedLight));
        for name in ["", "red-light", "templates/", "templates/teatime", "templates/red-light/versions/1"] {
            assert!(template_kind(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn lines_end_alike_and_a_ground_is_given() {
        assert_eq!(given("标题", "一\r\n二").body, "一\n二");
        assert_eq!(ground(" 统一口径 "), Ok("统一口径".to_owned()));
        assert!(ground(" ").is_err() && ground(&"字".repeat(1_001)).is_err());
    }
}
