use metadata::MetadataRecord;

/// What was decided: records to commit, and what to answer once they are.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ControllerResult<R> {
    /// Empty if nothing changes; the reply may then leave at once.
    pub records: Vec<MetadataRecord>,
    /// Whether the records must be committed as one batch. If not, they may be cut anywhere.
    pub atomic: bool,
    pub reply: R,
}

impl<R> ControllerResult<R> {
    pub(crate) fn atomic(records: Vec<MetadataRecord>, reply: R) -> ControllerResult<R> {
        ControllerResult { records, atomic: true, reply }
    }

    pub(crate) fn reply_only(reply: R) -> ControllerResult<R> {
        ControllerResult::atomic(Vec::new(), reply)
    }

    /// The same reply without the change: what validate-only asks for.
    pub(crate) fn without_records_if(mut self, validate_only: bool) -> ControllerResult<R> {
        if validate_only {
            self.records.clear();
        }
        self
    }

    pub fn map<S>(self, f: impl FnOnce(R) -> S) -> ControllerResult<S> {
        ControllerResult { records: self.records, atomic: self.atomic, reply: f(self.reply) }
    }
}
