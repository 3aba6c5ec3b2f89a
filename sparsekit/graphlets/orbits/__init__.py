"""How often nodes and edges sit on orbits: closed forms and the sums that they need."""
