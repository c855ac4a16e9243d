# A Debian guest whose files `vmtime fix` has mended, and the same before.
fixed lab.config=none lab.modules=late lab.scenarios=fixed
