"""Text as a person reads it, from bytes to words that are searched. Nothing here knows what a message is, and nothing
raises on a stranger's text; each step is linear.

1. Bytes to letters: `readings.py` gives the plausible readings of a text, by its label (`charsets.py`) and by what it
   looks like (`evidence.py`: old Vietnamese encodings, converted by `legacy.py` and judged by `syllables.py`;
   `eastern.py`: other scripts).
2. HTML to what is seen: `hypertext.py`, which cuts it by `markup.py`, keeps its open elements in `outline.py`, judges
   what is hidden by `style.py` and puts lines together in `rendering.py`. `addresses.py` finds links written out.
3. A body in own words, quotations and signature: `quoting.py`.
4. Folded forms, in which one sentence in many writings is one sentence: `folding.py` (with `lookalikes.py`) and
   `squeezing.py`, made of a byte for each character (`coding.py`), with the way back (`wayback.py`); searched for
   thousands of phrases at once by `phrases.py`.
"""
