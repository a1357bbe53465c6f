"""The sample pack: data written by us, and the story that the first start tells with it.

Calls the domain like any user of it. Nobody calls it but its command and its Celery task.
"""
