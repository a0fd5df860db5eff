"""Wholesale settlement (spec: wholesale), one stage a module."""
