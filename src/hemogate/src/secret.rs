//! Passwords are asked for on a terminal, without an echo, or read from standard input, a line each; never an argument.

use crate::{
    cli::Lang,
    exit::{Exit, Failure},
};
use std::io::{self, BufRead, IsTerminal};

/// The longest line that is read for a password.
const LINE_BYTES_MAX: usize = 1024;

/// An existing password.
pub(crate) fn password_of(user: &str, lang: Lang) -> Result<String, Failure> {
    ask(&lang.pick(format!("Password of {user}: "), format!("{user} 的密码：")), lang)
}

/// A new password; on a terminal it is given twice.
pub(crate) fn new_password_of(user: &str, lang: Lang) -> Result<String, Failure> {
    let first = ask(&lang.pick(format!("New password of {user}: "), format!("{user} 的新密码：")), lang)?;
    if io::stdin().is_terminal() {
        let again = ask(lang.pick("Once more: ", "再输入一次："), lang)?;
        if again != first {
            let what =
                lang.pick("the two are not the same; nothing was done", "两次输入不一致，未做任何更改");
            return Err(Failure::new(Exit::BadInput, what));
        }
    }
    Ok(first)
}

fn ask(prompt: &str, lang: Lang) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password(prompt)?);
    }
    let mut line = Vec::new();
    let mut stdin = io::stdin().lock();
    loop {
        let part = stdin.fill_buf()?;
        let end = part.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(part.len());
        line.extend(part.iter().take(taken));
        let nothing_more = part.is_empty();
        stdin.consume(end.map_or(taken, |end| end + 1));
        if line.len() > LINE_BYTES_MAX || end.is_some() || nothing_more {
            break;
        }
    }
    let text = String::from_utf8(line).unwrap_or_default();
    let text = text.trim_end_matches('\r');
    if text.is_empty() || text.len() > LINE_BYTES_MAX {
        let what = lang.pick(
            "a password is missing on standard input: one line each, first the own, then the new one",
            "标准输入中缺少密码：每行一个，先本人密码，后新密码",
        );
        return Err(Failure::new(Exit::BadInput, what));
    }
    Ok(text.to_owned())
}
