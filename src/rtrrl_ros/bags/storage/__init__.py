"""The files that a recording consists of: .mcap, .db3, metadata.yaml, Zstandard."""
