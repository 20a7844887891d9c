//! The worklist over HTTP: placed, listed with reasons, changed only by who knows what stands, cancelled.

#[cfg(test)]
mod orders {
    use console::Site;
    use instrument_profiles::Catalogue;
    use ledger::{Draft, Ledger, Settings, StateStore, What};
    use reqwest::{Client, Method, StatusCode, header};
    use serde_json::{Value, json};
    use std::sync::Arc;
    use tokio_util::sync::CancellationToken;
    use vocabulary::{ConnectionId, Mode, NotFound, OrderId, QueryOutcome, WhyNothing};
    use workflow::orders::{Analyser, Exchange, Limits, OrderRules};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";
    const HBSAG: &str = "ARCHITECT HBsAg Qualitative II";
    const HCV: &str = "ARCHITECT Anti-HCV";

    struct Served {
        base: String,
        http: Client,
        ledger: Ledger,
        _stop: tokio_util::sync::DropGuard,
        _folder: tempfile::TempDir,
    }

    fn analyser() -> Analyser {
        Analyser {
            connection: ConnectionId::new("arch-1").unwrap(),
            mode: Mode::Production,
            assays: [HBSAG.to_owned()].into(),
            exchange: Exchange::Asks,
        }
    }

    async fn served() -> Served {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            state: StateStore::Memory,
            free_bytes_min: 0,
            ballast_bytes: 0,
            ..Settings::new(folder.path().join("ledger"))
        };
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let limits = Limits { open_max: 1100, ..Limits::default() };
        let workflow = workflow::Settings {
            profiles: Catalogue::built_in().unwrap().list().cloned().collect(),
            pack: release::RulePack::built_in("cn-2019").unwrap(),
            specimens: workflow::SpecimenRule::new(r"=?(?<donation>[A-Z]\d+)").unwrap(),
            time_zone: jiff::tz::TimeZone::UTC,
            lots: workflow::LotRegister::default(),
            kits: workflow::Kits::default(),
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: Vec::new(),
            sign_off: workflow::SignOff::Elsewhere,
            orders: OrderRules { limits, analysers: vec![analyser()] },
        };
        let site = Site {
            name: "test".into(),
            ledger: ledger.clone(),
            connections: intake::Board::default(),
            couriers: delivery::Board::default(),
            workflow: Arc::new(workflow),
            registrations: workflow::registrations::Registrations::default(),
            token: TOKEN.into(),
            people: workflow::people::People::new(ledger.clone(), workflow::people::PeopleRules::default()),
            session_limits: console::SessionLimits::default(),
            sessions: console::Sessions::default(),
            version: "0".into(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(console::serve(site, listener, stop.clone()));
        let http = Client::builder().no_proxy().build().unwrap();
        Served { base, http, ledger, _stop: stop.drop_guard(), _folder: folder }
    }

    impl Served {
        async fn send(
            &self,
            method: Method,
            path: &str,
            body: Option<&Value>,
            guard: Option<(header::HeaderName, &str)>,
        ) -> (StatusCode, Value) {
            let mut request = self.http.request(method, format!("{}/{path}", self.base)).bearer_auth(TOKEN);
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some((name, value)) = guard {
                request = request.header(name, value);
            }
            let answer = request.send().await.unwrap();
            (answer.status(), answer.json().await.unwrap())
        }

        async fn get(&self, path: &str) -> Value {
            let (status, body) = self.send(Method::GET, path, None, None).await;
            assert_eq!(status, StatusCode::OK, "{path}: {body}");
            body
        }

        async fn place(&self, body: &Value) -> (StatusCode, Value) {
            self.send(Method::POST, "orders", Some(body), None).await
        }
    }

    fn order(id: &str, specimen: &str, assays: &[&str]) -> Value {
        json!({ "id": id, "specimen": specimen, "assays": assays })
    }

    #[tokio::test]
    async fn an_order_sent_twice_is_one_order_and_says_why_it_waits() {
        let served = served().await;
        let full = json!({
            "id": "L1", "specimen": "=G1", "assays": [HBSAG, HCV], "priority": "stat", "specimen_type": "serum",
            "collected_at": "2026-03-01T09:00:00Z", "only_on": "arch-1", "donor": { "id": "D1", "sex": "female" },
        });
        let (status, body) = served.place(&full).await;
        assert_eq!((status, &body["orders"][0]["outcome"]), (StatusCode::CREATED, &json!("new")), "{body}");
        let (status, body) = served.place(&full).await;
        assert_eq!((status, &body["totals"]["same"]), (StatusCode::OK, &json!(1)));
        let shown = served.get("orders/L1").await;
        assert_eq!((&shown["order"]["specimen"], &shown["order"]["as_given"]), (&json!("G1"), &json!("=G1")));
        assert_eq!((&shown["state"], &shown["versions"]), (&json!("placed"), &json!(1)));
        assert_eq!(shown["waits"][0]["why"], "only on arch-1, which cannot do this assay");
        assert_eq!(shown["waits"][1]["why_zh"], "只有arch-1能做，目前未连接");
        assert_eq!(shown["history"][0]["what"], "order_placed");
        assert_eq!(served.ledger.state().counters().unwrap().donations, 0);
    }

    #[tokio::test]
    async fn what_is_refused_says_so_one_by_one_and_the_rest_is_taken() {
        let served = served().await;
        let mixed =
            json!([order("L1", "G1", &[HBSAG]), order("L2", "G2", &["HBsAg"]), order("L3", "?", &[HBSAG])]);
        let (status, body) = served.place(&mixed).await;
        assert_eq!(
            (status, &body["totals"]),
            (StatusCode::CREATED, &json!({ "new": 1, "changed": 0, "same": 0, "refused": 2 }))
        );
        assert_eq!(body["orders"][1]["why"], "unknown_assay");
        assert!(body["orders"][1]["what"].as_str().unwrap().contains("did you mean ARCHITECT HBsAg"));
        assert!(body["orders"][2]["what_zh"].as_str().unwrap().contains("标本号"));
        for (body, expect, part) in [
            (order("L2", "G2", &["HBsAg"]), StatusCode::UNPROCESSABLE_ENTITY, "did you mean"),
            (order("L1", "G2", &[HBSAG]), StatusCode::CONFLICT, "another number"),
            (json!({ "id": "L2" }), StatusCode::BAD_REQUEST, "order 0: missing field"),
            (json!([]), StatusCode::BAD_REQUEST, "1 to 1000 orders"),
            (json!("L2"), StatusCode::BAD_REQUEST, "order 0: invalid type"),
        ] {
            let (status, answer) = served.place(&body).await;
            let detail = answer["detail"].as_str().unwrap();
            assert!(status == expect && detail.contains(part), "{body}: {status} {answer}");
        }
        assert_eq!(served.get("orders").await["items"].as_array().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn who_knows_an_older_version_changes_nothing() {
        let served = served().await;
        served.place(&order("L1", "G1", &[HBSAG])).await;
        let first = served.get("orders/L1").await["changed"].to_string();
        let tag = format!("\"{first}\"");
        let change = order("L1", "G1", &[HBSAG, HCV]);
        let only_new = Some((header::IF_NONE_MATCH, "*"));
        let (status, _) = served.send(Method::POST, "orders", Some(&change), only_new.clone()).await;
        assert_eq!(status, StatusCode::PRECONDITION_FAILED);
        let mine = Some((header::IF_MATCH, tag.as_str()));
        assert_eq!(served.send(Method::POST, "orders", Some(&change), mine.clone()).await.0, StatusCode::OK);
        let cancel = served.send(Method::POST, "orders/L1/cancel", None, mine).await;
        assert_eq!(cancel.0, StatusCode::PRECONDITION_FAILED, "{}", cancel.1);
        let fresh = order("L2", "G1", &[HBSAG]);
        assert_eq!(served.send(Method::POST, "orders", Some(&fresh), only_new).await.0, StatusCode::CREATED);
    }

    #[tokio::test]
    async fn a_cancellation_ends_what_it_names() {
        let served = served().await;
        served.place(&order("L1", "G1", &[HBSAG, HCV])).await;
        let cancel = async |id: &str, body: Value| {
            served.send(Method::POST, &format!("orders/{id}/cancel"), Some(&body), None).await
        };
        assert_eq!(cancel("L9", json!({})).await.0, StatusCode::NOT_FOUND);
        assert_eq!(cancel("L1", json!({ "assays": ["x"] })).await.0, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(cancel("L1", json!({ "typo": 1 })).await.0, StatusCode::BAD_REQUEST);
        let (status, body) = cancel("L1", json!({ "assays": [HCV], "reason": "too little" })).await;
        assert_eq!((status, &body["cancelled"]), (StatusCode::OK, &json!([HCV])));
        assert_eq!(served.get("orders/L1").await["history"][1]["detail"]["reason"], "too little");
        assert_eq!(cancel("L1", json!({})).await.1["cancelled"], json!([HBSAG]));
        assert_eq!(cancel("L1", json!({})).await.1["before"], json!(true));
    }

    #[tokio::test]
    async fn a_thousand_orders_are_placed_at_once_and_listed_in_pages() {
        let served = served().await;
        let many: Vec<Value> =
            (0..1000).map(|n| order(&format!("L{n}"), &format!("G{n}"), &[HBSAG])).collect();
        let (status, body) = served.place(&json!(many)).await;
        assert_eq!((status, &body["totals"]["new"]), (StatusCode::CREATED, &json!(1000)));
        let first = served.get("orders?limit=600&open=true").await;
        assert_eq!(first["items"][0]["id"], "L999");
        let next = first["next"].as_str().unwrap().to_owned();
        let rest = served.get(&format!("orders?limit=600&open=true&after={next}")).await;
        assert_eq!((rest["items"].as_array().unwrap().len(), rest["next"].as_str()), (400, None));
        assert_eq!(served.get("orders?specimen=%3DG7").await["items"][0]["id"], "L7");
        assert_eq!(served.get("orders?state=resulted").await["items"], json!([]));
        let over: Vec<Value> =
            (0..200).map(|n| order(&format!("M{n}"), &format!("H{n}"), &[HBSAG])).collect();
        assert_eq!(
            served.place(&json!(over)).await.1["totals"],
            json!({ "new": 100, "changed": 0, "same": 0, "refused": 100 })
        );
    }

    #[tokio::test]
    async fn questions_are_shown_with_the_reason_why_there_was_nothing() {
        let served = served().await;
        let answered = |outcome: QueryOutcome| {
            Draft::by_system(What::QueryAnswered {
                message: ledger::Seq::new(1),
                connection: ConnectionId::new("arch-1").unwrap(),
                asked: vec!["G1".into()],
                outcome,
            })
        };
        let nothing = vec![NotFound { specimen: "G1".into(), why: WhyNothing::NoOrder }];
        let group = vec![
            answered(QueryOutcome::NothingFound { why: nothing }),
            answered(QueryOutcome::Found { orders: vec![OrderId::new("L1").unwrap()], nothing: vec![] }),
        ];
        let last = served.ledger.append(group).unwrap().await.unwrap().last();
        served.ledger.wait_applied(last).await.unwrap();
        let found = served.get("queries?connection=arch-1").await;
        assert_eq!(found["items"][0]["outcome"]["found"]["orders"], json!(["L1"]));
        assert_eq!(found["items"][1]["why"][0]["why"], "there is no order for this specimen");
        assert_eq!(found["items"][1]["why"][0]["why_zh"], "该标本没有申请");
        assert_eq!(served.get("queries?connection=other").await["items"], json!([]));
    }
}
