"""The milter: the other way in, for mail that stays with the MTA."""
