"""Near real time: systems tell of a change, and the record is observed and carried on within a second or two."""
