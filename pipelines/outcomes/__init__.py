"""Outcomes of participations and register studies: what comes in beside the questionnaires."""
