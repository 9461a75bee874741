"""The release: what leaves the house, from the analysts' marts to the files of each receiver.

`table.py` says what a released table is, `protected.py` makes the tables of a round and
`assemble.py` a release of them; every other module writes one format and knows nothing else.
"""
