//! How a command ends when it does not succeed: one grammar, one table of exit codes.

use std::io;
use std::process::ExitCode;

use client::{ClientError, ErrorKind};
use serde::Serialize;
use types::ErrorCode;

use crate::output::Format;

/// Why a command did not succeed, in four parts: what failed · why · what to do · code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub what: String,
    pub why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
    pub code: String,
    #[serde(skip)]
    pub exit: Exit,
}

/// What the process's exit code says. The help text of `ottla` lists these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Failed = 1,
    Usage = 2,
    Unhealthy = 3,
    NotFound = 4,
    Denied = 5,
    TimedOut = 6,
    Partial = 7,
}

/// What a command returns.
pub type Outcome = Result<(), Failure>;

impl Failure {
    pub fn new(exit: Exit, code: &str, what: impl Into<String>, why: impl Into<String>) -> Failure {
        Failure { what: what.into(), why: why.into(), todo: None, code: code.to_owned(), exit }
    }

    pub fn usage(what: impl Into<String>, why: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, "USAGE", what, why)
    }

    pub fn todo(mut self, todo: impl Into<String>) -> Failure {
        self.todo = Some(todo.into());
        self
    }

    /// Nobody reads our output any more: no error, and nothing left to do.
    pub fn is_broken_pipe(&self) -> bool {
        self.code == BROKEN_PIPE
    }

    fn parts(&self, word: &str) -> String {
        let todo = self.todo.as_ref().map_or_else(String::new, |todo| format!("\n  try: {todo}"));
        format!("{word}: {}\n  why: {}{todo}\n  code: {}", self.what, self.why, self.code)
    }

    /// Tells the person on stderr and gives the exit code.
    pub fn report(&self, format: Format) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        match format {
            Format::Json => eprintln!("{}", serde_json::json!({ "error": self })),
            Format::Text => eprintln!("{self}"),
        }
        ExitCode::from(self.exit as u8)
    }
}

const BROKEN_PIPE: &str = "BROKEN_PIPE";

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.parts("error"))
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let exit = match error.kind {
            ErrorKind::TimedOut => Exit::TimedOut,
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Broker(code) => exit_of(code),
            _ => Exit::Failed,
        };
        let mut failure = Failure::new(exit, error.code(), error.what, error.why);
        failure.todo = error.todo;
        failure
    }
}

fn exit_of(code: ErrorCode) -> Exit {
    match code {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::GroupIdNotFound
        | ErrorCode::UnknownTopicId
        | ErrorCode::ResourceNotFound => Exit::NotFound,
        ErrorCode::TopicAuthorizationFailed
        | ErrorCode::GroupAuthorizationFailed
        | ErrorCode::ClusterAuthorizationFailed
        | ErrorCode::TransactionalIdAuthorizationFailed
        | ErrorCode::SaslAuthenticationFailed => Exit::Denied,
        ErrorCode::RequestTimedOut => Exit::TimedOut,
        _ => Exit::Failed,
    }
}

impl From<io::Error> for Failure {
    /// Errors of our own output; a file's errors name the file, see [`file_failure`].
    fn from(error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::new(Exit::Failed, BROKEN_PIPE, "write the output", "nobody reads it");
        }
        Failure::new(Exit::Failed, "IO", "write the output", error.to_string())
    }
}

/// A file that cannot be used.
pub fn file_failure(verb: &str, path: &str, error: &io::Error) -> Failure {
    let exit = match error.kind() {
        io::ErrorKind::NotFound => Exit::NotFound,
        io::ErrorKind::PermissionDenied => Exit::Denied,
        _ => Exit::Failed,
    };
    Failure::new(exit, "FILE", format!("{verb} {path}"), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_errors_choose_their_exit_code() {
        let exit = |code: i16| Failure::from(ClientError::broker("x", code, None)).exit;
        assert_eq!(exit(3), Exit::NotFound);
        assert_eq!(exit(29), Exit::Denied);
        assert_eq!(exit(36), Exit::Failed);
    }

    #[test]
    fn an_error_has_four_parts_in_text_and_in_json() {
        let failure = Failure::usage("read the flags", "two at once").todo("use one");
        assert_eq!(
            failure.to_string(),
            "error: read the flags\n  why: two at once\n  try: use one\n  code: USAGE"
        );
        let json = serde_json::to_value(&failure).unwrap();
        assert_eq!(json["code"], "USAGE");
        assert_eq!(json["todo"], "use one");
    }
}
