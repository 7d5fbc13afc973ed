"""Reports on what the gateway did, from the audit trail and the directory.

`tallies.py` says what a trail is asked, `model.py` what a report is; there is one module for each report, and one for
each form in which a report is given out (`as_csv.py`, `as_html.py` with `charts.py`, `as_lines.py`).
"""
