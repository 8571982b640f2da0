//! [`Handed`]: what a mail server made of a letter.

/// What a mail server made of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It has it, and is responsible for it (RFC 5321, 4.2.5).
    Accepted,
    /// It never takes it: this recipient, or this text (5yz).
    Refused {
        /// Of the reply.
        code: u16,
        /// Its first line.
        reply: String,
    },
    /// It takes it later (4yz).
    Postponed {
        /// Of the reply.
        code: u16,
        /// Its first line.
        reply: String,
    },
    /// The server did not come so far as to judge the letter.
    Failed {
        /// How far it came.
        step: Step,
        /// For the log.
        detail: String,
    },
}

/// How far an attempt had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Connecting, with TLS.
    Connecting,
    /// Signing in.
    SigningIn,
    /// Saying who sends and who gets it.
    Addressing,
    /// Giving the text. The server may have it.
    Giving,
}

impl Handed {
    /// Whether the server may have the letter although it did not say so.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Handed::Failed { step, .. } => match step {
                Step::Giving => true,
                Step::Connecting | Step::SigningIn | Step::Addressing => false,
            },
            Handed::Accepted | Handed::Refused { .. } | Handed::Postponed { .. } => false,
        }
    }

    /// What is read in the list of what was sent.
    pub fn chinese(&self) -> String {
        match self {
            Handed::Accepted => "邮件服务器已接收".to_owned(),
            Handed::Refused { code, reply } => format!("邮件服务器拒收（{code} {reply}）"),
            Handed::Postponed { code, reply } => format!("邮件服务器要求稍后再发（{code} {reply}）"),
            Handed::Failed { step, .. } => match step {
                Step::Connecting => "无法连接邮件服务器",
                Step::SigningIn => "无法登录邮件服务器",
                Step::Addressing => "邮件服务器未受理",
                Step::Giving => "邮件服务器未答复即断开或超时",
            }
            .to_owned(),
        }
    }
}
