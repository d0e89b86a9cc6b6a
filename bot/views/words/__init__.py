"""Words and sentences: translation, names, dates, amounts, and cutting text to a length."""
