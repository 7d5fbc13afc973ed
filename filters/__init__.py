"""The filters: one module each. README.md beside this file tells how to add one."""
