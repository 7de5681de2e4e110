"""What a person drove, out of recordings, to learn from."""
