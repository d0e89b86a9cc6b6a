"""How fast, how much memory, how long at a stretch: measured on the record of a large server and of a small one."""
