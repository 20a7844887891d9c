//! People: what they may be.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person is here. Laboratory roles may be held together; an administrator holds one role and no other (MLPS
/// level 3: three separated administrators).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works at the analysers (检验技师).
    Technician,
    /// Reviews results (审核).
    Reviewer,
    /// Releases donations and issues reports (签发).
    Releaser,
    /// Answers for quality control (质控).
    QcOfficer,
    /// Reference laboratory (参比实验室).
    ReferenceLaboratory,
    /// Runs the system: accounts, lines, revisions (系统管理员).
    SystemAdministrator,
    /// Gives roles, resets passwords, ends lock-outs (安全管理员).
    SecurityAdministrator,
    /// Reads what everybody did (审计管理员).
    AuditAdministrator,
}

/// A text that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no role; there are technician, reviewer, releaser, qc_officer, reference_laboratory, \
     system_administrator, security_administrator and audit_administrator"
)]
pub struct UnknownRole(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Technician,
        Self::Reviewer,
        Self::Releaser,
        Self::QcOfficer,
        Self::ReferenceLaboratory,
        Self::SystemAdministrator,
        Self::SecurityAdministrator,
        Self::AuditAdministrator,
    ];

    /// Its name, stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Technician => "technician",
            Self::Reviewer => "reviewer",
            Self::Releaser => "releaser",
            Self::QcOfficer => "qc_officer",
            Self::ReferenceLaboratory => "reference_laboratory",
            Self::SystemAdministrator => "system_administrator",
            Self::SecurityAdministrator => "security_administrator",
            Self::AuditAdministrator => "audit_administrator",
        }
    }

    /// Its name in Chinese.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Technician => "检验技师",
            Self::Reviewer => "审核人",
            Self::Releaser => "签发人",
            Self::QcOfficer => "质控员",
            Self::ReferenceLaboratory => "参比实验室",
            Self::SystemAdministrator => "系统管理员",
            Self::SecurityAdministrator => "安全管理员",
            Self::AuditAdministrator => "审计管理员",
        }
    }

    /// Whether it is one of the three that are separated from each other and from the laboratory.
    #[must_use]
    pub fn is_administrator(self) -> bool {
        match self {
            Self::SystemAdministrator | Self::SecurityAdministrator | Self::AuditAdministrator => true,
            Self::Technician
            | Self::Reviewer
            | Self::Releaser
            | Self::QcOfficer
            | Self::ReferenceLaboratory => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let meant = text.trim().replace('-', "_");
        Self::ALL.into_iter().find(|role| role.name() == meant).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(role.name().replace('_', "-").parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("{:?}", role.name()));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
