line lab.config=line lab.scenarios=boot-lock,restore
none lab.config=none lab.scenarios=steady
