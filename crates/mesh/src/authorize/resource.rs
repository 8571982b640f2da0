//! What permission depends on in a record.

/// Who may see a record beyond the people who work on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Whoever may perform a reading action at all may read it.
    Public,
    /// Whoever's grants reach it.
    #[default]
    Internal,
    /// Of those, only whose grants name one of its units or groups, and the roles that see
    /// everything.
    Restricted,
}

impl Visibility {
    /// What the proto says; unspecified is taken as internal.
    pub fn from_proto(visibility: xietong_proto::common::Visibility) -> Self {
        match visibility {
            xietong_proto::common::Visibility::Public => Self::Public,
            xietong_proto::common::Visibility::Unspecified | xietong_proto::common::Visibility::Internal => {
                Self::Internal
            }
            xietong_proto::common::Visibility::Restricted => Self::Restricted,
        }
    }

    /// As the proto says it.
    pub fn to_proto(self) -> xietong_proto::common::Visibility {
        match self {
            Self::Public => xietong_proto::common::Visibility::Public,
            Self::Internal => xietong_proto::common::Visibility::Internal,
            Self::Restricted => xietong_proto::common::Visibility::Restricted,
        }
    }
}

/// What permission depends on in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Units whose record it is, as `units/{slug}`. For an act on one assignment: its unit.
    pub units: Vec<String>,
    /// Groups whose record it is, as `groups/{id}`.
    pub groups: Vec<String>,
    /// Officials whose own record it is, as `officials/{id}`.
    pub officials: Vec<String>,
    /// Subject whose own record it is.
    pub creator: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// For a restricted record: further units that may see it.
    pub restricted_units: Vec<String>,
}

impl Resource {
    /// A record of nobody in particular, such as an entry of the directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds units whose record it is.
    #[must_use]
    pub fn of_units(mut self, units: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.units.extend(units.into_iter().map(Into::into));
        self
    }

    /// Adds groups whose record it is.
    #[must_use]
    pub fn of_groups(mut self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.groups.extend(groups.into_iter().map(Into::into));
        self
    }

    /// Adds an official whose own record it is.
    #[must_use]
    pub fn of_official(mut self, official: impl Into<String>) -> Self {
        self.officials.push(official.into());
        self
    }

    /// Names the subject whose own record it is.
    #[must_use]
    pub fn created_by(mut self, subject: impl Into<String>) -> Self {
        self.creator = Some(subject.into());
        self
    }

    /// Sets who may see it, and the further units that may if that is restricted.
    #[must_use]
    pub fn visible_to(
        mut self,
        visibility: Visibility,
        restricted_units: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.visibility = visibility;
        self.restricted_units.extend(restricted_units.into_iter().map(Into::into));
        self
    }
}
