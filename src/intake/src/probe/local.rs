//! Devices and folders of this machine.

use super::{Aspect, Look, Outcome, aside};
use crate::{board::Standing, said::Said, transport::trouble};
use rustix::fs::{Access, access};
use std::{fs, io, os::unix::fs::FileTypeExt, path::Path, time::SystemTime};
use tokio_serial::ErrorKind;
use vocabulary::Mode;

/// Names of a folder that are looked at; a folder with more is told as such.
const NAMES_MAX: usize = 10_000;

/// The device is not opened: that would move its control lines, and take it from whoever has it.
pub(super) async fn serial(device: &Path, standing: Option<&Standing>) -> Vec<Look> {
    let at = Said::new(format!("the device {}", device.display()), format!("串口 {}", device.display()));
    if standing.is_some_and(|standing| standing.sockets > 0) {
        let found = Said::new("it is open; its line is not touched", "已打开;未触动其线路");
        return vec![Look::new(Aspect::Device, Outcome::Good, at, found)];
    }
    let path = device.to_owned();
    let (outcome, found) = match aside(move || examined(&path)).await {
        Ok(Ok(())) => (
            Outcome::Good,
            Said::new("it is there and may be opened; it was not opened", "设备存在且有权打开;未实际打开"),
        ),
        Ok(Err(why)) | Err(why) => (Outcome::Bad, why),
    };
    vec![Look::new(Aspect::Device, outcome, at, found)]
}

fn examined(device: &Path) -> Result<(), Said> {
    let told = |error: io::Error| trouble(device, ErrorKind::Io(error.kind()), &error.to_string());
    if !fs::metadata(device).map_err(told)?.file_type().is_char_device() {
        let shown = device.display();
        return Err(Said::new(
            format!("{shown} is no serial device; mend the path"),
            format!("{shown} 不是串口设备:请更正路径"),
        ));
    }
    access(device, Access::READ_OK | Access::WRITE_OK).map_err(|e| told(e.into()))
}

pub(super) async fn folder(path: &Path, mode: Mode) -> Vec<Look> {
    let shown = path.display();
    let at = Said::new(format!("the folder {shown}"), format!("文件夹 {shown}"));
    let looked = path.to_owned();
    let waiting = match aside(move || waiting(&looked)).await {
        Ok(Ok(waiting)) => Look::new(Aspect::Folder, Outcome::Good, at, waiting),
        Ok(Err(error)) => return vec![Look::new(Aspect::Folder, Outcome::Bad, at, Said::of_system(&error))],
        Err(late) => return vec![Look::new(Aspect::Folder, Outcome::Bad, at, late)],
    };
    let at = Said::new(format!("putting files away in {shown}"), format!("在 {shown} 中移走文件"));
    let (outcome, found) = match mode {
        Mode::ListenOnly => {
            (Outcome::Good, Said::new("nothing is moved in listen-only mode", "只听模式下不移动文件"))
        }
        Mode::Production | Mode::Qualification | Mode::Simulation => {
            let looked = path.to_owned();
            match aside(move || access(&looked, Access::WRITE_OK | Access::EXEC_OK)).await {
                Ok(Ok(())) => (
                    Outcome::Good,
                    Said::new("this user may; nothing was written", "当前用户有写权限;未写入任何内容"),
                ),
                Ok(Err(error)) => (Outcome::Bad, Said::of_system(&error.into())),
                Err(late) => (Outcome::Bad, late),
            }
        }
    };
    vec![waiting, Look::new(Aspect::Writing, outcome, at, found)]
}

/// How many files are there, and since when the oldest is.
fn waiting(path: &Path) -> io::Result<Said> {
    let (mut names, mut files, mut oldest) = (0_usize, 0_usize, None::<SystemTime>);
    for entry in fs::read_dir(path)?.take(NAMES_MAX) {
        let entry = entry?;
        names += 1;
        // A file that is taken between the two is no trouble.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_file() {
            let changed = about.modified()?;
            files += 1;
            oldest = Some(oldest.map_or(changed, |at| at.min(changed)));
        }
    }
    let Some(oldest) = oldest else {
        return Ok(Said::new("it can be read; no file is there", "可读取;没有文件"));
    };
    let seconds = oldest.elapsed().unwrap_or_default().as_secs();
    let more = if names == NAMES_MAX { ("more than ", "超过 ") } else { ("", "") };
    Ok(Said::new(
        format!("it can be read; {}{files} files are there, the oldest for {seconds} s", more.0),
        format!("可读取;{}{files} 个文件,最早的已有 {seconds} 秒", more.1),
    ))
}
