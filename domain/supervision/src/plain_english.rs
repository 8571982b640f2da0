//! What is asked and how things stand, in the English of errors: words, no names of code.

use std::fmt::Debug;

use crate::assignment::Action;

/// A name of code as words: `ExtensionRefusalNote` is an extension refusal note.
pub(crate) fn words(name: &impl Debug) -> String {
    let mut said = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_ascii_uppercase() && !said.is_empty() {
            said.push(' ');
        }
        said.push(letter.to_ascii_lowercase());
    }
    said
}

/// What is asked of a task or an assignment, after "cannot".
pub(crate) fn english(action: &Action) -> &'static str {
    match action {
        Action::Issue => "issue",
        Action::Sign => "sign",
        Action::Deploy => "deploy",
        Action::Report => "report",
        Action::Submit => "submit completion",
        Action::Accept | Action::SendBack => "verify",
        Action::CloseWithTask => "close with the task",
        Action::Withdraw => "withdraw",
        Action::Revise => "revise",
        Action::RequestExtension => "request an extension",
        Action::DecideExtension => "decide on an extension",
        Action::Return => "return",
        Action::RefuseReturn => "refuse a return",
        Action::Reassign => "reassign",
        Action::Suspend => "suspend",
        Action::Resume => "resume",
        Action::Wait => "wait for another unit",
        Action::DecideWait => "decide on a wait",
        Action::EndWait => "end a wait",
        Action::Recheck => "recheck",
        Action::Reopen => "reopen",
        Action::Press => "urge",
        Action::Circumstance => "record what has become known",
        Action::Instruct => "give an instruction",
        Action::AddCooperating => "add cooperating units",
        Action::Delegate => "delegate",
        Action::ReachMilestone => "report a milestone reached",
        Action::SendBackMilestone => "send a milestone back",
        Action::GiveFigure => "give a figure",
    }
}

#[cfg(test)]
mod tests {
    use crate::assignment::{Action, AssignmentState};
    use crate::error::{NotEmpty, SupervisionError};

    #[test]
    fn errors_name_nothing_of_the_code() {
        let empty = SupervisionError::Empty(NotEmpty::ExtensionRefusalNote);
        assert_eq!(empty.to_string(), "the extension refusal note must be given");
        for action in Action::ALL {
            for state in AssignmentState::ALL {
                let said = SupervisionError::AssignmentRefused { action, state }.to_string();
                assert!(!said.contains(|letter: char| letter.is_ascii_uppercase()), "{said}");
            }
        }
        let refused =
            SupervisionError::AssignmentRefused { action: Action::Press, state: AssignmentState::InProgress };
        assert_eq!(refused.to_string(), "cannot urge while the assignment is in progress");
    }

    #[test]
    fn a_refusal_in_chinese_has_no_half_width_punctuation() {
        for action in Action::ALL {
            for state in AssignmentState::ALL {
                let said = SupervisionError::AssignmentRefused { action, state }.chinese();
                assert!(!said.contains([',', ';', ':', '(', ')', '!', '?']), "{said}");
            }
        }
        let day = time::macros::date!(2023 - 06 - 19);
        let said = SupervisionError::DayPassed { day }.chinese();
        assert_eq!(said, "日期（2023年6月19日）应晚于今天");
    }
}
