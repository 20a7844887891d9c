//! Why a person is not let in, or may not do something, in English and Chinese.

use super::Act;
use std::fmt;
use vocabulary::{Role, UserId};

/// Why not. Nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The name or the password is wrong.
    Wrong,
    /// Too many wrong passwords.
    Locked {
        /// Until then, milliseconds since 1970 UTC.
        until_ms: i64,
    },
    /// The account is disabled.
    Disabled,
    /// Too many sign in at once.
    Busy,
    /// The password has to be changed first.
    MustChange,
    /// What was known of the person is not so any more: signed in anew it is.
    Stale,
    /// None of the person's roles may do it.
    NotPermitted {
        /// What.
        act: Act,
    },
    /// The password given to sign is another person's.
    OtherPerson,
    /// A new password that does not keep to the rules.
    Password {
        /// What is wrong, in English.
        en: String,
        /// The same in Chinese.
        zh: String,
    },
    /// A name that cannot be signed in with.
    Name {
        /// As given.
        given: String,
    },
    /// A reason or a name in full is missing, or too long.
    Text {
        /// Which.
        field: &'static str,
    },
    /// There is one already.
    Exists(UserId),
    /// There is none.
    NoSuchUser(UserId),
    /// Nobody does this to the own account.
    Own,
    /// An administrator holds one role and no other.
    Roles(Vec<Role>),
    /// Without this account nobody could do it any more.
    Last(Role),
    /// It has changed since it was read.
    Changed,
    /// The local door is for administrators' accounts only.
    LocalOnlyAdministrators,
    /// The ledger cannot be read or takes nothing.
    Broken(String),
}

/// A name for the account is so long at most.
pub(super) const NAME_CHARS_MAX: usize = 32;

impl Refused {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Locked { .. } => "locked",
            Self::Disabled => "disabled",
            Self::Busy => "busy",
            Self::MustChange => "must_change_password",
            Self::Stale => "stale",
            Self::NotPermitted { .. } => "not_permitted",
            Self::OtherPerson => "other_person",
            Self::Password { .. } => "password_rules",
            Self::Name { .. } => "name",
            Self::Text { .. } => "text",
            Self::Exists(_) => "exists",
            Self::NoSuchUser(_) => "no_such_user",
            Self::Own => "own_account",
            Self::Roles(_) => "roles",
            Self::Last(_) => "last_administrator",
            Self::Changed => "changed",
            Self::LocalOnlyAdministrators => "local_only_administrators",
            Self::Broken(_) => "unavailable",
        }
    }

    /// Whether it says no to a name and a password; who is not let in is not told why.
    #[must_use]
    pub fn is_about_the_door(&self) -> bool {
        match self {
            Self::Wrong | Self::Locked { .. } | Self::Disabled => true,
            Self::Busy
            | Self::MustChange
            | Self::Stale
            | Self::NotPermitted { .. }
            | Self::OtherPerson
            | Self::Password { .. }
            | Self::Name { .. }
            | Self::Text { .. }
            | Self::Exists(_)
            | Self::NoSuchUser(_)
            | Self::Own
            | Self::Roles(_)
            | Self::Last(_)
            | Self::Changed
            | Self::LocalOnlyAdministrators
            | Self::Broken(_) => false,
        }
    }

    /// Whether the person has to sign in anew.
    #[must_use]
    pub fn ends_a_session(&self) -> bool {
        matches!(self, Self::Disabled | Self::Stale)
    }

    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Wrong => "the name or the password is wrong, or the account is locked for a while or disabled".into(),
            Self::Locked { .. } => "too many wrong passwords; try again later, or have the password reset".into(),
            Self::Disabled => "the account is disabled".into(),
            Self::Busy => "too many sign in at this moment; try again".into(),
            Self::MustChange => "change the password first: it was set by somebody else, or is too old".into(),
            Self::Stale => "the account has changed since; sign in again".into(),
            Self::NotPermitted { act } => {
                let roles: Vec<&str> = act.roles().iter().map(|role| role.name()).collect();
                format!("{} is for {}", act.name(), roles.join(", "))
            }
            Self::OtherPerson => "the password is not that of the person who is signed in".into(),
            Self::Password { en, .. } => en.clone(),
            Self::Name { given } => format!(
                "{given:?} cannot be the name of an account: 2 to {NAME_CHARS_MAX} of a–z, 0–9, '.', '-' and '_', a letter first"
            ),
            Self::Text { field } => format!("{field}: 1 to 500 characters, please"),
            Self::Exists(user) => format!("there is an account {user} already"),
            Self::NoSuchUser(user) => format!("there is no account {user}"),
            Self::Own => "nobody does this to the own account; ask another administrator".into(),
            Self::Roles(roles) => {
                let roles: Vec<&str> = roles.iter().map(|role| role.name()).collect();
                format!(
                    "{}: an administrator holds one role and no other; the three are separated (MLPS level 3)",
                    roles.join(", ")
                )
            }
            Self::Last(role) => format!("this is the last account that can sign in as {role}; make another first"),
            Self::Changed => "the account has changed since it was read; look again".into(),
            Self::LocalOnlyAdministrators => {
                "without signing in only administrators' accounts can be made or opened, on a stopped data directory; \
                 sign in as one (--as NAME)"
                    .into()
            }
            Self::Broken(why) => format!("the ledger takes nothing now: {why}"),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Wrong => "用户名或密码错误，或账户已被暂时锁定或停用".into(),
            Self::Locked { .. } => "密码错误次数过多，请稍后再试，或请安全管理员重置密码".into(),
            Self::Disabled => "账户已停用".into(),
            Self::Busy => "同时登录的人过多，请重试".into(),
            Self::MustChange => "请先修改密码：密码由他人设置，或已过期".into(),
            Self::Stale => "账户已变更，请重新登录".into(),
            Self::NotPermitted { act } => {
                let roles: Vec<&str> = act.roles().iter().map(|role| role.chinese()).collect();
                format!("“{}”仅限{}", act.chinese(), roles.join("、"))
            }
            Self::OtherPerson => "密码不属于当前登录者".into(),
            Self::Password { zh, .. } => zh.clone(),
            Self::Name { given } => format!(
                "{given:?}不能作为用户名：2至{NAME_CHARS_MAX}个字符，限a–z、0–9、“.”、“-”、“_”，以字母开头"
            ),
            Self::Text { field } => format!("{field}：请填写1至500个字符"),
            Self::Exists(user) => format!("账户{user}已存在"),
            Self::NoSuchUser(user) => format!("没有账户{user}"),
            Self::Own => "不得对本人账户执行此操作，请由其他管理员执行".into(),
            Self::Roles(_) => "管理员只能担任一个角色；三员分立（等保三级）".into(),
            Self::Last(role) => format!("这是最后一个可登录的{}，请先另设一名", role.chinese()),
            Self::Changed => "账户已被他人修改，请重新查看".into(),
            Self::LocalOnlyAdministrators => {
                "未登录时，仅可在已停止的数据目录上新建或启用管理员账户；其他操作请登录（--as 用户名）".into()
            }
            Self::Broken(why) => format!("账本暂不可写：{why}"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for Refused {}

impl From<ledger::ReadError> for Refused {
    fn from(error: ledger::ReadError) -> Self {
        Self::Broken(error.to_string())
    }
}
