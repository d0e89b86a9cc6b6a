"""A second, independent calculation of Spade's rules for its tests: plain loops over the JSON, no shared code."""
