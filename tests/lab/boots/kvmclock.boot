# The guest on kvm-clock, its ordinary clocksource: the configuration that people know, one line; the files
# that Debian and RHEL install for chrony, which name no host clock, taken over; no configuration at all;
# a guest that vmtime-hostd looks after, over vsock.
line lab.config=line lab.scenarios=boot-lock,steady:40,pause:10,senses,restore:3
debian lab.config=debian lab.scenarios=pause:10,user lab.user=vmtime
rhel lab.config=rhel lab.scenarios=pause:10
none lab.config=none lab.scenarios=steady:40,pauses:4:1:0.05:3:0.2:1.5,hoststep:-1,pausestep:3600,dateset,badhost,suspend
nudge lab.config=none lab.scenarios=nudge:8:0 lab.vsock=yes lab.hostd=yes
