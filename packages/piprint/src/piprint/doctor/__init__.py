"""``piprint doctor``: goes through everything printing needs, says how it is, and how to mend what is not right."""
