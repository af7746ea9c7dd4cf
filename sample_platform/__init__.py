"""A stand-in for a short-video site: behaves like Douyin's web pages, grows its numbers, and fails on demand.

Nothing of the product imports it, and nothing in the product knows that it is a sample.
"""
