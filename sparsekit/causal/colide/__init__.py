"""CoLiDE: linear DAG learning with concomitant noise scales."""
