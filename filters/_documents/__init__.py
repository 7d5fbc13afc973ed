"""How the filter `documents` knows an official document, and a private mailbox."""
