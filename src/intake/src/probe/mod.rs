//! What would happen if a connection were used now, found out without using it.
//!
//! Not a byte is sent, nothing is written, no device is opened, and a line that stands is not touched: an analyser with
//! one socket would take a second connection for a displacement. Only where we reach for an analyser and do not have
//! it, one TCP connection is opened and closed again, as every attempt of ours is; TLS is not begun on it.

mod local;
mod network;
#[cfg(test)]
mod tests;

use crate::{
    board::{Activity, Board, Standing},
    said::Said,
    source::Source,
    tls::{TlsClientFiles, TlsServerFiles},
};
use serde::Serialize;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use vocabulary::{ConnectionId, Mode};

/// How long one look may take: a name server that is away, an analyser that is off, a share that hangs.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// How a connection is come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The analyser connects to us.
    Listen {
        /// Where.
        address: SocketAddr,
        /// Our certificate, where the line speaks TLS.
        tls: Option<TlsServerFiles>,
    },
    /// We connect to the analyser.
    Connect {
        /// `host:port`.
        address: String,
        /// Whom we trust and what we show, and the name that the peer must have.
        tls: Option<(TlsClientFiles, String)>,
    },
    /// The analyser hangs on a serial line.
    Serial {
        /// Its name.
        device: PathBuf,
    },
    /// The analyser writes files into this folder.
    Folder {
        /// The folder.
        path: PathBuf,
    },
}

impl Reach {
    /// How a source is come by; none for a listener that has no address.
    pub(crate) fn of(source: &Source) -> Option<Self> {
        Some(match source {
            Source::Listen(listen) => Self::Listen {
                address: listen.listener.local_addr().ok()?,
                tls: listen.tls.as_ref().map(|tls| tls.files().clone()),
            },
            Source::Connect(connect) => Self::Connect {
                address: connect.address.clone(),
                tls: connect.tls.as_ref().map(|tls| (tls.files().clone(), tls.called().to_owned())),
            },
            Source::Serial(port) => Self::Serial { device: port.device.clone() },
            Source::Folder { path, .. } => Self::Folder { path: path.clone() },
        })
    }
}

/// What was looked at. The names are for scripts and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// How the connection stands in the daemon.
    Status,
    /// The port that we listen on.
    Port,
    /// Who is connected to it.
    Peer,
    /// The address that a name stands for.
    Address,
    /// Whether the analyser lets us connect.
    Reach,
    /// The certificates that we show and trust.
    Certificate,
    /// The serial device.
    Device,
    /// The folder, and what waits in it.
    Folder,
    /// Whether files can be put away.
    Writing,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should be.
    Good,
    /// It need not be a fault, but somebody should know.
    Doubt,
    /// Results do not come this way as it is.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Look {
    /// Its kind.
    pub aspect: Aspect,
    /// What it came to.
    pub outcome: Outcome,
    /// What was looked at.
    pub at: Said,
    /// What was found, and what to do where something is to be done.
    pub found: Said,
}

impl Look {
    fn new(aspect: Aspect, outcome: Outcome, at: Said, found: Said) -> Self {
        Self { aspect, outcome, at, found }
    }
}

/// Looks at a connection that this process serves; absent when there is none of that name.
pub async fn probe(board: &Board, id: &ConnectionId) -> Option<Vec<Look>> {
    let (standing, reach) = (board.standing(id)?, board.reach(id));
    let mode = standing.mode.unwrap_or(Mode::Production);
    let mut looks = vec![status(&standing)];
    if let Some(reach) = reach {
        looks.extend(look(&reach, mode, Some(&standing)).await);
    }
    Some(looks)
}

/// Looks at a connection that nobody serves, as it is configured.
pub async fn probe_unserved(reach: &Reach, mode: Mode) -> Vec<Look> {
    let mut looks = vec![Look::new(
        Aspect::Status,
        Outcome::Doubt,
        Said::new("the connection", "连接"),
        Said::new(
            "no daemon serves it (hemogate run); this is what it would find",
            "未由守护进程提供服务(hemogate run);以下为其将遇到的情况",
        ),
    )];
    looks.extend(look(reach, mode, None).await);
    looks
}

async fn look(reach: &Reach, mode: Mode, standing: Option<&Standing>) -> Vec<Look> {
    match reach {
        Reach::Listen { address, tls } => network::listen(*address, tls.as_ref(), standing).await,
        Reach::Connect { address, tls } => network::connect(address, tls.as_ref(), standing).await,
        Reach::Serial { device } => local::serial(device, standing).await,
        Reach::Folder { path } => local::folder(path, mode).await,
    }
}

fn status(standing: &Standing) -> Look {
    let outcome = match (standing.activity, standing.silent) {
        (Activity::Stopped | Activity::Failed, _) => Outcome::Bad,
        (Activity::Connecting, _) | (_, true) => Outcome::Doubt,
        (Activity::Listening | Activity::Connected | Activity::Watching, false) => Outcome::Good,
    };
    let (en, zh) = match standing.activity {
        Activity::Stopped => ("stopped", "已停止"),
        Activity::Listening => ("waiting for the analyser", "等待仪器连接"),
        Activity::Connecting => ("connecting", "正在连接"),
        Activity::Connected => ("connected", "已连接"),
        Activity::Watching => ("watching", "监视文件夹"),
        Activity::Failed => ("failed", "故障"),
    };
    let mut found = Said::new(en, zh);
    if standing.silent {
        found = found.and(", and silent for longer than it should be", ",且久无数据");
    }
    if !standing.reason.is_empty() {
        found = found.and(format!("; {}", standing.reason), format!(";{}", standing.reason_zh));
    }
    Look::new(Aspect::Status, outcome, Said::new("the connection", "连接"), found)
}

/// Does what may block somewhere else, and not for ever.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Said> {
    match tokio::time::timeout(LOOK_WITHIN, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(|e| Said::new(e.to_string(), format!("内部错误({e})"))),
        Err(_) => Err(Said::new(
            format!("no answer within {LOOK_WITHIN:?}; is it on a share that hangs?"),
            format!("{} 秒内无响应:是否位于已失去响应的共享上?", LOOK_WITHIN.as_secs()),
        )),
    }
}
