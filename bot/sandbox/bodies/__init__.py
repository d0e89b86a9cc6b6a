"""Bodies of REST requests: the limits they must keep, the errors for those that do not, and the messages they make."""
