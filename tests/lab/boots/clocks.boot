# Clocks that change beneath the daemon: another clocksource, a device that comes and goes.
tsc lab.config=none lab.scenarios=tsc
late lab.config=none lab.scenarios=late lab.modules=late
