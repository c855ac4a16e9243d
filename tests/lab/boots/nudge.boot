# What the host says to its guest, over vsock.
nudge lab.config=none lab.scenarios=nudge lab.vsock=yes
