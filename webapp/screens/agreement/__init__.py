"""How far blind reviewers agree, with intervals. The numbers are `annotation.agreement`'s; reads only."""
