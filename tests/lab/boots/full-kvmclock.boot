# Everything that a guest on kvm-clock may meet, the long ones too (full.sh).
kvm-clock lab.config=none lab.scenarios=pause:1,pause:10,pause:300,restore:20,pauses:50:7:0.5:1.5:2:3.5,pauses:30:11:0.05:3:0.1:2,migrate,migrate,migrate,loadvm,leap,leap:announced,hoststep,pausestep,dateset,suspend
nudged lab.config=none lab.scenarios=nudge:50:10 lab.vsock=yes
