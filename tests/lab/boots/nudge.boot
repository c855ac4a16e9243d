# What the host says to its guest, over vsock, for a look at it alone.
nudge lab.config=none lab.scenarios=nudge lab.vsock=yes lab.hostd=yes
