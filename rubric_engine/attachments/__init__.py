"""What stands beside an instruction: images, lab tables, vital signs. Owns their intake and their files.

Called by the screens, the API and the import; knows nothing of rounds or reviewers.
"""
