//! `user`: accounts, over a running daemon or on a stopped data directory.
//!
//! On a stopped directory, and without `--as`, only administrators' accounts can be made and opened: the first ones, and
//! one that nobody can sign in with any more.

use crate::{
    cli::{Cli, Format, Lang, User},
    client::Client,
    config::Config,
    daemon::ledger_settings,
    exit::{Exit, Failure, Outcome},
    print::{Printer, encoded},
    secret::{new_password_of, password_of},
};
use jiff::Timestamp;
use ledger::Ledger;
use serde_json::{Value, json};
use vocabulary::Role;
use workflow::people::{Actor, Local, NewUser, People, Refused};

/// A refusal on the command line, in the language asked for.
pub(crate) fn refused(why: &Refused, lang: Lang) -> Failure {
    let exit = match why {
        Refused::Wrong
        | Refused::Locked { .. }
        | Refused::Disabled
        | Refused::MustChange
        | Refused::Stale
        | Refused::NotPermitted { .. }
        | Refused::OtherPerson
        | Refused::Own
        | Refused::LocalOnlyAdministrators => Exit::NotPermitted,
        Refused::Password { .. } | Refused::Name { .. } | Refused::Text { .. } | Refused::Roles(_) => {
            Exit::BadInput
        }
        Refused::Exists(_) | Refused::NoSuchUser(_) | Refused::Last(_) | Refused::Changed => Exit::No,
        Refused::Busy | Refused::Broken(_) => Exit::Unavailable,
    };
    Failure::new(exit, lang.pick(why.english(), why.chinese()))
}

pub(crate) async fn user(cli: &Cli, asked: &User, lang: Lang) -> Outcome {
    let config = crate::configuration(cli)?.config;
    if let User::List(output) = asked {
        return list(&config, output.format, lang).await;
    }
    match Client::of_store(&config.store.path)? {
        Some(client) => over_http(client, asked, lang).await,
        None => at_rest(&config, asked, lang),
    }
}

/// The path and the body of a command, with the new password where it sets one.
fn request(asked: &User, lang: Lang) -> Result<(&'static str, String, Value), Failure> {
    let of = |user: &str, what: &str| format!("users/{}/{what}", encoded(user));
    Ok(match asked {
        User::List(_) => ("GET", "users".to_owned(), Value::Null),
        User::Add { user, name, role, .. } => {
            if role.is_some() {
                return Err(refused(&Refused::LocalOnlyAdministrators, lang));
            }
            let password = new_password_of(user, lang)?;
            let name = name.as_ref().unwrap_or(user);
            ("POST", "users".to_owned(), json!({ "user": user, "name": name, "password": password }))
        }
        User::Role { user, roles, reason, .. } => {
            ("PUT", of(user, "roles"), json!({ "roles": roles, "reason": reason }))
        }
        User::Disable { user, reason, .. } => ("POST", of(user, "disable"), json!({ "reason": reason })),
        User::Enable { user, reason, .. } => ("POST", of(user, "enable"), json!({ "reason": reason })),
        User::Password { user, .. } => {
            ("POST", of(user, "password"), json!({ "password": new_password_of(user, lang)? }))
        }
    })
}

