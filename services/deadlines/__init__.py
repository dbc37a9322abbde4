"""Deadlines: emits what time brings, reminders and missed clocks for information, expiries for review to decide."""
