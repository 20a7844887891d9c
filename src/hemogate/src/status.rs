//! `status`: how a running daemon and its connections stand, as a technician reads it.

use crate::{
    cli::{Cli, Format, Lang, Output},
    client::Client,
    exit::{Exit, Failure, Outcome},
    print::Printer,
};
use intake::Irregularity;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) async fn status(cli: &Cli, output: &Output, lang: Lang) -> Outcome {
    let store = crate::configuration(cli)?.config.store.path;
    let client = Client::of_running(&store, lang)?;
    let status = client.get("status").await?;
    let connections = client.get("connections").await?;
    if output.format == Format::Json {
        let mut printer = Printer::new(output.format);
        printer.item(&json!({ "status": status, "connections": connections }), Vec::new)?;
        printer.finish()?;
        return Ok(Exit::Done);
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let items = connections.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    table(items, now_ms, lang)?;
    oddities(items, now_ms, lang)?;
    let mut numbers = Printer::new(output.format);
    for part in ["ledger", "counters", "destinations"] {
        numbers.heads(&["", ""]);
        for (name, value) in status.get(part).and_then(Value::as_object).into_iter().flatten() {
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            numbers.item(value, || vec![name.clone(), shown])?;
        }
    }
    numbers.finish()?;
    writeln!(io::stdout(), "{}", clock(status.get("clock").unwrap_or(&Value::Null), lang))?;
    Ok(Exit::Done)
}

/// How the station's clock stands to its time server (R-AUD-01).
fn clock(stands: &Value, lang: Lang) -> String {
    let at = |pointer: &str| stands.pointer(pointer);
    let server = at("/server").and_then(Value::as_str).unwrap_or_default();
    let off = at("/clock/offset_ms").and_then(Value::as_i64).unwrap_or_default();
    let ms = off.unsigned_abs();
    let at_ms = at("/at_ms").and_then(Value::as_i64).unwrap_or_default();
    let since = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    match at("/clock/state").and_then(Value::as_str) {
        Some("in_step") => lang.pick(
            format!("clock in step with {server} ({ms} ms; written {since})"),
            format!("时钟与{server}同步（相差{ms} ms；{since}记录）"),
        ),
        Some("off") => {
            let (way, way_zh) = if off > 0 { ("BEHIND", "慢") } else { ("AHEAD OF", "快") };
            lang.pick(
                format!("CLOCK {ms} ms {way} {server}: set it, times of entries are wrong by so much (written {since})"),
                format!("⚠ 本机时钟比{server}{way_zh}{ms} ms：请校时，条目时间有此偏差（{since}记录）"),
            )
        }
        Some("silent") => {
            let why = at("/clock/why").and_then(Value::as_str).unwrap_or_default();
            lang.pick(
                format!("CLOCK NOT KNOWN to be right: {server} gives no time ({why})"),
                format!("⚠ 时钟是否准确未知：{server}无法提供时间（{why}）"),
            )
        }
        None => lang.pick(
            "clock not compared yet since the daemon started".to_owned(),
            "守护进程启动后尚未比对时钟".to_owned(),
        ),
        Some(_) => lang.pick(
            "clock compared with nothing: name a time server ([site] time_server)".to_owned(),
            "时钟未与时间服务器比对：请配置 [site] time_server".to_owned(),
        ),
    }
}

fn table(connections: &[Value], now_ms: u64, lang: Lang) -> Result<(), Failure> {
    let mut printer = Printer::new(Format::Table);
    printer.heads(&lang.pick(
        [
            "connection",
            "mode",
            "state",
            "since",
            "peer",
            "messages",
            "refused",
            "last heard",
            "last message",
            "why",
        ],
        ["连接", "模式", "状态", "持续", "对端", "消息", "拒收", "最近收到", "最近消息", "说明"],
    ));
    for connection in connections {
        printer.item(connection, || row(connection, now_ms, lang))?;
    }
    printer.finish()
}

fn row(connection: &Value, now_ms: u64, lang: Lang) -> Vec<String> {
    let text = |name: &str| connection.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| connection.get(name).and_then(Value::as_u64).unwrap_or_default();
    let silent = connection.get("silent").and_then(Value::as_bool).unwrap_or_default();
    let state = match (text("activity").as_str(), silent) {
        ("failed", _) => lang.pick("FAILED", "✗ 故障"),
        ("listening", true) => lang.pick("SILENT, waiting", "⚠ 久无数据,等待连接"),
        ("connecting", true) => lang.pick("SILENT, connecting", "⚠ 久无数据,正在连接"),
        (_, true) => lang.pick("SILENT", "⚠ 久无数据"),
        ("listening", false) => lang.pick("waiting", "等待仪器连接"),
        ("connecting", false) => lang.pick("connecting", "正在连接仪器"),
        ("connected", false) => lang.pick("connected", "已连接"),
        ("watching", false) => lang.pick("watching", "监视文件夹"),
        (_, false) => lang.pick("stopped", "已停止"),
    };
    let mode = match text("mode").as_str() {
        "production" => lang.pick("production", "生产"),
        "qualification" => lang.pick("qualification", "验证"),
        "simulation" => lang.pick("simulation", "模拟"),
        "listen-only" => lang.pick("listen-only", "只听"),
        _ => "",
    };
    let ago = |name: &str| ago(now_ms, number(name), lang);
    vec![
        text("id"),
        mode.to_owned(),
        state.to_owned(),
        ago("since_ms"),
        text("peer"),
        number("messages_total").to_string(),
        number("refused_total").to_string(),
        ago("last_bytes_ms"),
        ago("last_message_ms"),
        text(lang.pick("reason", "reason_zh")),
    ]
}

/// What was not as it should be, connection by connection; nothing where there was nothing.
fn oddities(connections: &[Value], now_ms: u64, lang: Lang) -> Result<(), Failure> {
    let odd: Vec<&Value> = connections
        .iter()
        .filter(|c| c.get("last_anomaly_ms").and_then(Value::as_u64).is_some_and(|ms| ms > 0))
        .collect();
    if odd.is_empty() {
        return Ok(());
    }
    let mut printer = Printer::new(Format::Table);
    printer.heads(&["", "", ""]);
    printer.heads(&lang.pick(["not as it should be", "times", "last"], ["异常", "次数", "最近一次"]));
    for connection in odd {
        printer.item(connection, || oddity(connection, now_ms, lang))?;
    }
    printer.finish()
}

fn oddity(connection: &Value, now_ms: u64, lang: Lang) -> Vec<String> {
    let text = |name: &str| connection.get(name).and_then(Value::as_str).unwrap_or_default();
    let counted = connection.get("anomalies").and_then(Value::as_object);
    let kinds = Irregularity::ALL.into_iter().filter_map(|kind| {
        let times = counted?.get(kind.name())?.as_u64()?;
        let (en, zh) = kind.said();
        Some(format!("{} {times}", lang.pick(en, zh)))
    });
    let kinds: Vec<String> = kinds.collect();
    let at = connection.get("last_anomaly_ms").and_then(Value::as_u64).unwrap_or_default();
    vec![
        text("id").to_owned(),
        kinds.join(lang.pick(", ", "、")),
        format!("{}: {}", ago(now_ms, at, lang), text(lang.pick("last_anomaly", "last_anomaly_zh"))),
    ]
}

/// How long ago, in the largest unit that fits; `-` is never.
fn ago(now_ms: u64, at_ms: u64, lang: Lang) -> String {
    if at_ms == 0 {
        return "-".to_owned();
    }
    let seconds = Duration::from_millis(now_ms.saturating_sub(at_ms)).as_secs();
    let (count, en, zh) = match seconds {
        0..60 => (seconds, "s", "秒"),
        60..3_600 => (seconds / 60, "min", "分钟"),
        3_600..172_800 => (seconds / 3_600, "h", "小时"),
        _ => (seconds / 86_400, "d", "天"),
    };
    format!("{count} {}", lang.pick(en, zh))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        for (ago_ms, en, zh) in [
            (0, "0 s", "0 秒"),
            (59_999, "59 s", "59 秒"),
            (60_000, "1 min", "1 分钟"),
            (3_599_000, "59 min", "59 分钟"),
            (90_000_000, "25 h", "25 小时"),
            (172_800_000, "2 d", "2 天"),
        ] {
            let now = 1_772_432_400_000;
            assert_eq!(ago(now, now - ago_ms, Lang::En), en);
            assert_eq!(ago(now, now - ago_ms, Lang::Zh), zh);
        }
        assert_eq!(ago(7, 0, Lang::En), "-");
        assert_eq!(ago(7, 9, Lang::En), "0 s", "a clock that was set back");
    }

    #[test]
    fn a_technician_reads_state_and_reason_in_both_languages() {
        let connection = json!({
            "id": "arch-1", "mode": "listen-only", "activity": "connected", "silent": true, "since_ms": 1_000,
            "peer": "10.0.0.5:4711", "messages_total": 7, "refused_total": 1, "last_bytes_ms": 2_000,
            "reason": "connected", "reason_zh": "已连接", "last_anomaly_ms": 2_500, "last_anomaly": "3 bytes",
            "last_anomaly_zh": "3 字节",
            "anomalies": { "noise": 2, "repeated": 1 },
        });
        let row = |lang| super::row(&connection, 3_000, lang).join("|");
        assert_eq!(row(Lang::En), "arch-1|listen-only|SILENT|2 s|10.0.0.5:4711|7|1|1 s|-|connected");
        assert_eq!(row(Lang::Zh), "arch-1|只听|⚠ 久无数据|2 秒|10.0.0.5:4711|7|1|1 秒|-|已连接");
        assert_eq!(oddity(&connection, 3_000, Lang::Zh), ["arch-1", "帧外字节 2、重复 1", "0 秒: 3 字节"]);
    }

    #[test]
    fn how_the_clock_stands_is_read_in_both_languages() {
        for (stands, en, zh) in [
            (
                json!({ "server": "ntp1", "at_ms": 0, "clock": { "state": "in_step", "offset_ms": 3 } }),
                "clock in step with ntp1 (3 ms; written 1970-01-01T00:00:00Z)",
                "时钟与ntp1同步（相差3 ms；1970-01-01T00:00:00Z记录）",
            ),
            (
                json!({ "server": "ntp1", "at_ms": 0, "clock": { "state": "off", "offset_ms": -61_000 } }),
                "CLOCK 61000 ms AHEAD OF ntp1: set it, times of entries are wrong by so much (written 1970-01-01T00:00:00Z)",
                "⚠ 本机时钟比ntp1快61000 ms：请校时，条目时间有此偏差（1970-01-01T00:00:00Z记录）",
            ),
            (
                json!({ "server": "ntp1", "at_ms": 0, "clock": { "state": "off", "offset_ms": 2_500 } }),
                "CLOCK 2500 ms BEHIND ntp1: set it, times of entries are wrong by so much (written 1970-01-01T00:00:00Z)",
                "⚠ 本机时钟比ntp1慢2500 ms：请校时，条目时间有此偏差（1970-01-01T00:00:00Z记录）",
            ),
            (Value::Null, "clock not compared yet since the daemon started", "守护进程启动后尚未比对时钟"),
            (
                json!({ "server": "ntp1", "clock": { "state": "silent", "why": "timed out" } }),
                "CLOCK NOT KNOWN to be right: ntp1 gives no time (timed out)",
                "⚠ 时钟是否准确未知：ntp1无法提供时间（timed out）",
            ),
            (
                json!({ "clock": { "state": "unchecked" } }),
                "clock compared with nothing: name a time server ([site] time_server)",
                "时钟未与时间服务器比对：请配置 [site] time_server",
            ),
        ] {
            assert_eq!(clock(&stands, Lang::En), en);
            assert_eq!(clock(&stands, Lang::Zh), zh);
        }
    }
}
