"""Balance settlement (spec: energy), one stage a module; calculation.py reads aloud as the business process."""
