//! What may be done, and which roles may do it. One table, read by everybody.

use Role::{
    AuditAdministrator, QcOfficer, ReferenceLaboratory, Releaser, Reviewer, SecurityAdministrator,
    SystemAdministrator, Technician,
};
use serde::Serialize;
use vocabulary::Role;

macro_rules! acts {
    ($($(#[$doc:meta])* $act:ident = $name:literal, $zh:literal, [$($role:ident),*];)*) => {
        /// Something a person does that not everybody may do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Act { $($(#[$doc])* #[serde(rename = $name)] $act,)* }

        impl Act {
            /// Every act.
            pub const ALL: &[Self] = &[$(Self::$act,)*];

            /// Its name, stable.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$act => $name,)* }
            }

            /// Its name in Chinese.
            #[must_use]
            pub fn chinese(self) -> &'static str {
                match self { $(Self::$act => $zh,)* }
            }

            /// The roles that may do it.
            #[must_use]
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$act => &[$($role),*],)* }
            }
        }
    };
}

acts! {
    /// See donations, results, verdicts and batches.
    ReadLaboratory = "read_laboratory", "查看检验数据",
        [Technician, Reviewer, Releaser, QcOfficer, ReferenceLaboratory];
    /// See what everybody did.
    ReadAudit = "read_audit", "查看审计记录", [AuditAdministrator];
    /// See accounts.
    ReadUsers = "read_users", "查看用户", [SystemAdministrator, SecurityAdministrator, AuditAdministrator];
    /// Register a donation by hand.
    RegisterDonation = "register_donation", "登记献血", [Technician, Reviewer, Releaser];
    /// Place, change and cancel orders.
    PlaceOrder = "place_order", "下达检测申请",
        [Technician, Reviewer, Releaser, QcOfficer, ReferenceLaboratory];
    /// Register components of a donation and where each goes.
    RecordComponent = "record_component", "登记血液成分", [Technician, Reviewer, Releaser];
    /// Send a delivery on its way again.
    RequeueDelivery = "requeue_delivery", "重新发送", [Technician, Reviewer, Releaser, SystemAdministrator];
    /// Put a batch together.
    OpenBatch = "open_batch", "建立批次", [Technician, Reviewer, Releaser];
    /// Sign the technical review (R-GATE-10).
    ReviewBatch = "review_batch", "审核", [Reviewer];
    /// Sign the release (R-GATE-10, R-GATE-14), and set gates aside where the pack allows it.
    ReleaseBatch = "release_batch", "签发放行", [Releaser];
    /// Hold a donation.
    HoldDonation = "hold_donation", "暂扣", [Technician, Reviewer, Releaser, QcOfficer, ReferenceLaboratory];
    /// Lift a hold that a person made.
    LiftHold = "lift_hold", "解除暂扣", [Reviewer, Releaser];
    /// Take failing units out, counted by hand (R-GATE-13).
    DiscardDonation = "discard_donation", "报废", [Technician, Reviewer, Releaser];
    /// Declare a run invalid after the fact, confirm that, or be one of two who make it valid again.
    InvalidateRun = "invalidate_run", "判定批次无效", [Reviewer, QcOfficer];
    /// Close a recall.
    CloseRecall = "close_recall", "关闭召回", [Releaser, QcOfficer];
    /// Write a line of the deferral register.
    DeferDonor = "defer_donor", "屏蔽献血者", [Reviewer, QcOfficer, ReferenceLaboratory];
    /// Let a donor give again: after a deferral for a time, or an examination that the pack finds whole.
    ReinstateDonor = "reinstate_donor", "恢复献血资格", [Releaser];
    /// Record a donation that is known from elsewhere.
    RecordEarlier = "record_earlier", "补录既往献血", [Technician, Reviewer, ReferenceLaboratory];
    /// One of the two names under a donation that was recorded by mistake.
    TakeBackRecord = "take_back_record", "撤销补录", [Reviewer, Releaser, ReferenceLaboratory];
    /// Record what a confirmatory laboratory said.
    RecordConfirmatory = "record_confirmatory", "录入确证结果", [Reviewer, ReferenceLaboratory];
    /// Examine a donor for re-entry.
    ExamineDonor = "examine_donor", "归队检查", [Reviewer, ReferenceLaboratory];
    /// One of the two names under the end of an inquiry into a blood group.
    SettleGroup = "settle_group", "血型复核定论", [Reviewer, ReferenceLaboratory];
    /// One of the two names under a number that was typed in at an analyser (R-GATE-09).
    CheckNumber = "check_number", "核对手工录入编号", [Technician, Reviewer, ReferenceLaboratory];
    /// One of the two names under a duplicate on another lot or analyser (R-SER-02).
    AcceptDuplicate = "accept_duplicate", "接受异批号复检", [Reviewer, QcOfficer];
    /// One of the two names under which version of a result stands (R-GATE-15).
    SettleResult = "settle_result", "确认结果版本", [Reviewer, ReferenceLaboratory];
    /// One of the two names under which registration of a donation stands, whose number was registered for two (R-GATE-09).
    SettleRegistration = "settle_registration", "确认献血登记", [Reviewer, Releaser];
    /// Say what came of a task for a donation's donor.
    CloseDonorTask = "close_donor_task", "关闭献血者待办", [Reviewer, QcOfficer, ReferenceLaboratory];
    /// Do a step of a look-back.
    DoLookback = "do_lookback", "办理回溯", [Releaser, QcOfficer];
    /// Release quality control after corrective action.
    ReleaseQc = "release_qc", "质控纠正后放行", [QcOfficer];
    /// Settle what an analyser's message left open.
    ResolveFinding = "resolve_finding", "处理异常", [Technician, Reviewer, QcOfficer];
    /// Say what an unknown code of an analyser means.
    MapCode = "map_code", "映射代码", [Reviewer, QcOfficer];
    /// Have messages interpreted anew.
    Reprocess = "reprocess", "重新解释消息", [Reviewer, QcOfficer];
    /// One of the two names under the activation of a profile's revision.
    ActivateProfile = "activate_profile", "启用仪器配置", [Reviewer, QcOfficer, SystemAdministrator];
    /// One of the two names under the activation of a rule pack.
    ActivateRules = "activate_rules", "启用规则包", [Reviewer, Releaser, QcOfficer];
    /// One of the two names under kits that come into force.
    ActivateKits = "activate_kits", "启用试剂盒规则", [Reviewer, QcOfficer];
    /// Write down whether an analyser is fit and what an operator may run (R-GATE-07, R-GATE-08), or be the second to agree.
    RecordFitness = "record_fitness", "登记仪器与操作者资格", [Reviewer, QcOfficer];
    /// Make an account; it has no role yet.
    AddUser = "add_user", "新增用户", [SystemAdministrator];
    /// Close an account.
    DisableUser = "disable_user", "停用用户", [SystemAdministrator];
    /// Open an account again.
    EnableUser = "enable_user", "启用用户", [SystemAdministrator];
    /// Give roles and take them.
    GrantRoles = "grant_roles", "授予角色", [SecurityAdministrator];
    /// Set another person's password; ends a lock-out.
    ResetPassword = "reset_password", "重置密码", [SecurityAdministrator];
}

