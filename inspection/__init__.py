"""The one flow: plan → crawl → evidence → checks → findings → scores → storage.

The spot check, the nightly run, resuming and the demonstration are all `inspection.run.inspect_units`.
"""
