"""Small defects, planted one at a time in the bot's own code: does a test notice?"""
