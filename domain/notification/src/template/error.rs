//! [`TemplateError`]: why a text is no template, or says nothing of some data.

use std::fmt;

use super::sample::Sample;

/// What is wrong with a template, and with which part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The part.
    pub part: Part,
    /// The sample that it fails for; none: it fails for any, or for a real notice.
    pub sample: Option<Sample>,
    /// What is wrong.
    pub fault: Fault,
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The title.
    Title,
    /// The body.
    Body,
}

/// What may be wrong with a part, or with what it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// It has more characters than this.
    TooLong(usize),
    /// There are control characters in it.
    ControlCharacters,
    /// A title has more lines than one.
    SeveralLines,
    /// It cannot be read.
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What is expected there.
        detail: String,
    },
    /// It asks for something that notices of its kind do not have.
    UnknownField(String),
    /// It shows something that is not there in this case, or is nowhere.
    Absent {
        /// Counted from 1.
        line: usize,
    },
    /// It shows something that is neither text nor a number.
    NotText {
        /// Counted from 1.
        line: usize,
    },
    /// It goes on for too long, or makes too much.
    TooCostly,
    /// Something else that it does fails.
    Failed {
        /// Counted from 1.
        line: usize,
        /// What.
        detail: String,
    },
}

impl Part {
    /// The name of the field in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
        }
    }

    const fn chinese(self) -> &'static str {
        match self {
            Self::Title => "标题",
            Self::Body => "正文",
        }
    }
}

impl TemplateError {
    /// What a clerk is told of it.
    pub fn chinese(&self) -> String {
        let sample = match self.sample {
            Some(sample) => format!("（示例：{}）", sample.chinese()),
            None => String::new(),
        };
        format!("{}{sample}{}", self.part.chinese(), self.fault.chinese())
    }
}

impl Fault {
    fn chinese(&self) -> String {
        match self {
            Self::Empty => "不能为空".to_owned(),
            Self::TooLong(most) => format!("过长，最长{most}个字"),
            Self::ControlCharacters => "含有不可见的控制字符，请删除".to_owned(),
            Self::SeveralLines => "只能有一行，不能换行".to_owned(),
            Self::Syntax { line, .. } => format!("第{line}行书写有误，请检查花括号和语句是否成对"),
            Self::UnknownField(name) => format!("用到了没有的字段“{name}”，可用字段见模板说明"),
            Self::Absent { line } => {
                format!("第{line}行用到的内容在这种情况下没有，请用 if 语句判断后再使用")
            }
            Self::NotText { line } => format!("第{line}行用到的内容不是文字或数字，列表请逐项列出"),
            Self::TooCostly => "运算量过大，请简化".to_owned(),
            Self::Failed { line, .. } => format!("第{line}行不能执行，请检查所用的写法"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong(most) => write!(f, "has more than {most} characters"),
            Self::ControlCharacters => f.write_str("has control characters"),
            Self::SeveralLines => f.write_str("has more than one line"),
            Self::Syntax { line, detail } => write!(f, "cannot be read at line {line}: {detail}"),
            Self::UnknownField(name) => write!(f, "uses the unknown field {name:?}"),
            Self::Absent { line } => write!(f, "shows at line {line} what is not there"),
            Self::NotText { line } => write!(f, "shows at line {line} what is neither text nor a number"),
            Self::TooCostly => f.write_str("costs too much"),
            Self::Failed { line, detail } => write!(f, "fails at line {line}: {detail}"),
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {}", self.part.as_str())?;
        if let Some(sample) = self.sample {
            write!(f, " of the {} sample", sample.as_str())?;
        }
        write!(f, " {}", self.fault)
    }
}

impl std::error::Error for TemplateError {}
