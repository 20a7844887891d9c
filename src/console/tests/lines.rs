//! Connections over HTTP: how they stand and what went over their lines, with a real analyser's line behind them.

#[cfg(test)]
mod lines {
    use console::Site;
    use intake::{Connection, Limits, Link, MessageEnd, Source};
    use ledger::{ExportKind, Ledger, Settings, StateStore};
    use reqwest::{Client, StatusCode, header::ACCEPT};
    use serde_json::{Value, json};
    use std::{net::SocketAddr, sync::Arc, time::Duration};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };
    use tokio_util::sync::CancellationToken;
    use vocabulary::{ConnectionId, Mode, ProfileRef, Protocol};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    struct Served {
        base: String,
        http: Client,
        ledger: Ledger,
        analyser: SocketAddr,
        stop: CancellationToken,
        _folder: tempfile::TempDir,
    }

    impl Drop for Served {
        fn drop(&mut self) {
            self.stop.cancel();
        }
    }

    fn site(ledger: &Ledger, connections: intake::Board) -> Site {
        let workflow = workflow::Settings {
            profiles: workflow::Profiles::default(),
            pack: release::RulePack::built_in("cn-2019").unwrap(),
            specimens: workflow::SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
            time_zone: jiff::tz::TimeZone::UTC,
            lots: workflow::LotRegister::default(),
            kits: workflow::Kits::default(),
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: Vec::new(),
            sign_off: workflow::SignOff::Elsewhere,
            orders: workflow::orders::OrderRules::default(),
        };
        Site {
            name: "test".into(),
            ledger: ledger.clone(),
            connections,
            couriers: delivery::Board::default(),
            workflow: Arc::new(workflow),
            registrations: workflow::registrations::Registrations::default(),
            token: TOKEN.into(),
            people: workflow::people::People::new(ledger.clone(), workflow::people::PeopleRules::default()),
            session_limits: console::SessionLimits::default(),
            sessions: console::Sessions::default(),
            version: "0".into(),
        }
    }

    fn line(mode: Mode) -> Connection {
        Connection {
            id: ConnectionId::new("arch-1").unwrap(),
            mode,
            profile: ProfileRef { id: "maker/model".into(), revision: "7".into() },
            protocol: Protocol::Lis02,
            link: Link::Lis01(lis01::Config::default(), MessageEnd::Terminator),
            limits: Limits::default(),
            desk: None,
        }
    }

    async fn served(mode: Mode) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path().join("ledger"));
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let (board, stop) = (intake::Board::default(), CancellationToken::new());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let analyser = listener.local_addr().unwrap();
        let source = Source::Listen(intake::Listen::plain(listener));
        tokio::spawn(intake::serve(line(mode), source, ledger.clone(), board.clone(), stop.clone()));
        let surface = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api/v1/connections", surface.local_addr().unwrap());
        tokio::spawn(console::serve(site(&ledger, board), surface, stop.clone()));
        let http = Client::builder().no_proxy().build().unwrap();
        Served { base, http, ledger, analyser, stop, _folder: folder }
    }

    impl Served {
        async fn ask(&self, path: &str, accept: &str, token: &str) -> reqwest::Response {
            let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(token);
            request.header(ACCEPT, accept).send().await.unwrap()
        }

        async fn text(&self, path: &str) -> (String, u64, u64) {
            let answer = self.ask(path, "text/plain", TOKEN).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let number = |name: &str| answer.headers()[name].to_str().unwrap().parse().unwrap();
            let (last, begin_ms) = (number("hemogate-trace-last"), number("hemogate-trace-begin-ms"));
            (answer.text().await.unwrap(), last, begin_ms)
        }

        async fn json(&self, path: &str) -> Value {
            self.ask(path, "application/json", TOKEN).await.json().await.unwrap()
        }

        /// Who read what, as `export audit` has it.
        fn readings(&self) -> Vec<(Value, Value)> {
            let lines = self.ledger.export(ExportKind::Audit).map(Result::unwrap);
            let read = lines.filter(|line| line["what"] == "donor_data_read");
            read.map(|line| (line["by"].clone(), line["detail"].clone())).collect()
        }

        /// Asks for the line and ends it, and waits for the answer.
        async fn analyser_says_hello(&self) -> TcpStream {
            let mut socket = TcpStream::connect(self.analyser).await.unwrap();
            socket.write_all(&[5]).await.unwrap();
            let answer = tokio::time::timeout(Duration::from_secs(20), socket.read_u8()).await;
            assert_eq!(answer.unwrap().unwrap(), 6);
            socket
        }
    }

    fn events(page: &Value) -> Vec<(String, String)> {
        let words = |item: &Value| {
            let kind = item["event"].as_str().unwrap();
            let words = ["bytes", "peer", "why", "what"].iter().find_map(|name| item[*name].as_str());
            (kind.to_owned(), words.unwrap().to_owned())
        };
        page["items"].as_array().unwrap().iter().map(words).collect()
    }

    #[tokio::test]
    async fn a_trace_is_a_dialogue_or_json_and_can_be_read_on() {
        let served = served(Mode::Production).await;
        let mut socket = served.analyser_says_hello().await;
        let peer = socket.local_addr().unwrap().to_string();
        let (text, last, begin_ms) = served.text("/arch-1/trace").await;
        let head = "# hemogate trace of connection arch-1 · maker/model@7 · production\n";
        assert!(text.starts_with(head), "{text}");
        let spoken: Vec<&str> =
            text.lines().filter(|l| l.starts_with("00:")).map(|l| l.split_at(10).1).collect();
        assert_eq!(spoken, ["> <ENQ>", "< <ACK>"]);
        let page = served.json("/arch-1/trace").await;
        let [connected, received, sent] = events(&page).try_into().unwrap();
        assert_eq!(connected, ("connected".to_owned(), peer));
        assert_eq!((received.1.as_str(), sent.1.as_str()), ("<ENQ>", "<ACK>"));
        assert_eq!((&page["last"], &page["lost_events"]), (&json!(last), &json!(0)));

        socket.write_all(&[4]).await.unwrap();
        drop(socket);
        let mut more = String::new();
        while !more.contains("closed: ") {
            more = served.text(&format!("/arch-1/trace?since={last}&begin_ms={begin_ms}")).await.0;
        }
        assert!(!more.contains("ENQ") && !more.contains("clock"), "{more}");
        assert!(more.contains("> <EOT>\n"), "{more}");
    }

    #[tokio::test]
    async fn whoever_reads_a_trace_is_written_down_once_for_a_while_and_a_stranger_reads_nothing() {
        let served = served(Mode::Production).await;
        let _socket = served.analyser_says_hello().await;
        for (token, status) in [("", StatusCode::UNAUTHORIZED), ("wrong", StatusCode::UNAUTHORIZED)] {
            let answer = served.ask("/arch-1/trace", "text/plain", token).await;
            assert_eq!(answer.status(), status);
            assert!(!answer.text().await.unwrap().contains("ENQ"));
        }
        assert_eq!(served.readings(), []);
        for _ in 0..3 {
            served.text("/arch-1/trace").await;
        }
        assert_eq!(
            served.readings(),
            [(json!("user:token"), json!({ "read": "trace", "connection": "arch-1" }))]
        );
    }

    #[tokio::test]
    async fn what_cannot_be_written_down_is_not_shown() {
        let served = served(Mode::Production).await;
        let _socket = served.analyser_says_hello().await;
        served.ledger.clone().close();
        let answer = served.ask("/arch-1/trace", "text/plain", TOKEN).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.text().await.unwrap().contains("ENQ"));
    }

    #[tokio::test]
    async fn a_connection_shows_how_it_stands_and_what_was_odd_in_json_and_in_metrics() {
        let served = served(Mode::Production).await;
        let mut socket = served.analyser_says_hello().await;
        // A frame that is no good, and noise behind the end.
        socket.write_all(b"\x021H\x0300\r\n").await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), 0x15);
        let standing = served.json("/arch-1").await;
        for (name, expect) in [
            ("activity", json!("connected")),
            ("mode", json!("production")),
            ("sockets", json!(1)),
            ("connected_total", json!(1)),
            ("bytes_total", json!(9)),
            ("bytes_sent_total", json!(2)),
            ("refused_total", json!(1)),
            ("anomalies", json!({ "damaged": 1 })),
            ("silent", json!(false)),
        ] {
            assert_eq!(standing[name], expect, "{name}: {standing}");
        }
        for name in ["reason", "reason_zh", "since_at", "served_since_at", "last_bytes_at", "last_anomaly_at"]
        {
            assert!(standing[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {standing}");
        }
        assert_eq!(standing["last_message_at"], Value::Null);
        let base = served.base.replace("/api/v1/connections", "");
        let metrics = served.http.get(format!("{base}/metrics")).bearer_auth(TOKEN).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        for line in [
            "hemogate_connection_sockets{connection=\"arch-1\"} 1",
            "hemogate_connection_sent_bytes_total{connection=\"arch-1\"} 2",
            "hemogate_connection_anomalies_total{connection=\"arch-1\",kind=\"damaged\"} 1",
            "hemogate_connection_anomalies_total{connection=\"arch-1\",kind=\"noise\"} 0",
        ] {
            assert!(metrics.lines().any(|l| l == line), "{line}: {metrics}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_is_not_there_is_told_with_those_that_are() {
        let served = served(Mode::ListenOnly).await;
        while served.json("").await["items"].as_array().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        for path in ["/arch-2", "/arch-2/trace"] {
            let problem = served.json(path).await;
            assert_eq!(problem["status"], 404);
            assert!(problem["detail"].as_str().unwrap().contains("there are: arch-1"), "{problem}");
        }
        let standing = served.json("/arch-1").await;
        assert_eq!(
            (&standing["mode"], &standing["profile"]["id"]),
            (&json!("listen-only"), &json!("maker/model"))
        );
        assert_eq!(served.json("/arch-1/trace?typo=1").await["status"], 400);
    }

    #[tokio::test]
    async fn a_probe_says_what_would_happen_in_both_languages_and_changes_nothing() {
        let served = served(Mode::Production).await;
        let _socket = served.analyser_says_hello().await;
        let (entries, before) = (served.ledger.status().durable, served.json("/arch-1").await);
        let probe = served.json("/arch-1/probe").await;
        assert_eq!((&probe["connection"], &probe["good"]), (&json!("arch-1"), &json!(true)), "{probe}");
        let items = probe["items"].as_array().unwrap();
        let aspects: Vec<&str> = items.iter().map(|item| item["aspect"].as_str().unwrap()).collect();
        assert_eq!(aspects, ["status", "port", "peer"]);
        for item in items {
            assert_eq!(item["outcome"], "good", "{item}");
            for (said, lang) in [("at", "en"), ("at", "zh"), ("found", "en"), ("found", "zh")] {
                assert!(item[said][lang].as_str().is_some_and(|text| !text.is_empty()), "{item}");
            }
        }
        assert_eq!(served.ledger.status().durable, entries, "a probe writes nothing");
        let after = served.json("/arch-1").await;
        for name in ["sockets", "connected_total", "bytes_sent_total", "probes_total", "anomalies_total"] {
            assert_eq!(before[name], after[name], "{name}");
        }
        assert_eq!(served.json("/arch-2/probe").await["status"], 404);
    }
}
