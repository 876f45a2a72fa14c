"""Asks the teacher: plans slots, renders requests, keeps the server full, parses replies, and never loses one."""
