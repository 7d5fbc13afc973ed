"""The schema of each database, grown by numbered steps; they run in-process when a store is opened (`schema.py`)."""
