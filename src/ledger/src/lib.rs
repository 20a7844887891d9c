//! The one durable thing: journal, group commit, fold into sled.
