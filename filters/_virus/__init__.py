"""What the filter `virus` knows without a daemon."""
