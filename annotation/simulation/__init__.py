"""The loop simulated on physician-written rubrics: does the gold of earlier rounds make the next drafts better?

Owns the comparison of drafts with a truth and its report; never writes a round, a draft or an exemplar.
Called by `manage.py simulate_loop` and by the benchmark `loop`.
"""
