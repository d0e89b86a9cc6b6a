"""Years of days in every time zone, with a machine that is sometimes down and a clock that jumps: is anything lost?"""
