//! Serial lines over pseudo terminals that are opened by path, pulled out and put back.

use crate::site::{RECORDS, Site, begin, lis01, transfer};
use intake::{Activity, DataBits, FlowControl, Limits, Parity, SerialPort, Source, StopBits};
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use std::{
    fs::File,
    os::{fd::OwnedFd, unix::fs::symlink},
    path::{Path, PathBuf},
};
use tokio::{
    io::Join,
    net::unix::pipe::{Receiver, Sender},
};

/// The analyser's end of a line; the device is gone when this is dropped.
type Cable = Join<Receiver, Sender>;

/// A line whose other end can be opened under `device`, as udev makes `/dev/serial/by-id/…`.
fn plug_in(device: &Path) -> Cable {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let raw = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    // As an analyser's end: no echo.
    let mut settings = rustix::termios::tcgetattr(&raw).unwrap();
    settings.make_raw();
    rustix::termios::tcsetattr(&raw, rustix::termios::OptionalActions::Now, &settings).unwrap();
    drop(raw);
    rustix::fs::fcntl_setfl(&master, OFlags::NONBLOCK).unwrap();
    if device.is_symlink() {
        std::fs::remove_file(device).unwrap();
    }
    symlink(name.to_str().unwrap(), device).unwrap();
    let end = |fd: &OwnedFd| File::from(fd.try_clone().unwrap());
    tokio::io::join(
        Receiver::from_file_unchecked(end(&master)).unwrap(),
        Sender::from_file_unchecked(end(&master)).unwrap(),
    )
}

fn port(device: &Path) -> SerialPort {
    SerialPort {
        device: device.into(),
        baud: 9600,
        data_bits: DataBits::Eight,
        parity: Parity::None,
        stop_bits: StopBits::One,
        flow_control: FlowControl::None,
    }
}

fn line(device: &Path) -> Site {
    Site::new(lis01(), Limits::default(), Source::Serial(port(device)), ([127, 0, 0, 1], 0).into())
}

fn device() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("usb-Maker_Adapter_0001-if00-port0");
    (folder, device)
}

#[tokio::test]
async fn law_01_an_adapter_that_is_pulled_out_and_put_back_loses_nothing() {
    let (_folder, device) = device();
    // Not there yet when hemogate starts.
    let site = line(&device);
    let standing = site.until("it waits for the device", |s| s.reason.contains("there is no")).await;
    assert_eq!(standing.activity, Activity::Connecting);
    assert!(standing.reason.contains("/dev/serial/by-id/"), "{standing:?}");
    let mut cable = plug_in(&device);
    site.until("it is open", |s| s.activity == Activity::Connected).await;
    transfer(&mut cable).await;
    site.until("a message has come", |s| s.messages_total == 1).await;
    begin(&mut cable, 2).await;
    drop(cable);
    std::fs::remove_file(&device).unwrap();
    site.until("it is gone", |s| s.reason.contains("there is no")).await;
    let mut cable = plug_in(&device);
    site.until("it is open again", |s| s.activity == Activity::Connected).await;
    transfer(&mut cable).await;
    site.until("another message has come", |s| s.messages_total == 2).await;
    let (messages, halves) = site.kept().await;
    assert_eq!(messages, [RECORDS.concat(), RECORDS.concat()]);
    assert_eq!(halves, [RECORDS[..2].concat()]);
}

#[tokio::test]
async fn a_device_that_another_program_has_is_not_shared() {
    let (_folder, device) = device();
    let mut cable = plug_in(&device);
    let first = line(&device);
    first.until("it is open", |s| s.activity == Activity::Connected).await;
    let second = line(&device);
    let standing = second.until("it is refused", |s| s.reason.contains("is not free")).await;
    assert_eq!(standing.activity, Activity::Connecting);
    transfer(&mut cable).await;
    assert_eq!(first.kept().await.0.len(), 1);
    // Now that it is free the second one gets it.
    second.until("it is open", |s| s.activity == Activity::Connected).await;
    transfer(&mut cable).await;
    assert_eq!(second.kept().await.0.len(), 1);
}

#[tokio::test]
async fn what_is_no_serial_device_is_said_to_be_none() {
    let (folder, _) = device();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "no device").unwrap();
    let standing = line(&file).until("it is refused", |s| s.reason.contains("serial device")).await;
    assert_eq!(standing.activity, Activity::Connecting);
}
