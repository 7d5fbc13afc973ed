"""What the readers of documents in `gateway/extract/formats` are made of. What is read of which, and how:

- docx, xlsx, xlsb, pptx and those with macros: `package.py` unpacks, `relations.py` says which part uses which,
  `markup.py` reads XML; `office_text.py`, `sheet_text.py`, `binary_sheet.py` know the elements and records. Parts are
  told by their root, not by their names. Each part that is no XML is a file of its own.
- doc, xls, ppt, msg: `compound.py` (through olefile), `word_binary.py`, `workbook_binary.py`, `workbook_strings.py`,
  `slides_binary.py`, `summary.py`; macros by `macros.py` and `ovba.py`, objects by `ole_objects.py`.
- odt, ods, odp, flat ones, EPUB: `open_text.py`. Word and Excel 2003 XML, flat OPC: as docx. Any other: `plain_xml.py`.
- pdf: pages by `pdfium.py`; what the document does by `pdf_scan.py`, `pdf_filters.py`, `pdf_forms.py`.
- rtf: `rtf_words.py`, and the reader itself. Fields of doc, docx and rtf, and formulas: `fields.py`.
- Vietnamese in fonts from before Unicode is read twice, as written and as drawn: `legacy_fonts.py`.

What a document runs or fetches is a trait (`gateway/traits.py`). What is not read: text hidden by a style in doc and
docx (it is there as text that is seen), the names that belong to the files of a OneNote section (each file has all of
them), pictures in doc, xls and ppt, streams of PDF in filters other than Flate, hex, base 85 and run length (told).
A compound file or a PDF that its library cannot open is "corrupt", whatever the program it is meant for makes of it.
"""
