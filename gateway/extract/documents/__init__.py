"""What the readers of `gateway/extract/formats` share: XML, compound files, macros, fields, packaged objects."""
