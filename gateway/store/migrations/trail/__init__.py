"""The audit trail, step by step."""
