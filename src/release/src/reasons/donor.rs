//! What bars issue because of the donor, said.

use crate::donor::Bar;
use crate::evidence::{EarlierCall, RegisterState};
use crate::say::{Said, Say, said};

impl Say for Bar<'_> {
    fn en(&self) -> Said {
        match self {
            Self::Register { state, reason } => {
                let state = match state {
                    RegisterState::Eligible => "eligible",
                    RegisterState::TempDeferred => "deferred for a time",
                    RegisterState::ReentryTesting => "being examined for re-entry",
                    RegisterState::PermDeferred => "deferred for good",
                };
                let why = reason.as_ref().map_or_else(String::new, |why| format!(": {why}"));
                said!("the register says {state}{why}")
            }
            Self::Earlier { donation, marker, result } => {
                let result = match result {
                    EarlierCall::NonReactive => "non-reactive",
                    EarlierCall::ConfirmedNegative => "reactive, not confirmed, and no re-entry is approved",
                    EarlierCall::Indeterminate => "indeterminate",
                    EarlierCall::Reactive => "reactive",
                    EarlierCall::ConfirmedPositive => "confirmed positive",
                };
                said!(
                    "earlier donation {donation} was {result} for {marker}; a later negative takes nothing back"
                )
            }
            Self::Examined { test, on, marker } => said!(
                "test {test} of {on}, of an examination for re-entry, found {marker}; another examination that is begun takes \
                 nothing back"
            ),
            Self::Later { donation, marker } => {
                said!(
                    "later donation {donation} asks for this one to be looked back on for {marker}, until two people have cleared that look-back and it is closed"
                )
            }
        }
    }

    fn zh(&self) -> Said {
        match self {
            Self::Register { state, reason } => {
                let state = match state {
                    RegisterState::Eligible => "可献血",
                    RegisterState::TempDeferred => "暂时屏蔽",
                    RegisterState::ReentryTesting => "归队检测中",
                    RegisterState::PermDeferred => "永久屏蔽",
                };
                let why = reason.as_ref().map_or_else(String::new, |why| format!("：{why}"));
                said!("屏蔽登记为{state}{why}")
            }
            Self::Earlier { donation, marker, result } => {
                let result = match result {
                    EarlierCall::NonReactive => "无反应性",
                    EarlierCall::ConfirmedNegative => "有反应性、确证阴性、归队未批准",
                    EarlierCall::Indeterminate => "不确定",
                    EarlierCall::Reactive => "有反应性",
                    EarlierCall::ConfirmedPositive => "确证阳性",
                };
                said!("既往献血 {donation} 的 {marker} {result}；其后的阴性结果不能抵消")
            }
            Self::Examined { test, on, marker } => {
                said!("归队检查 {on} 的检测 {test} 检出 {marker}；另行开始检查不能抵消")
            }
            Self::Later { donation, marker } => {
                said!(
                    "其后献血 {donation} 检出 {marker}，须对本次献血回溯，直至两人在该回溯中确认可发出且回溯已关闭"
                )
            }
        }
    }
}
