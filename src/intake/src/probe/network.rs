//! Ports, addresses, analysers and certificates.

use super::{Aspect, LOOK_WITHIN, Look, Outcome, aside};
use crate::{
    board::{Activity, Standing},
    said::Said,
    tls::{Holder, TlsClient, TlsClientFiles, TlsFault, TlsServer, TlsServerFiles},
};
use socket2::{Domain, Socket, Type};
use std::{
    io,
    net::SocketAddr,
    time::{Duration, SystemTime},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// A certificate that ends so soon is to be renewed.
const ENDS_SOON: Duration = Duration::from_hours(30 * 24);

pub(super) async fn listen(
    address: SocketAddr,
    tls: Option<&TlsServerFiles>,
    standing: Option<&Standing>,
) -> Vec<Look> {
    let mut looks = vec![port(address, standing)];
    looks.extend(standing.map(peer));
    if let Some(files) = tls.cloned() {
        let at = Said::new(
            format!("the certificate {}", files.identity.certificate.display()),
            format!("证书 {}", files.identity.certificate.display()),
        );
        let read =
            aside(move || TlsServer::open(files).map(|(server, fault)| (Some(server.holder()), fault)));
        looks.push(certificate(at, read.await));
    }
    looks
}

fn port(address: SocketAddr, standing: Option<&Standing>) -> Look {
    let at = Said::new(format!("the port {address}"), format!("监听端口 {address}"));
    let serving = standing.is_some_and(|standing| match standing.activity {
        Activity::Listening | Activity::Connected => true,
        Activity::Stopped | Activity::Connecting | Activity::Watching | Activity::Failed => false,
    });
    let (outcome, found) = if serving {
        (Outcome::Good, Said::new("hemogate listens on it", "hemogate 正在监听"))
    } else {
        match free(address) {
            Ok(()) => (Outcome::Good, Said::new("it is free", "空闲可用")),
            Err(error) => (Outcome::Bad, Said::of_system(&error)),
        }
    };
    Look::new(Aspect::Port, outcome, at, found)
}

/// Whether the port could be had. It is bound and given back without listening: nobody can connect meanwhile.
fn free(address: SocketAddr) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the listener does it: what is left of closed connections does not hold the port.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

fn peer(standing: &Standing) -> Look {
    let name = &standing.peer;
    let (outcome, found) = if standing.sockets > 0 {
        (Outcome::Good, Said::new(format!("{name}; its line is not touched"), format!("{name};未触动其线路")))
    } else if name.is_empty() {
        (
            Outcome::Doubt,
            Said::new(
                "nobody since hemogate serves it; give the analyser this machine's address and the port, and let the \
                 firewall pass it",
                "启动以来尚无连接:请在仪器上填写本机地址和端口,并在防火墙放行",
            ),
        )
    } else {
        (
            Outcome::Doubt,
            Said::new(
                format!(
                    "nobody now, {name} was the last; is the analyser on, and its host communication switched on?"
                ),
                format!("当前无连接,上次为 {name}:仪器是否开机、主机通讯是否启用?"),
            ),
        )
    };
    Look::new(Aspect::Peer, outcome, Said::new("who is connected", "连接的对端"), found)
}

pub(super) async fn connect(
    address: &str,
    tls: Option<&(TlsClientFiles, String)>,
    standing: Option<&Standing>,
) -> Vec<Look> {
    let mut looks = Vec::new();
    let at = Said::new(format!("the address {address}"), format!("地址 {address}"));
    let found = timeout(LOOK_WITHIN, lookup_host(address)).await;
    let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    match found.map(Vec::from_iter) {
        Ok(addresses) => {
            let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            looks.push(Look::new(Aspect::Address, Outcome::Good, at, Said::new(list.clone(), list)));
            looks.push(reach(address, &addresses, standing).await);
        }
        Err(error) => {
            looks.push(Look::new(Aspect::Address, Outcome::Bad, at, Said::unknown_name(address, &error)));
        }
    }
    if let Some((files, name)) = tls.cloned() {
        let shown = files.identity.as_ref().map_or(&files.ca, |identity| &identity.certificate).display();
        let at = Said::new(
            format!("the certificates: {shown}, for the peer {name}"),
            format!("证书:{shown},对方名称 {name}"),
        );
        let read = aside(move || {
            TlsClient::open(files, &name).map(|(client, fault)| (client.holder().cloned(), fault))
        });
        looks.push(certificate(at, read.await));
    }
    looks
}

/// One TCP connection that is closed at once, unless the analyser is connected: it may know only one.
async fn reach(address: &str, addresses: &[SocketAddr], standing: Option<&Standing>) -> Look {
    let at = Said::new(format!("the analyser at {address}"), format!("仪器 {address}"));
    if standing.is_some_and(|standing| standing.sockets > 0) {
        let found = Said::new("connected; its line is not touched", "已连接;未触动其线路");
        return Look::new(Aspect::Reach, Outcome::Good, at, found);
    }
    let attempt = timeout(LOOK_WITHIN, TcpStream::connect(addresses)).await;
    let (outcome, found) = match attempt.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(socket) => {
            drop(socket);
            (Outcome::Good, Said::new("it lets us connect; nothing was sent", "可以连接;未发送任何数据"))
        }
        Err(error) => (Outcome::Bad, Said::of_system(&error)),
    };
    Look::new(Aspect::Reach, outcome, at, found)
}

type Read = Result<(Option<Holder>, Option<TlsFault>), TlsFault>;

fn certificate(at: Said, read: Result<Read, Said>) -> Look {
    let (outcome, found) = match read {
        Err(late) => (Outcome::Bad, late),
        Ok(Err(fault) | Ok((_, Some(fault)))) => (Outcome::Bad, fault.said()),
        Ok(Ok((None, None))) => {
            (Outcome::Good, Said::new("they can be used; we show none of our own", "可用;本方不出示证书"))
        }
        Ok(Ok((Some(holder), None))) => {
            let said = Said::new(
                format!("{}, valid from {} until {}", holder.subject, holder.begins(), holder.ends()),
                format!("{},有效期 {} 至 {}", holder.subject, holder.begins(), holder.ends()),
            );
            match holder.until.duration_since(SystemTime::now()) {
                Ok(left) if left > ENDS_SOON => (Outcome::Good, said),
                Ok(_) | Err(_) => (Outcome::Doubt, said.and("; renew it soon", ";请尽快更换")),
            }
        }
    };
    Look::new(Aspect::Certificate, outcome, at, found)
}
