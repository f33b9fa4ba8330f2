"""What the checks share in judging visits: what was read and what was not, over whole columns, and making findings."""
