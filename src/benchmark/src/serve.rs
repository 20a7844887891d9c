//! A server on a thread of its own, and a client that loads it from another.

use crate::contest::{Turn, number};
use crate::load::{Seen, Slice};
use crate::{BenchError, gauge};
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Before answers count: connections are made, caches are warm, the file has its first blocks.
pub(crate) const WARM_UP: Duration = Duration::from_millis(300);

/// How many threads a server's runtime has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// One: least to switch between, for floors.
    One,
    /// One a core, as the daemon has them.
    Cores,
}

/// A running server.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl Served {
    /// Starts `serve` as `name` on a free port of the loopback interface, on a runtime of its own.
    pub(crate) fn start<Serve, Work>(name: &str, threads: Threads, serve: Serve) -> Result<Self, BenchError>
    where
        Serve: FnOnce(std::net::TcpListener, CancellationToken) -> Work + Send + 'static,
        Work: Future<Output = ()>,
    {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").map_err(BenchError::io("bind a port"))?;
        let address = socket.local_addr().map_err(BenchError::io("read the port"))?;
        let thread_name = format!("{name}-server");
        let runtime = match threads {
            Threads::One => tokio::runtime::Builder::new_current_thread().enable_all().build(),
            Threads::Cores => {
                tokio::runtime::Builder::new_multi_thread().thread_name(&thread_name).enable_all().build()
            }
        };
        let runtime = runtime.map_err(BenchError::io("start a runtime"))?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let work = move || runtime.block_on(async move { serve(socket, stopped).await });
        let thread = std::thread::Builder::new()
            .name(thread_name)
            .spawn(work)
            .map_err(BenchError::io("start the server's thread"))?;
        Ok(Self { address, stop, thread })
    }

    /// Tells it to stop and waits until it has.
    pub(crate) fn finish(self) -> Result<(), BenchError> {
        self.stop.cancel();
        self.thread.join().map_err(|_| BenchError::Part {
            what: "serve".to_owned(),
            why: "the server's thread panicked".to_owned(),
        })
    }
}

/// Lets a client load a server for `counted`, and makes a turn of what it saw.
pub(crate) fn load<Client, Work>(
    measurement: &str,
    engine: &str,
    counted: Duration,
    client: Client,
) -> Result<Turn, BenchError>
where
    Client: FnOnce(Slice) -> Work,
    Work: Future<Output = Seen>,
{
    let (seen, cpu, slice) = runtime()?.block_on(async {
        let slice = Slice::after(WARM_UP, counted);
        let cpu = async {
            tokio::time::sleep(WARM_UP).await;
            let before = gauge::process_cpu();
            tokio::time::sleep(counted).await;
            gauge::process_cpu().saturating_sub(before)
        };
        let (seen, cpu) = tokio::join!(client(slice), cpu);
        (seen, cpu, slice)
    });
    if let Some(first) = seen.first_fault {
        return Err(BenchError::WrongAnswers {
            measurement: measurement.to_owned(),
            engine: engine.to_owned(),
            wrong: seen.wrong,
            lost: seen.lost,
            first,
        });
    }
    let acknowledged = number(seen.acknowledged);
    let further = vec![
        ("p50_us", f64::from(seen.latencies.percentile_us(50))),
        ("p99_us", f64::from(seen.latencies.percentile_us(99))),
        // Client and server together: both engines are loaded by the same client.
        ("cpu_us", cpu.as_secs_f64() * 1e6 / acknowledged.max(1.0)),
    ];
    Ok(Turn { amount: acknowledged, seconds: slice.seconds(), values: None, further })
}

fn runtime() -> Result<tokio::runtime::Runtime, BenchError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::io("start a runtime"))
}
