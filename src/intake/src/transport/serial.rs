//! A serial line: opened for us alone, opened again when the adapter was pulled out and put back.

use super::{Line, backoff::Backoff, ears::Ears, steady::Steady};
use crate::{
    board::Activity,
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
    let mut said = String::new();
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
            tracing::warn!(connection = %id, device = %address, "{reason}; it is tried again and again");
            line.board.anomaly(&id, reason.clone());
            said.clone_from(&reason);
        }
        let pause = backoff.pause();
        let reason = format!("{reason}; next attempt in {} ms", pause.as_millis());
        line.standing(Activity::Connecting, reason, address.clone());
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    line.standing(Activity::Stopped, "stopped".into(), address);
}

/// Serves an open device until it is gone, and says what became of it.
async fn serve(line: &Line, stream: SerialStream, address: &str, stop: &CancellationToken) -> String {
    line.standing(Activity::Connected, "the device is open".into(), address.to_owned());
    line.board.note(&line.connection.id, |s| address.clone_into(&mut s.peer));
    let (ears, leave) = (Arc::new(Ears::new(Instant::now())), stop.child_token());
    line.socket(Steady::new(Device(stream), Arc::clone(&ears), leave.clone()), address, leave).await;
    match ears.fault() {
        Some(fault) => format!("the device is gone: was the adapter pulled out? ({fault})"),
        None => "the device is gone: was the adapter pulled out?".to_owned(),
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
fn open(port: &SerialPort) -> Result<SerialStream, String> {
    let Some(path) = port.device.to_str() else {
        return Err(format!("{} is no name that a device can be opened by", port.device.display()));
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
fn trouble(device: &Path, kind: ErrorKind, description: &str) -> String {
    let device = device.display();
    match kind {
        ErrorKind::Io(io::ErrorKind::NotFound) => {
            format!("there is no {device}: plug the adapter in, or look for its name in /dev/serial/by-id/")
        }
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            format!("{device} may not be opened: let hemogate's user be in the group dialout")
        }
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock) => {
            format!("{device} is not free: another program has it open ({description})")
        }
        ErrorKind::InvalidInput | ErrorKind::Unknown | ErrorKind::Io(_) => {
            format!(
                "{device} cannot be opened: {description}; is it a serial device, and does it know these settings?"
            )
        }
    }
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
}
