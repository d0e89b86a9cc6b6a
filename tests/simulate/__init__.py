"""Years of days in every time zone, with a process that is sometimes down: is anything missed or doubled?"""
