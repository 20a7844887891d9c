//! What people read about a folder and its files, in both languages. Never a word of what is in a file.

use super::{
    look::{FILES_MAX, Listing},
    name::shown,
    take::Hindrance,
};
use crate::{said::Said, store::NotKept};
use std::{ffi::OsStr, io, time::Duration};

pub(super) fn join(parts: Vec<Said>) -> Said {
    let (en, zh): (Vec<String>, Vec<String>) = parts.into_iter().map(|said| (said.en, said.zh)).unzip();
    Said::new(en.join("; "), zh.join(";"))
}

/// Of several files one is named and the others are counted.
pub(super) fn of_files(first: &OsStr, why: &Said, others: usize) -> Said {
    let (more, more_zh) = match others {
        0 => (String::new(), String::new()),
        _ => (format!(" (and {others} more)"), format!("(另有 {others} 个)")),
    };
    let name = shown(first);
    Said::new(format!("{name} waits{more}: {}", why.en), format!("{name} 等待中{more_zh}:{}", why.zh))
}

impl Hindrance {
    pub(super) fn said(&self) -> Said {
        match self {
            Self::Locked => Said::new(
                "another program has it locked; close it there",
                "文件被其他程序锁定,请在该程序中关闭",
            ),
            Self::Empty => Said::new("it is empty (yet)", "文件(暂时)为空"),
            Self::Unreadable(why) => {
                Said::new(format!("it cannot be read: {}", why.en), format!("无法读取:{}", why.zh))
            }
        }
    }
}

pub(super) fn written_on() -> Said {
    Said::new(
        "it was written to after it had been taken, so it was not whole; it is taken again as soon as it stops changing. \
         Let the analyser finish before it names the file, or raise settle_ms in its profile",
        "文件读取之后仍被写入,说明当时并不完整;停止变化后将再次读取。请让仪器写完后再命名文件,或在配置中增大 settle_ms",
    )
}

pub(super) fn rest_too_long(name: &OsStr, why: &Said) -> Said {
    let name = shown(name);
    Said::new(
        format!("{name} was written to after it had been taken and is not taken again: {}", why.en),
        format!("{name} 读取之后仍被写入,未再次读取:{}", why.zh),
    )
}

pub(super) fn too_long(bytes: u64, bytes_max: u64) -> Said {
    Said::new(
        format!(
            "its {bytes} bytes are more than the {bytes_max} that a file may have; is it no file of results?"
        ),
        format!("文件过大({bytes} 字节,上限 {bytes_max});是否并非结果文件?"),
    )
}

pub(super) fn not_kept(why: &NotKept) -> Said {
    Said::new(format!("it cannot be made durable: {why}"), format!("无法写入账本:{why}"))
}

pub(super) fn not_moved(why: &io::Error) -> Said {
    let Said { en, zh } = Said::of_system(why);
    Said::new(format!("it is settled but cannot be put away: {en}"), format!("已处理完毕,但无法移走:{zh}"))
}

pub(super) fn unreadable_folder(why: &io::Error) -> Said {
    let Said { en, zh } = Said::of_system(why);
    Said::new(
        format!("the folder cannot be read: {en}; is the share mounted?"),
        format!("无法读取文件夹:{zh};请检查网络共享是否已挂载"),
    )
}

pub(super) fn no_answer(waited: Duration) -> Said {
    Said::new(
        format!("the folder has not answered for {waited:?}: is the share gone? It is waited for"),
        format!("文件夹已 {} 秒无响应:请检查网络共享,正在等待恢复", waited.as_secs()),
    )
}

pub(super) fn another_device() -> Said {
    Said::new(
        "the folder is on another file system than before: was a share mounted or unmounted?",
        "文件夹所在的文件系统已改变:请检查网络共享是否被挂载或卸载",
    )
}

pub(super) fn unfinished() -> Said {
    Said::new(
        "by its name it is still being written, but it has not changed for long: was it broken off?",
        "按文件名仍在写入,但已长时间未变化:写入是否中断?",
    )
}

pub(super) fn growing() -> Said {
    Said::new("it has been changing for long and is not whole yet", "文件长时间持续变化,尚不完整")
}

/// What the folder as a whole has about it.
pub(super) fn about(listing: &Listing, pattern: &str) -> Vec<Said> {
    let more = listing.more.then(|| {
        Said::new(
            format!("more than {FILES_MAX} files lie in it, which are not all looked at: clear it out"),
            format!("文件超过 {FILES_MAX} 个,未能全部检查:请清理"),
        )
    });
    let passed_over = listing.passed_over_first.as_ref().map(|name| {
        let count = listing.passed_over;
        Said::new(
            format!("{count} files do not match {pattern:?}, or are links, and are not taken: {name} …"),
            format!("有 {count} 个文件不符合 {pattern:?} 或为链接,未读取:{name} …"),
        )
    });
    more.into_iter().chain(passed_over).collect()
}
