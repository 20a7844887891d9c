//! The HTTP surface over a real socket and a real ledger.

#[cfg(test)]
mod surface {
    use console::Site;
    use ledger::{Ledger, Seq, Settings, StateStore, What};
    use reqwest::{Client, Method, StatusCode};
    use serde_json::{Value, json};
    use std::sync::Arc;
    use tokio_util::sync::CancellationToken;
    use vocabulary::Role;
    use workflow::people::{Local, NewUser, People, PeopleRules};

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    struct Served {
        base: String,
        http: Client,
        ledger: Ledger,
        stop: CancellationToken,
        _folder: tempfile::TempDir,
    }

    async fn served() -> Served {
        served_with(workflow::SpecimenRule::new(r"(?<donation>\S+)").unwrap()).await
    }

    async fn served_with(specimens: workflow::SpecimenRule) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(folder.path().join("ledger"));
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let workflow = workflow::Settings {
            profiles: workflow::Profiles::default(),
            pack: release::RulePack::built_in("cn-2019").unwrap(),
            specimens,
            time_zone: jiff::tz::TimeZone::UTC,
            lots: workflow::LotRegister::default(),
            kits: workflow::Kits::default(),
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: Vec::new(),
            sign_off: workflow::SignOff::Elsewhere,
            orders: workflow::orders::OrderRules::default(),
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
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(console::serve(site, listener, stop.clone()));
        Served { base, http: Client::builder().no_proxy().build().unwrap(), ledger, stop, _folder: folder }
    }

    impl Served {
        async fn ask(
            &self,
            method: Method,
            path: &str,
            token: Option<&str>,
            body: Option<&Value>,
        ) -> (StatusCode, Value) {
            let mut request = self.http.request(method, format!("{}{path}", self.base));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        }

        async fn get(&self, path: &str) -> (StatusCode, Value) {
            self.ask(Method::GET, path, Some(TOKEN), None).await
        }
    }

    fn registration(donation: &str) -> Value {
        json!({
            "donation": donation, "collected_at": "2026-03-01T09:00:00Z",
            "donor": { "id": "D1", "first_time": false, "deferred": false },
        })
    }

