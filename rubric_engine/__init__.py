"""What a rubric is, and where drafts come from.

Owns instructions, responses, rubric versions, the exemplar pool, drafting and judging.
Never owns what people decide (`annotation`) nor what models learn (`training`); both call down into it.
`rubric.py` and `scoring.py` are pure: they import neither Django nor torch.
"""
