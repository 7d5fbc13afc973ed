"""DNS lists (RFC 5782): how one is written in a policy, and what is asked of it about a mail."""
