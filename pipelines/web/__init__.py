"""Web questionnaires: the forms that go out, and the answers that come back as CSV.

Belongs here: writing XLSForms (xlsform.py), reading exports into the same draft as a workbook's
(read.py), what a form's columns are (columns.py). Does not: typing cells and everything after it,
which is the same as for workbooks.
"""
