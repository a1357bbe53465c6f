"""Open threads on items: leads see all, reviewers those that they may read (`annotation.discussion`)."""
