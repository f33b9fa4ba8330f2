"""The history of the tables, read by Alembic.

A change of storage/tables.py needs a new file in `versions/`: the newest one copied, the next number as its revision,
its steps written out with plain SQLAlchemy types. A test fails until the migrations make exactly the tables.
"""