    #[tokio::test]
    async fn everything_but_health_asks_for_the_token_and_every_path_of_the_document_is_there() {
        let served = served().await;
        let document = served.ask(Method::GET, "/api/v1/openapi.json", None, None).await.1;
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 18, "{paths:?}");
        for (path, methods) in paths {
            let path = path.replace("{seq}", "1").replace("{id}", "1").replace("{entry}", "1");
            for method in methods.as_object().unwrap().keys() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let open = path.starts_with("/health");
                for wrong in [None, Some("wrong"), Some("")] {
                    let (status, body) = served.ask(method.clone(), &path, wrong, None).await;
                    if path.ends_with("/sign-in") {
                        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
                    } else if open {
                        assert_eq!(status, StatusCode::OK, "{path}");
                    } else {
                        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {body}");
                        assert_eq!(body["status"], 401);
                    }
                }
                let (status, body) = served.ask(method, &path, Some(TOKEN), Some(&json!({}))).await;
                assert!(
                    status != StatusCode::METHOD_NOT_ALLOWED && status != StatusCode::UNAUTHORIZED,
                    "{path} {status}"
                );
                assert!(
                    !body["detail"].as_str().unwrap_or("").starts_with("there is nothing at"),
                    "{path} {body}"
                );
            }
        }
        served.stop.cancel();
    }

    #[tokio::test]
    async fn a_registered_donation_can_be_read_and_a_bad_one_says_which_and_why() {
        let served = served().await;
        let two = json!([registration("000123"), registration("000124")]);
        let (status, body) = served.ask(Method::POST, "/api/v1/donations", Some(TOKEN), Some(&two)).await;
        assert_eq!((status, &body["registered"]), (StatusCode::CREATED, &json!(2)));
        let newest = served.ledger.status().durable;
        served.ledger.wait_applied(newest).await.unwrap();
        let (status, body) = served.get("/api/v1/donations/000123").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["evidence"]["donor"]["id"], "D1");
        assert_eq!(served.get("/api/v1/donations?limit=1").await.1["next"], "000123");
        assert_eq!(
            served.get("/api/v1/donations?limit=1&after=000123").await.1["items"][0]["donation"],
            "000124"
        );

        let mut bad = registration("1");
        bad["donor"]["typo"] = json!(1);
        let (status, body) = served
            .ask(Method::POST, "/api/v1/donations", Some(TOKEN), Some(&json!([registration("1"), bad])))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains("donation 1") && detail.contains("typo"), "{detail}");
        assert_eq!(
            served.get("/api/v1/donations/1").await.0,
            StatusCode::NOT_FOUND,
            "nothing of a bad list is taken"
        );
        served.stop.cancel();
    }

    #[tokio::test]
    async fn a_registration_that_contradicts_holds_keeps_no_other_out_and_its_refusal_is_written_down_once() {
        let served = served().await;
        let path = "/api/v1/donations";
        let first = registration("000123");
        let (status, _) = served.ask(Method::POST, path, Some(TOKEN), Some(&first)).await;
        assert_eq!(status, StatusCode::CREATED);
        let mut again = registration("000123");
        (again["donor"]["deferred"], again["donor"]["field_abo"]) = (json!(true), json!("B"));
        again["donor"]["barred"] = json!("HIV reactive");
        let list = json!([registration("000124"), again, registration("000125")]);
        for _ in 0..3 {
            let (status, body) = served.ask(Method::POST, path, Some(TOKEN), Some(&list)).await;
            assert_eq!(status, StatusCode::CONFLICT, "{body}");
            let detail = body["detail"].as_str().unwrap();
            for part in
                ["row 1", "another group in the field", "it is kept", "the other rows are registered (2)"]
            {
                assert!(detail.contains(part), "{part}: {detail}");
            }
        }
        let held = served.get("/api/v1/donations/000123").await.1;
        assert_eq!(held["evidence"]["donor"]["deferred"], true, "{held}");
        assert_eq!(served.get("/api/v1/donations/000125").await.0, StatusCode::OK);
        let newest = served.ledger.status().durable;
        let refused = (1..=newest.get()).filter(|seq| {
            let entry = served.ledger.state().entry(Seq::new(*seq)).unwrap();
            matches!(entry.what, What::CommandRefused { .. }) && entry.by == "user:token"
        });
        assert_eq!(refused.count(), 1);
        served.stop.cancel();
    }

    #[tokio::test]
    async fn what_is_not_there_and_what_cannot_be_read_are_problems() {
        let served = served().await;
        for (path, expect) in [
            ("/api/v1/messages/7", StatusCode::NOT_FOUND),
            ("/api/v1/messages/7/raw", StatusCode::NOT_FOUND),
            ("/api/v1/donations/none", StatusCode::NOT_FOUND),
            ("/nowhere", StatusCode::NOT_FOUND),
            ("/api/v1/messages?after=x", StatusCode::BAD_REQUEST),
            ("/api/v1/messages?typo=1", StatusCode::BAD_REQUEST),
        ] {
            let (status, body) = served.get(path).await;
            assert_eq!(status, expect, "{path}");
            assert_eq!(body["status"], expect.as_u16(), "{path} {body}");
            assert!(!body["detail"].as_str().unwrap().is_empty(), "{path}");
        }
        served.stop.cancel();
    }

    #[tokio::test]
    async fn every_form_of_a_number_is_one_donation() {
        let served = served_with(workflow::SpecimenRule::of(identifiers::Normaliser::default())).await;
        let forms = ["G123426000001", "=G12342600000100", "G12342600000100", "=G123426000001"];
        for form in forms {
            let (status, body) =
                served.ask(Method::POST, "/api/v1/donations", Some(TOKEN), Some(&registration(form))).await;
            assert_eq!(status, StatusCode::CREATED, "{form}: {body}");
            served.ledger.wait_applied(served.ledger.status().durable).await.unwrap();
        }
        let all = served.get("/api/v1/donations").await.1;
        assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
        for form in forms {
            let (status, body) = served.get(&format!("/api/v1/donations/{form}")).await;
            assert_eq!((status, &body["donation"]), (StatusCode::OK, &json!("G123426000001")), "{form}");
        }
        let two_words = registration("G123426000001 G123426000002");
        let (status, body) =
            served.ask(Method::POST, "/api/v1/donations", Some(TOKEN), Some(&two_words)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(body["detail"].as_str().unwrap().starts_with("donation 0: "), "{body}");
        served.stop.cancel();
    }

    #[tokio::test]
    async fn ready_says_no_when_the_ledger_takes_nothing() {
        let served = served().await;
        assert_eq!(served.get("/health/ready").await.0, StatusCode::OK);
        let metrics = served.get("/metrics").await.1;
        assert!(metrics.as_str().unwrap().contains("hemogate_accepting 1"), "{metrics}");
        served.ledger.clone().close();
        assert_eq!(served.get("/health/live").await.0, StatusCode::OK);
        let (status, body) =
            served.ask(Method::POST, "/api/v1/donations", Some(TOKEN), Some(&registration("1"))).await;
        assert_eq!((status, &body["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(503)));
        served.stop.cancel();
    }

    const FIRST: &str = "First-password-1";
    const OTHER: &str = "Other-password-2";

    impl Served {
        async fn people(&self, work: impl FnOnce(&People) + Send + 'static) {
            let people = People::new(self.ledger.clone(), PeopleRules::default());
            tokio::task::spawn_blocking(move || work(&people)).await.unwrap();
        }

        /// The three administrators, as somebody at the machine makes them.
        async fn administrators(&self) {
            self.people(|people| {
                let local = Local::of_stopped(people, "root");
                for (user, role) in [
                    ("system", Role::SystemAdministrator),
                    ("security", Role::SecurityAdministrator),
                    ("audit", Role::AuditAdministrator),
                ] {
                    let new = NewUser { user: user.into(), name: user.into(), password: FIRST.into() };
                    local.add(&new, role).unwrap();
                }
            })
            .await;
        }

        async fn sign_in(&self, user: &str, password: &str) -> (StatusCode, Value) {
            let body = json!({ "user": user, "password": password });
            self.ask(Method::POST, "/api/v1/sign-in", None, Some(&body)).await
        }

        async fn token_of(&self, user: &str, password: &str) -> String {
            let (status, body) = self.sign_in(user, password).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            body["token"].as_str().unwrap().to_owned()
        }
    }

    #[tokio::test]
    async fn a_person_signs_in_does_what_the_roles_allow_and_no_secret_comes_out() {
        let served = served().await;
        served.administrators().await;
        let (status, wrong) = served.sign_in("system", "wrong").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let nobody = served.sign_in("nobody", "wrong").await;
        assert_eq!((status, &wrong["detail"]), (nobody.0, &nobody.1["detail"]), "nobody is told which");
        let (system, security) =
            (served.token_of("system", FIRST).await, served.token_of("security", FIRST).await);
        let zhang = json!({ "user": "zhang", "name": "张", "password": FIRST });
        let post = |path: &'static str, token: &str, body: &Value| {
            let (token, body) = (token.to_owned(), body.clone());
            let served = &served;
            async move { served.ask(Method::POST, path, Some(&token), Some(&body)).await }
        };
        assert_eq!(post("/api/v1/users", TOKEN, &zhang).await.0, StatusCode::FORBIDDEN, "not by the machine");
        assert_eq!(post("/api/v1/users", &security, &zhang).await.0, StatusCode::FORBIDDEN);
        assert_eq!(post("/api/v1/users", &system, &zhang).await.0, StatusCode::CREATED);
        assert_eq!(post("/api/v1/users", &system, &zhang).await.0, StatusCode::CONFLICT);
        let roles = json!({ "roles": ["reviewer"], "reason": "new" });
        let put = served.ask(Method::PUT, "/api/v1/users/zhang/roles", Some(&security), Some(&roles)).await;
        assert_eq!(put.0, StatusCode::OK, "{}", put.1);

        let fresh = served.token_of("zhang", FIRST).await;
        let (status, me) = served.ask(Method::GET, "/api/v1/me", Some(&fresh), None).await;
        assert_eq!(
            (status, &me["must_change_password"], &me["acts"]),
            (StatusCode::OK, &json!(true), &json!([]))
        );
        let refused = served.ask(Method::GET, "/api/v1/donations", Some(&fresh), None).await;
        assert_eq!(refused.0, StatusCode::FORBIDDEN, "not before the password is the person's own");
        let change = json!({ "old": FIRST, "new": OTHER });
        assert_eq!(post("/api/v1/me/password", &fresh, &change).await.0, StatusCode::OK);
        let stale = served.ask(Method::GET, "/api/v1/me", Some(&fresh), None).await;
        assert_eq!(stale.0, StatusCode::UNAUTHORIZED, "sessions end with the password");
        let zhang = served.token_of("zhang", OTHER).await;
        for (path, token, expect) in [
            ("/api/v1/donations", &zhang, StatusCode::OK),
            ("/api/v1/audit", &zhang, StatusCode::FORBIDDEN),
            ("/api/v1/users", &zhang, StatusCode::FORBIDDEN),
            ("/api/v1/status", &zhang, StatusCode::OK),
            ("/api/v1/donations", &system, StatusCode::FORBIDDEN),
            ("/api/v1/users", &system, StatusCode::OK),
            ("/api/v1/audit", &system, StatusCode::FORBIDDEN),
        ] {
            assert_eq!(served.ask(Method::GET, path, Some(token), None).await.0, expect, "{path}");
        }
        let one = post("/api/v1/donations", &zhang, &registration("1")).await;
        assert_eq!(one.0, StatusCode::CREATED, "{}", one.1);
        assert_eq!(served.ledger.state().entry(served.ledger.status().durable).unwrap().by, "user:zhang");
        assert_eq!(post("/api/v1/sign-out", &zhang, &json!({})).await.0, StatusCode::NO_CONTENT);
        assert_eq!(
            served.ask(Method::GET, "/api/v1/me", Some(&zhang), None).await.0,
            StatusCode::UNAUTHORIZED
        );
        let shown = served.get("/api/v1/users").await.1.to_string()
            + &served.get("/api/v1/users/zhang").await.1.to_string();
        assert!(
            shown.contains("zhang") && !shown.contains("argon2") && !shown.contains("earlier"),
            "{shown}"
        );
        served.stop.cancel();
    }

    #[tokio::test]
    async fn what_somebody_read_of_an_account_is_held_to_its_version() {
        let served = served().await;
        served.administrators().await;
        let system = served.token_of("system", FIRST).await;
        let disable = |version: &str| {
            let request = served
                .http
                .post(format!("{}/api/v1/users/audit/disable", served.base))
                .bearer_auth(&system)
                .header("If-Match", version)
                .json(&json!({ "reason": "left" }));
            async move { request.send().await.unwrap().status() }
        };
        let read = served.http.get(format!("{}/api/v1/users/audit", served.base)).bearer_auth(&system);
        let version = read.send().await.unwrap().headers()["etag"].to_str().unwrap().to_owned();
        assert_eq!(disable("\"1234567\"").await, StatusCode::PRECONDITION_FAILED);
        assert_eq!(disable(&version).await, StatusCode::OK);
        assert_eq!(disable(&version).await, StatusCode::PRECONDITION_FAILED);
        assert_eq!(served.sign_in("audit", FIRST).await.0, StatusCode::UNAUTHORIZED);
        served.stop.cancel();
    }

    #[tokio::test]
    async fn a_dead_letter_is_sent_again_unless_a_later_verdict_took_its_place() {
        let served = served().await;
        let lis = vocabulary::DestinationId::new("lis").unwrap();
        let write = async |what| {
            let written =
                served.ledger.append(vec![ledger::Draft::by_system(what)]).unwrap().await.unwrap().last();
            served.ledger.wait_applied(written).await.unwrap();
            written
        };
        let dies = async || {
            let donation = vocabulary::DonationId::new("000123").unwrap();
            let pack = release::RulePack::built_in("cn-2019").unwrap();
            let verdict = release::explain(&release::Evidence::new(donation), &pack);
            let made = ledger::VerdictMade::new(&verdict, ledger::Seq::NONE, vec![lis.clone()]).unwrap();
            let verdict = write(ledger::What::VerdictMade(made)).await;
            let delivery = ledger::DeliveryId { verdict, destination: lis.clone() };
            write(ledger::What::DeliveryDead { delivery: delivery.clone(), reason: "answered AE".into() })
                .await;
            delivery
        };
        let (older, newer) = (dies().await, dies().await);
        let requeue = async |delivery: &ledger::DeliveryId| {
            let path = format!("/api/v1/deliveries/{delivery}/requeue");
            served.ask(Method::POST, &path, Some(TOKEN), None).await
        };
        let (status, body) = requeue(&older).await;
        let why = body["detail"].as_str().unwrap_or_default();
        assert!(
            status == StatusCode::CONFLICT && why.contains(&format!("verdict {}", newer.verdict)),
            "{body}"
        );
        assert_eq!(requeue(&newer).await.0, StatusCode::OK);
        let (status, body) = requeue(&newer).await;
        assert!(
            status == StatusCode::CONFLICT && body["detail"].as_str().unwrap().contains("is no dead letter"),
            "{body}"
        );
        served.stop.cancel();
    }
}
