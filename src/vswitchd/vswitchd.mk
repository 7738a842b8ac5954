# The schema of the configuration database; ovsdb-tool(1) and the boot scripts find it in pkgdatadir.
dist_pkgdata_DATA += src/vswitchd/vswitch.ovsschema
