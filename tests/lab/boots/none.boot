# No configuration at all; then Debian's chrony.conf, which names no host clock, taken over; as user vmtime.
none lab.config=none lab.scenarios=boot-lock,steady,pause,badhost
stock lab.config=stock lab.scenarios=boot-lock,pause,user lab.user=vmtime
