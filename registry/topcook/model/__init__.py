"""Nouns: slotted records without behaviour beyond their own consistency."""
