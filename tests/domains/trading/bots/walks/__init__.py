"""Random walks of bots over Postgres: what happens to them, what must hold, and processes that are killed meanwhile."""
