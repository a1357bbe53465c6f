"""The physician's review screen: the shell of the page and its words.

The items come from the review API, and everything on the page from `webapp/static/review/`.
"""
