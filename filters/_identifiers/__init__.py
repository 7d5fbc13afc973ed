"""How the filter `identifiers` tells a number that names a person from one that does not, and a password from talk."""
