//! A line between two peers on which one thing goes wrong.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

/// What becomes of the bytes of one connection: changed in place.
pub(crate) trait Meddle: FnMut(&mut Vec<u8>) + Send + 'static {}
impl<F: FnMut(&mut Vec<u8>) + Send + 'static> Meddle for F {}

/// Carries one connection to `to`; `up` meddles with what the client sends, `down` with what it is answered.
pub(crate) fn relay(to: SocketAddr, up: impl Meddle, down: impl Meddle) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let near = listener.accept().unwrap().0;
        let far = TcpStream::connect(to).unwrap();
        let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || carry(far_too, near_too, down));
        carry(near, far, up);
    });
    address
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut meddle: impl Meddle) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..count].to_vec();
        meddle(&mut bytes);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

/// Nothing goes wrong.
pub(crate) fn untouched(_bytes: &mut Vec<u8>) {}

/// One bit of the text of the `nth` frame, counted from 1, is flipped on its way.
pub(crate) fn flip_in_frame(nth: usize) -> impl Meddle {
    const STX: u8 = 0x02;
    /// Behind the frame number, the record's letter and its separator.
    const INTO_TEXT: usize = 5;
    let (mut frames, mut after) = (0, 0);
    move |bytes: &mut Vec<u8>| {
        for byte in bytes {
            after += 1;
            if *byte == STX {
                (frames, after) = (frames + 1, 0);
            }
            if frames == nth && after == INTO_TEXT {
                *byte ^= 0x01;
            }
        }
    }
}

/// The first `count` bytes of answers come through, the rest never does.
pub(crate) fn withhold_after(mut count: usize) -> impl Meddle {
    move |bytes: &mut Vec<u8>| {
        bytes.truncate(count);
        count -= bytes.len();
    }
}
