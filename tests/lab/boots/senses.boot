# What tells of a restore besides the readings, for a look at it alone: as the user vmtime.
none lab.config=none lab.scenarios=senses,restore:3 lab.user=vmtime
