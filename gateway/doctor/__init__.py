"""Does the gate close? Each module here looks at one thing and says what is wrong and what to do about it.

`checkup.py` has the list of checks: a new one is one function and one line there. Nothing is delivered and nothing is
kept; a file is written in the state folder for a moment, to see that one can be.
"""
