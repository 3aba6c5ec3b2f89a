"""Structure learning from zero-inflated data: tests on the rows that were observed."""
