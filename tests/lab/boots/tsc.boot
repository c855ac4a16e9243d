# Clocks that change beneath the daemon: the guest on clocksource tsc, to kvm-clock and back, and what else
# happens there; a device that comes and goes.
tsc lab.config=none lab.scenarios=tsc,pause:5,hoststep:1
late lab.config=none lab.scenarios=late lab.modules=late
