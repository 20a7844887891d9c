//! CLSI LIS02 / ASTM E1394 records: read over borrowed bytes, and written.
