"""The policy language: YAML to rules, and what rules say of a message. Everything is pure but the reading of files.

In the order in which a rule comes about: `load.py` reads `layers.py` and merges them (`merge.py`) into what `model.py`
describes; `rule.py` and `when.py` say how rules and conditions are written, with `values.py` and `fields.py` for what
is wanted; `questions.py` turns them into `conditions.py` and `found.py`, `matchers.py` is what values are held against,
`logic.py` how answers combine; `ruling.py` says what follows. `combinations.py` and `advice.py` look for what cannot be
meant, `catalogue.py` finds the filters, `cases.py` are a policy's own tests, `reference.py` writes the manual.
"""
