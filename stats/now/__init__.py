"""How each slot fares at this moment: the dashboard's judgement."""
