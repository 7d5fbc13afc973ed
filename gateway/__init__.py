"""The gateway moves mail and carries out what the policy decides. README.md beside this file is the map."""

__version__ = "0.1.0"
