//! Links to analysers: drives a parser's state machine between a socket and the ledger.