async fn over_http(client: Client, asked: &User, lang: Lang) -> Outcome {
    let own = matches!(asked, User::Password { user, r#as } if r#as.as_ref().is_none_or(|by| by == user));
    if own && let User::Password { user, .. } = asked {
        let old = password_of(user, lang)?;
        let session = client.sign_in(user, &old).await?;
        let new = new_password_of(user, lang)?;
        session.post("me/password", &json!({ "old": old, "new": new })).await?;
        return Ok(Exit::Done);
    }
    let Some(by) = asked.signed_in_as() else {
        let what = lang.pick(
            "a daemon is running: say who you are with --as NAME",
            "守护进程正在运行：请用 --as 用户名 说明您的身份",
        );
        return Err(Failure::new(Exit::Usage, what));
    };
    let session = client.sign_in(by, &password_of(by, lang)?).await?;
    let outcome = match request(asked, lang) {
        Ok((method, path, body)) => session.command(method, &path, None, &body).await.map(drop),
        Err(failure) => Err(failure),
    };
    session.sign_out().await;
    outcome.map(|()| Exit::Done)
}

fn open(config: &Config) -> Result<(Ledger, People), Failure> {
    let (rules, _) = config.people.rules().map_err(|what| Failure::new(Exit::Configuration, what))?;
    let opened = Ledger::open(ledger_settings(config), &mut |_| {});
    let (ledger, _) = opened.map_err(|e| Failure::new(Exit::Unavailable, e))?;
    Ok((ledger.clone(), People::new(ledger, rules)))
}

fn at_rest(config: &Config, asked: &User, lang: Lang) -> Outcome {
    let (ledger, people) = open(config)?;
    let actor = asked.signed_in_as().map(|by| {
        let password = password_of(by, lang)?;
        people.authenticate(by, &password, Timestamp::now()).map_err(|why| refused(&why, lang))
    });
    let outcome = match actor.transpose()? {
        Some(actor) => signed_in(&people, &actor, asked, lang),
        None => local(&people, asked, lang),
    };
    ledger.close();
    outcome.map(|()| Exit::Done)
}

fn signed_in(people: &People, actor: &Actor, asked: &User, lang: Lang) -> Result<(), Failure> {
    let outcome = match asked {
        User::List(_) => return Ok(()),
        User::Add { role: Some(_), .. } => Err(Refused::LocalOnlyAdministrators),
        User::Add { user, name, role: None, .. } => people.add(actor, &new_user(user, name.as_ref(), lang)?),
        User::Role { user, roles, reason, .. } => people.set_roles(actor, (user, None), roles, reason),
        User::Disable { user, reason, .. } => people.disable(actor, (user, None), reason),
        User::Enable { user, reason, .. } => people.enable(actor, (user, None), reason),
        User::Password { user, .. } if user == actor.user().as_str() => {
            let (old, new) = (password_of(user, lang)?, new_password_of(user, lang)?);
            people.change_password(actor, (&old, &new), Timestamp::now())
        }
        User::Password { user, .. } => people.reset_password(actor, user, &new_password_of(user, lang)?),
    };
    outcome.map(drop).map_err(|why| refused(&why, lang))
}

fn new_user(user: &str, name: Option<&String>, lang: Lang) -> Result<NewUser, Failure> {
    let password = new_password_of(user, lang)?;
    Ok(NewUser { user: user.to_owned(), name: name.map_or(user, String::as_str).to_owned(), password })
}

fn local(people: &People, asked: &User, lang: Lang) -> Result<(), Failure> {
    let os_user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default();
    let door = Local::of_stopped(people, if os_user.is_empty() { "unknown" } else { &os_user });
    let outcome = match asked {
        User::List(_) => return Ok(()),
        User::Add { user, name, role: Some(role), .. } if role.is_administrator() => {
            door.add(&new_user(user, name.as_ref(), lang)?, *role)
        }
        User::Enable { user, reason, .. } => door.enable(user, reason),
        User::Password { user, .. } => door.set_password(user, &new_password_of(user, lang)?),
        User::Add { .. } | User::Role { .. } | User::Disable { .. } => Err(Refused::LocalOnlyAdministrators),
    };
    outcome.map(drop).map_err(|why| refused(&why, lang))
}

async fn list(config: &Config, format: Format, lang: Lang) -> Outcome {
    let users: Vec<Value> = if let Some(client) = Client::of_store(&config.store.path)? {
        let answer = client.get("users").await?;
        answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default()
    } else {
        let (ledger, people) = open(config)?;
        let users = people.accounts().map_err(|why| refused(&why, lang))?;
        ledger.close();
        let shown = |u: &ledger::UserView| json!({ "user": u.user, "name": u.name, "roles": u.roles, "disabled": u.disabled });
        users.iter().map(shown).collect()
    };
    let mut printer = Printer::new(format);
    printer.heads(&lang.pick(["user", "name", "roles", "disabled"], ["用户", "姓名", "角色", "停用"]));
    for user in &users {
        printer.item(user, || {
            let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let roles = user.get("roles").and_then(Value::as_array).into_iter().flatten();
            let roles: Vec<String> = roles
                .filter_map(|role| role.as_str()?.parse::<Role>().ok())
                .map(|role| lang.pick(role.name(), role.chinese()).to_owned())
                .collect();
            vec![text("user"), text("name"), roles.join(", "), text("disabled")]
        })?;
    }
    printer.finish()?;
    Ok(Exit::Done)
}
