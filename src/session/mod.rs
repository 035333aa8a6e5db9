//! What is written: JSONL and CSV rows, shared by `analyze` and by recordings, and snapshots.
