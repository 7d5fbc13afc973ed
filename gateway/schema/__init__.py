"""Operators' YAML to typed, frozen values: nodes with positions, then dataclasses, every problem at once.

`nodes.py` turns text into nodes, `reader.py` turns nodes into the types that a dataclass declares, `jsonschema.py` and
`reference.py` tell the same declarations to editors and to people.
"""
