"""What happens to a draft before it is a document: small plays of further requests, named in the recipe."""
