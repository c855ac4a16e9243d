# The same on tsc (full.sh).
tsc lab.config=none lab.clocksource=tsc lab.scenarios=pause:1,pause:10,pause:300,restore:20,migrate,migrate,loadvm,leap,leap:announced,hoststep,pausestep,dateset,suspend
