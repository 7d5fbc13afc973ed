"""Counting mail: sliding windows, the pace of an account, and what makes two messages the same."""
