//! HL7 v2 ER7 messages: read over borrowed bytes, written, acknowledged.
