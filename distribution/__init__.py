"""多台机器: one inspection's crawl as jobs of a task queue, done by workers on other machines.

The queue is procrastinate, on the PostgreSQL database that holds the inspection. Nothing below this package knows it.
"""
