"""The registration workbook: reading it, writing it, and a synthetic landing zone full of them.

Belongs here: everything that knows what a workbook looks like. Does not: what its answers mean
(the seeds) and whether they are plausible (the expectations).
"""

WORKBOOK = "workbook"
"""The source of a delivery that is a registration workbook."""
