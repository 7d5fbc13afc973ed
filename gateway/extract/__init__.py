"""A mail opened: every text, link and file in it, as `gateway/reading.py` has them.

The way of a file, one module after the other:

- `opener.py` goes through the parts of a mail (`message.py`, `texts.py`). Texts and HTML are read in place, since mail
  is mostly that; each file goes to a process that can do no harm, unless `cache.py` knows its content already.
- `sandbox.py` is our side of that process, `worker.py` its own, `job.py` and `frames.py` what they say to each other,
  `confinement.py` what is taken away from it: files, network, processes, memory, time.
- `opening.py` opens the file there and all files inside it, to the bottom, within one `room.py`. `witness.py` says
  what a file is to any program: by its bytes, by what begins further on, by its name and declared type.
- `formats/` has the readers, a table of kinds to functions; `archives.py`, `zips.py`, `zip_headers.py`, `inflate.py`
  and `documents/` serve them. `recognise.py` has the text in pictures read by another program.

What cannot be looked at is a `Blind` with its reason, never silence; that nothing can be read at all here and now is
`Unavailable`. Programs disagree on what is in an archive: all readings are opened, and the disagreement is a trait.

Limits are the constants of `room.py`, most of them settings (`reading:`), and each is there for a kind of bomb: what
comes out of one packed file is at most 200 times its size (FREE and RATIO: deflate can do 1,032), out of all levels of
one attachment together likewise; one inner file is at most 32 MiB (it is held whole), all of a mail together 100 MiB,
2,000 files, 8 deep, 10 seconds. Members that share their bytes are not opened: no honest zip has any.
"""
