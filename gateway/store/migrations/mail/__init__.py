"""The index of kept mail, step by step."""
