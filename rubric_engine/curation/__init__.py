"""From files of others to rows of ours.

Owns reading (formats, caps), mapping (columns, kinds), staging and merging of an import.
Never owns what an instruction or rubric is (`rubric_engine.models`) nor who reviews it (`annotation`).
Called by the import screen, the API, `manage.py import_file` and the sample pack's loader.
"""
