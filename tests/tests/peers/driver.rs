//! A running driver script: what it is told, and what it says, one JSON object a line.

use crate::kit::{Kit, scripts};
use serde_json::Value;
use std::{
    fmt::Display,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

/// A script that says nothing for so long hangs.
const SPEAKS_WITHIN: Duration = Duration::from_mins(1);

pub(crate) struct Driver {
    child: Child,
    input: Option<ChildStdin>,
    said: Receiver<Value>,
    errors: Option<JoinHandle<String>>,
    /// Everything it said that was asked for so far.
    pub(crate) heard: Vec<Value>,
}

impl Driver {
    pub(crate) fn start(kit: &Kit, script: &str, arguments: &[&dyn Display]) -> Self {
        let mut command = Command::new(&kit.interpreter);
        command.arg(scripts().join(script)).args(arguments.iter().map(ToString::to_string));
        command.env(kit.environment.0, &kit.environment.1).env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, said) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap_or_default();
            text
        });
        let input = child.stdin.take();
        Self { child, input, said, errors: Some(errors), heard: Vec::new() }
    }

    /// A server: waits until it listens, and gives its port.
    pub(crate) fn serve(kit: &Kit, script: &str, arguments: &[&dyn Display]) -> (Self, u16) {
        let mut driver = Self::start(kit, script, arguments);
        let said = driver.next("listening");
        (driver, u16::try_from(said["listening"].as_u64().unwrap()).unwrap())
    }

    /// Tells it something.
    pub(crate) fn order(&mut self, order: &Value) {
        let line = format!("{order}\n");
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// The next thing it says that has `key`; what it says before is kept in [`Self::heard`] too.
    pub(crate) fn next(&mut self, key: &str) -> Value {
        loop {
            let Ok(said) = self.said.recv_timeout(SPEAKS_WITHIN) else {
                let heard = std::mem::take(&mut self.heard);
                panic!("it never says {key:?}; it said {heard:#?} and {}", self.errors());
            };
            self.heard.push(said.clone());
            if said.get(key).is_some() {
                return said;
            }
        }
    }

    /// Closes its input, waits for its end, and gives everything it said.
    pub(crate) fn end(mut self) -> Vec<Value> {
        drop(self.input.take());
        while let Ok(said) = self.said.recv_timeout(SPEAKS_WITHIN) {
            self.heard.push(said);
        }
        std::mem::take(&mut self.heard)
    }

    /// What it wrote to stderr until it was ended.
    fn errors(&mut self) -> String {
        self.child.kill().unwrap_or_default();
        self.errors.take().and_then(|e| e.join().ok()).unwrap_or_default()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What was said under `key`, in order.
pub(crate) fn all<'v>(said: &'v [Value], key: &str) -> Vec<&'v Value> {
    said.iter().filter_map(|what| what.get(key)).collect()
}

/// The texts that were said under `key`, in order.
pub(crate) fn texts(said: &[Value], key: &str) -> Vec<String> {
    all(said, key).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
