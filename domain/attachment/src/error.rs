//! [`AttachmentError`]: why a file is not taken.

use crate::digest::Digest;

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// It has more bytes than one may have.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// As many are accepted.
        limit: u64,
    },
    /// What it is to be called is no file name.
    #[error("the file name {0}")]
    Name(NameFault),
    /// What it is declared as is no media type.
    #[error("the media type must be of the form type/subtype")]
    MediaType,
    /// What it is declared as is not accepted here.
    #[error("files of type {media_type} are not accepted")]
    NotAccepted {
        /// As declared.
        media_type: String,
    },
    /// Its bytes are a program or a page that a browser would run.
    #[error("programs, scripts and web pages are not accepted")]
    Dangerous,
    /// Its bytes are not what it is declared as.
    #[error("the file does not begin as {media_type} does")]
    OtherThanDeclared {
        /// As declared.
        media_type: String,
    },
    /// An entry has too many.
    #[error("at most {most} attachments are accepted")]
    TooMany {
        /// As many are accepted.
        most: usize,
    },
    /// An entry has the same bytes twice.
    #[error("the same file is there twice ({digest})")]
    Twice {
        /// Of the bytes.
        digest: Digest,
    },
}

/// What is wrong with a file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// There is none.
    #[error("is missing")]
    Missing,
    /// It is longer than file systems take.
    #[error("is longer than 255 bytes")]
    TooLong,
    /// It has a part of a path.
    #[error("must not contain a path")]
    Path,
    /// It has a character that is not shown, or that turns the order of those shown.
    #[error("must not contain control characters")]
    Hidden,
    /// It ends as a program does.
    #[error("is that of a program, a script or a web page")]
    Program,
}

impl AttachmentError {
    /// The reason as an official reads it.
    pub fn chinese(&self) -> String {
        match self {
            Self::Empty => "文件是空的".to_owned(),
            Self::TooLarge { limit } => format!("文件过大，最大{}", size(*limit)),
            Self::Name(fault) => fault.chinese().to_owned(),
            Self::MediaType => "文件类型（Content-Type）格式不正确".to_owned(),
            Self::NotAccepted { media_type } => format!("不接收此类型的文件（{media_type}）"),
            Self::Dangerous => "不接收程序、脚本或网页文件".to_owned(),
            Self::OtherThanDeclared { media_type } => {
                format!("文件内容与所声明的类型（{media_type}）不符")
            }
            Self::TooMany { most } => format!("附件最多{most}个"),
            Self::Twice { .. } => "同一文件重复".to_owned(),
        }
    }
}

impl NameFault {
    fn chinese(self) -> &'static str {
        match self {
            Self::Missing => "请填写文件名",
            Self::TooLong => "文件名过长",
            Self::Path => "文件名不能包含路径",
            Self::Hidden => "文件名不能包含控制字符",
            Self::Program => "不接收程序、脚本或网页文件",
        }
    }
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1024 * 1024;
    if bytes >= MEBIBYTE { format!("{}MB", bytes / MEBIBYTE) } else { format!("{bytes}字节") }
}
