# The configuration that people know: one line.
line lab.config=line lab.scenarios=boot-lock,steady,pause,restore
