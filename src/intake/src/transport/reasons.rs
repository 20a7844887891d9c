//! What every transport says of a line in the same words.

use crate::said::Said;
use std::time::Duration;

/// hemogate stops, or the line was taken out of service.
pub(crate) fn stopped() -> Said {
    Said::new("stopped", "已停止")
}

/// In good order, by the other end.
pub(crate) fn closed() -> Said {
    Said::new("the analyser has closed the connection", "仪器已关闭连接")
}

/// Not in good order.
pub(crate) fn broke(fault: &Said) -> Said {
    fault.clone().behind("the connection broke: ", "连接中断:")
}

/// A reason, and when the next attempt is.
pub(crate) fn again(reason: Said, pause: Duration) -> Said {
    let ms = pause.as_millis();
    reason.and(format!("; next attempt in {ms} ms"), format!(";{ms} 毫秒后重试"))
}
