"""Words and sentences: translation, names, dates, amounts, and text that has to fit."""
