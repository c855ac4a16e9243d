# The static binary, alone, without a file of its own in the guest.
static lab.config=none lab.scenarios=boot-lock,pause:1 lab.daemon=vmtimed-static
