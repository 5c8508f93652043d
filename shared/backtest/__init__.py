"""What past sales would have brought under another programme: pure, from events to figures.

Events go into a player per programme; what the players counted is compared. Members are independent
of each other unless an offer's limit is shared, so the events can be played in any number of parts.
"""
