//! A serial line: opened for us alone, opened again when the adapter was pulled out and put back.

use super::{
    Line,
    backoff::Backoff,
    ears::Ears,
    reasons::{again, stopped},
    steady::Steady,
};
use crate::{
    board::Activity,
    irregular::Irregularity,
    said::Said,
    source::{DataBits, FlowControl, Parity, SerialPort, StopBits},
};
use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};
use tokio_serial::{ErrorKind, SerialPortBuilder, SerialPortBuilderExt, SerialStream};
use tokio_util::sync::CancellationToken;

/// The longest pause between attempts to open a device: whoever puts the plug back in waits for it.
const OPEN_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Serves a serial line until `stop`.
pub(crate) async fn serial(line: Line, port: SerialPort, stop: CancellationToken) {
    let id = line.connection.id.clone();
    let address = port.device.display().to_string();
    let longest = OPEN_AGAIN_MAX.min(line.connection.limits.reconnect_pause_max);
    let mut backoff = Backoff::new(longest, &id);
    let mut said = Said::default();
    loop {
        let reason = match open(&port) {
            Ok(stream) => {
                let began = Instant::now();
                tracing::info!(connection = %id, device = %address, "the serial device is open");
                let reason = serve(&line, stream, &address, &stop).await;
                if began.elapsed() > longest {
                    backoff.reset();
                }
                reason
            }
            Err(why) => why,
        };
        if stop.is_cancelled() {
            break;
        }
        // Once for each trouble, not once for each attempt.
        if reason != said {
            tracing::warn!(connection = %id, device = %address, "{}; it is tried again and again", reason.en);
            line.told(Irregularity::LineBroke, reason.clone());
            said.clone_from(&reason);
        }
        let pause = backoff.pause();
        line.standing(Activity::Connecting, again(reason, pause), address.clone());
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    line.standing(Activity::Stopped, stopped(), address);
}

/// Serves an open device until it is gone, and says what became of it.
async fn serve(line: &Line, stream: SerialStream, address: &str, stop: &CancellationToken) -> Said {
    line.standing(Activity::Connected, Said::new("the device is open", "串口已打开"), address.to_owned());
    line.board.note(&line.connection.id, |s| address.clone_into(&mut s.peer));
    let (ears, leave) = (Arc::new(Ears::new(Instant::now())), stop.child_token());
    line.socket(Steady::new(Device(stream), Arc::clone(&ears), leave.clone()), address, leave).await;
    let gone =
        Said::new("the device is gone: was the adapter pulled out?", "串口设备已消失:转接线是否被拔出?");
    match ears.fault() {
        Some(fault) => gone.and(format!(" ({})", fault.en), format!("({})", fault.zh)),
        None => gone,
    }
}

/// An open device. A flush of it would wait for the last bit to leave, and hold up a thread until then: for ever, when the
/// analyser has stopped us. What is written leaves by itself.
struct Device(SerialStream);

impl AsyncRead for Device {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Device {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Opens the device for us alone.
fn open(port: &SerialPort) -> Result<SerialStream, Said> {
    let Some(path) = port.device.to_str() else {
        let device = port.device.display();
        return Err(Said::new(
            format!("{device} is no name that a device can be opened by; mend it"),
            format!("{device} 不是可打开的设备名:请更正"),
        ));
    };
    settings(path, port).open_native_async().map_err(|e| trouble(&port.device, e.kind(), &e.description))
}

/// A port's settings in the driver's words.
fn settings(path: &str, port: &SerialPort) -> SerialPortBuilder {
    tokio_serial::new(path, port.baud)
        .data_bits(match port.data_bits {
            DataBits::Five => tokio_serial::DataBits::Five,
            DataBits::Six => tokio_serial::DataBits::Six,
            DataBits::Seven => tokio_serial::DataBits::Seven,
            DataBits::Eight => tokio_serial::DataBits::Eight,
        })
        .parity(match port.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Odd => tokio_serial::Parity::Odd,
            Parity::Even => tokio_serial::Parity::Even,
        })
        .stop_bits(match port.stop_bits {
            StopBits::One => tokio_serial::StopBits::One,
            StopBits::Two => tokio_serial::StopBits::Two,
        })
        .flow_control(match port.flow_control {
            FlowControl::None => tokio_serial::FlowControl::None,
            FlowControl::Software => tokio_serial::FlowControl::Software,
            FlowControl::Hardware => tokio_serial::FlowControl::Hardware,
        })
}

/// Why a device cannot be opened, and what to do.
pub(crate) fn trouble(device: &Path, kind: ErrorKind, description: &str) -> Said {
    let device = device.display();
    let (en, zh) = match kind {
        ErrorKind::Io(io::ErrorKind::NotFound) => (
            format!("there is no {device}: plug the adapter in, or look for its name in /dev/serial/by-id/"),
            format!("找不到 {device}:请插好转接线,或在 /dev/serial/by-id/ 中查看其名称"),
        ),
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => (
            format!("{device} may not be opened: let hemogate's user be in the group dialout"),
            format!("无权打开 {device}:请将 hemogate 的运行用户加入 dialout 组"),
        ),
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock) => (
            format!("{device} is not free: another program has it open ({description}); end that program"),
            format!("{device} 被其他程序占用:请结束该程序({description})"),
        ),
        ErrorKind::InvalidInput | ErrorKind::Unknown | ErrorKind::Io(_) => (
            format!(
                "{device} cannot be opened: {description}; is it a serial device, and does it know these settings?"
            ),
            format!("无法打开 {device}:它是串口设备吗?是否支持这些参数?({description})"),
        ),
    };
    Said { en, zh }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_site_configures_is_what_the_driver_is_told() {
        let port = SerialPort {
            device: "/dev/ttyS0".into(),
            baud: 19_200,
            data_bits: DataBits::Seven,
            parity: Parity::Even,
            stop_bits: StopBits::Two,
            flow_control: FlowControl::Software,
        };
        let told = tokio_serial::new("/dev/ttyS0", 19_200)
            .data_bits(tokio_serial::DataBits::Seven)
            .parity(tokio_serial::Parity::Even)
            .stop_bits(tokio_serial::StopBits::Two)
            .flow_control(tokio_serial::FlowControl::Software);
        assert_eq!(settings("/dev/ttyS0", &port), told);
        let usual = SerialPort {
            data_bits: DataBits::default(),
            parity: Parity::default(),
            stop_bits: StopBits::default(),
            flow_control: FlowControl::default(),
            ..port
        };
        assert_eq!(settings("/dev/ttyS0", &usual), tokio_serial::new("/dev/ttyS0", 19_200));
    }

    #[test]
    fn what_is_wrong_with_a_device_is_told_in_both_languages_with_what_to_do() {
        for (kind, en, zh) in [
            (ErrorKind::Io(io::ErrorKind::NotFound), "plug the adapter in", "请插好转接线"),
            (ErrorKind::Io(io::ErrorKind::PermissionDenied), "group dialout", "加入 dialout 组"),
            (ErrorKind::NoDevice, "end that program", "请结束该程序"),
            (ErrorKind::Io(io::ErrorKind::ResourceBusy), "end that program", "请结束该程序"),
            (ErrorKind::Io(io::ErrorKind::WouldBlock), "end that program", "请结束该程序"),
            (ErrorKind::InvalidInput, "does it know these settings", "是否支持这些参数"),
            (ErrorKind::Unknown, "is it a serial device", "它是串口设备吗"),
        ] {
            let said = trouble(Path::new("/dev/ttyS0"), kind, "a reason");
            assert!(said.en.contains(en) && said.zh.contains(zh), "{said:?}");
            assert!(said.en.contains("/dev/ttyS0") && said.zh.contains("/dev/ttyS0"), "{said:?}");
        }
    }
}
