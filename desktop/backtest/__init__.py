"""Backtests on this machine: sales from files, players on all cores, reports for people."""
