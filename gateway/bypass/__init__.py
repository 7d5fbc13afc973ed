"""Break-glass: a rule or a filter is suspended for a while by somebody who says why (`mailwarden bypass`).

What is suspended is in one file of the state folder, so that it outlives a restart and every process sees it:
`model.py` says what is in it, `file.py` writes and reads it, `effect.py` makes of a policy the policy without what is
suspended, `watch.py` is what a running gateway knows of it.
"""