impl Act {
    /// Whether somebody with these roles may do it.
    #[must_use]
    pub fn is_for(self, roles: &[Role]) -> bool {
        self.roles().iter().any(|role| roles.contains(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By role, in the order of [`Role::ALL`]: technician, reviewer, releaser, QC officer, reference laboratory,
    /// system, security and audit administrator.
    const TABLE: &[(Act, [u8; 8])] = &[
        (Act::ReadLaboratory, [1, 1, 1, 1, 1, 0, 0, 0]),
        (Act::ReadAudit, [0, 0, 0, 0, 0, 0, 0, 1]),
        (Act::ReadUsers, [0, 0, 0, 0, 0, 1, 1, 1]),
        (Act::RegisterDonation, [1, 1, 1, 0, 0, 0, 0, 0]),
        (Act::PlaceOrder, [1, 1, 1, 1, 1, 0, 0, 0]),
        (Act::RecordComponent, [1, 1, 1, 0, 0, 0, 0, 0]),
        (Act::RequeueDelivery, [1, 1, 1, 0, 0, 1, 0, 0]),
        (Act::OpenBatch, [1, 1, 1, 0, 0, 0, 0, 0]),
        (Act::ReviewBatch, [0, 1, 0, 0, 0, 0, 0, 0]),
        (Act::ReleaseBatch, [0, 0, 1, 0, 0, 0, 0, 0]),
        (Act::HoldDonation, [1, 1, 1, 1, 1, 0, 0, 0]),
        (Act::LiftHold, [0, 1, 1, 0, 0, 0, 0, 0]),
        (Act::DiscardDonation, [1, 1, 1, 0, 0, 0, 0, 0]),
        (Act::InvalidateRun, [0, 1, 0, 1, 0, 0, 0, 0]),
        (Act::CloseRecall, [0, 0, 1, 1, 0, 0, 0, 0]),
        (Act::DeferDonor, [0, 1, 0, 1, 1, 0, 0, 0]),
        (Act::ReinstateDonor, [0, 0, 1, 0, 0, 0, 0, 0]),
        (Act::RecordEarlier, [1, 1, 0, 0, 1, 0, 0, 0]),
        (Act::TakeBackRecord, [0, 1, 1, 0, 1, 0, 0, 0]),
        (Act::RecordConfirmatory, [0, 1, 0, 0, 1, 0, 0, 0]),
        (Act::ExamineDonor, [0, 1, 0, 0, 1, 0, 0, 0]),
        (Act::SettleGroup, [0, 1, 0, 0, 1, 0, 0, 0]),
        (Act::CheckNumber, [1, 1, 0, 0, 1, 0, 0, 0]),
        (Act::AcceptDuplicate, [0, 1, 0, 1, 0, 0, 0, 0]),
        (Act::SettleResult, [0, 1, 0, 0, 1, 0, 0, 0]),
        (Act::SettleRegistration, [0, 1, 1, 0, 0, 0, 0, 0]),
        (Act::CloseDonorTask, [0, 1, 0, 1, 1, 0, 0, 0]),
        (Act::DoLookback, [0, 0, 1, 1, 0, 0, 0, 0]),
        (Act::ReleaseQc, [0, 0, 0, 1, 0, 0, 0, 0]),
        (Act::ResolveFinding, [1, 1, 0, 1, 0, 0, 0, 0]),
        (Act::MapCode, [0, 1, 0, 1, 0, 0, 0, 0]),
        (Act::Reprocess, [0, 1, 0, 1, 0, 0, 0, 0]),
        (Act::ActivateProfile, [0, 1, 0, 1, 0, 1, 0, 0]),
        (Act::ActivateRules, [0, 1, 1, 1, 0, 0, 0, 0]),
        (Act::ActivateKits, [0, 1, 0, 1, 0, 0, 0, 0]),
        (Act::RecordFitness, [0, 1, 0, 1, 0, 0, 0, 0]),
        (Act::AddUser, [0, 0, 0, 0, 0, 1, 0, 0]),
        (Act::DisableUser, [0, 0, 0, 0, 0, 1, 0, 0]),
        (Act::EnableUser, [0, 0, 0, 0, 0, 1, 0, 0]),
        (Act::GrantRoles, [0, 0, 0, 0, 0, 0, 1, 0]),
        (Act::ResetPassword, [0, 0, 0, 0, 0, 0, 1, 0]),
    ];

    #[test]
    fn every_role_may_do_exactly_what_the_table_says() {
        let acts: Vec<Act> = TABLE.iter().map(|(act, _)| *act).collect();
        assert_eq!(acts, Act::ALL, "every act stands in the table once");
        for (act, expect) in TABLE {
            for (role, expect) in Role::ALL.into_iter().zip(expect) {
                assert_eq!(act.is_for(&[role]), *expect == 1, "{role} {}", act.name());
            }
            assert!(!act.is_for(&[]), "nobody without a role may {}", act.name());
        }
    }

    #[test]
    fn no_administrator_judges_blood_and_nobody_who_judges_blood_gives_roles() {
        for act in [Act::ReviewBatch, Act::ReleaseBatch, Act::LiftHold, Act::ReadLaboratory] {
            assert!(act.roles().iter().all(|role| !role.is_administrator()), "{}", act.name());
        }
        for act in [Act::AddUser, Act::GrantRoles, Act::ResetPassword, Act::ReadAudit] {
            assert!(act.roles().iter().all(|role| role.is_administrator()), "{}", act.name());
        }
    }
}
