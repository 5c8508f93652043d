"""Goods, what a scanned or typed text stands for, and the keys goods are searched by."""
