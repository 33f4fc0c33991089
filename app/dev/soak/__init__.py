"""The rules of trading under random histories: portfolios, journal, orders and books together, without a database."""
