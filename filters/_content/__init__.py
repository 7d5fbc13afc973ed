"""How the filter `content` reads lexicons (`lexicon.py`), finds their phrases (`hits.py`) and weighs them
(`weighing.py`)."""
