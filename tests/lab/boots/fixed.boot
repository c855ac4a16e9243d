# A Debian guest with chrony: booted as installed, and booted again with what `vmtime fix` made of its files.
fixed-before lab.config=none lab.modules=late lab.scenarios=fixed:before
fixed-after lab.config=none lab.modules=late lab.scenarios=fixed:after
