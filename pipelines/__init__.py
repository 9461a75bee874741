"""The NNS indicator warehouse: from registration workbooks to marts and releases."""
