"""Where mail that the gateway owns is kept, and the audit trail: the embedded family, files and SQLite."""
