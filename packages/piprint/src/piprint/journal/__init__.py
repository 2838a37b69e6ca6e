"""The journal: what has been done with each job, on disk before the next step is taken."""
